"""Canonical JSON against rfc8785, text encodings, shape checks."""

import base64

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.core import canonical

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-canonical.MAX_INT, canonical.MAX_INT)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=4
        )
    ),
    max_leaves=12,
)
DETERMINISTIC = settings(derandomize=True, max_examples=150, deadline=None, database=None)


@DETERMINISTIC
@given(VALUES)
def test_encode_canonical_equals_rfc8785_and_parses_back(value):
    data = canonical.encode_canonical(value)
    assert data == rfc8785.dumps(value)
    assert canonical.parse_canonical(data, what="value") == value


@DETERMINISTIC
@given(VALUES, st.integers(0, 10_000))
def test_parse_canonical_flipped_bit_is_refused_or_another_value(value, bit):
    data = canonical.encode_canonical(value)
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    try:
        other = canonical.parse_canonical(bytes(changed), what="value")
    except canonical.NotCanonicalError:
        return
    assert canonical.encode_canonical(other) == bytes(changed) != data


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        b"bytes",
        {1: "a"},
        {"a": {2}},
        "\ud800",
        {"\ud800": 1},
        {"é": "\ud800"},
    ],
)
def test_encode_canonical_unfit_value_raises_not_canonical(value):
    with pytest.raises(canonical.NotCanonicalError):
        canonical.encode_canonical(value)


@pytest.mark.parametrize("bad", [1.5, 2**60])
def test_encode_canonical_bad_value_behind_a_name_that_is_not_ascii_raises(bad):
    # Every value is looked at, also after the first name that needs the slow way.
    for value in ({"é": 1, "z": bad}, [{"é": 1}, bad], {"é": [bad]}):
        with pytest.raises(canonical.NotCanonicalError):
            canonical.encode_canonical(value)


def test_encode_canonical_tuples_and_depth_limit():
    value = "x"
    for _ in range(canonical.MAX_DEPTH):
        value = (value,)
    assert canonical.encode_canonical(value) == b"[" * 32 + b'"x"' + b"]" * 32
    with pytest.raises(canonical.NotCanonicalError):
        canonical.encode_canonical([value])


def test_parse_canonical_size_limit_is_exact():
    assert canonical.parse_canonical(b'"abc"', what="value", max_bytes=5) == "abc"
    with pytest.raises(canonical.NotCanonicalError, match="more than 4 bytes"):
        canonical.parse_canonical(b'"abc"', what="value", max_bytes=4)


def test_parse_canonical_very_deep_nesting_raises_not_canonical():
    with pytest.raises(canonical.NotCanonicalError, match="deep"):
        canonical.parse_canonical(b"[" * 200_000, what="value")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":1}', "stands twice"),
        (b"[1.5]", "the number 1.5 is not an integer"),
        (b"[1e3]", "the number 1e3 is not an integer"),
        (b"[NaN]", "the number NaN is not an integer"),
        (b"1" * 5000, "an integer is too long"),
        (b"123456789012345678", "an integer is too long"),
        (b"12345678901234567", "beyond the safe range"),
        (b"\xff", "utf-8"),
        (b"{} ", "RFC 8785"),
    ],
)
def test_parse_canonical_refusal_says_what_is_wrong(data, reason):
    with pytest.raises(canonical.NotCanonicalError, match=reason):
        canonical.parse_canonical(data, what="value")


@pytest.mark.parametrize("length", range(70))
def test_text_encodings_round_trip(length):
    data = bytes(range(length))
    assert canonical.parse_base64url(canonical.encode_base64url(data), what="x") == data
    assert canonical.encode_base64url(data) == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert canonical.parse_base64(canonical.encode_base64(data), what="x") == data
    assert canonical.encode_base64(data) == base64.b64encode(data).decode()
    assert canonical.parse_hex(data.hex(), what="x", length_bytes=length) == data


@pytest.mark.parametrize("text", ["A", "AB", "AAB", "AA==", "A A", "AA\n", "AA+/", "ÀÀ", "AAAAA"])
def test_parse_base64url_other_spelling_raises(text):
    with pytest.raises(canonical.MalformedEncodingError):
        canonical.parse_base64url(text, what="x")


@pytest.mark.parametrize(
    "text", ["A", "AA", "AB==", "AAB=", "AAA", "AA-_", "=AAA", "====", "AAA=\n", "A===", "AA=A"]
)
def test_parse_base64_other_spelling_raises(text):
    with pytest.raises(canonical.MalformedEncodingError):
        canonical.parse_base64(text, what="x")


@pytest.mark.parametrize("text", ["0", "AA", "0x00", "0g", " 00", "00\n", "\u0660\u0660"])
def test_parse_hex_other_spelling_raises(text):
    with pytest.raises(canonical.MalformedEncodingError):
        canonical.parse_hex(text, what="x")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (canonical.parse_hex, "0000"),
        (canonical.parse_base64, "AAA="),
        (canonical.parse_base64url, "AAA"),
    ],
)
def test_parse_encodings_demand_their_length(parse, text):
    assert parse(text, what="x", length_bytes=2) == b"\0\0"
    with pytest.raises(canonical.MalformedEncodingError, match="3 bytes expected, 2 found"):
        parse(text, what="x", length_bytes=3)


def test_require_members_exact_names_only():
    value = {"a": 1, "b": 2}
    assert canonical.require_members(value, ("b", "a"), what="x") is value
    for names in (("a",), ("a", "b", "c")):
        with pytest.raises(canonical.UnexpectedShapeError):
            canonical.require_members(value, names, what="x")
    with pytest.raises(canonical.UnexpectedShapeError):
        canonical.require_members([], (), what="x")


def test_require_values_check_their_type():
    assert canonical.require_list([1], what="x") == [1]
    assert canonical.require_text("t", what="x") == "t"
    assert canonical.require_int(3, what="x", minimum=3, maximum=3) == 3
    for require, bad in (
        (canonical.require_list, "text"),
        (canonical.require_text, 1),
        (canonical.require_text, None),
        (canonical.require_int, True),
        (canonical.require_int, "1"),
        (canonical.require_int, -1),
        (canonical.require_int, 2**53),
    ):
        with pytest.raises(canonical.UnexpectedShapeError):
            require(bad, what="x")


def test_parse_canonical_brackets_inside_strings_are_not_nesting():
    text = '["\\"' + "[" * 500 + '\\\\"]'
    assert canonical.parse_canonical(text.encode(), what="x") == ['"' + "[" * 500 + "\\"]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["]",{"b":'])
def test_parse_canonical_deep_nesting_is_refused_before_the_parser_sees_it(opening, monkeypatch):
    monkeypatch.setattr(
        canonical.json, "loads", lambda *a, **k: pytest.fail("the parser was asked")
    )
    with pytest.raises(canonical.NotCanonicalError, match="deep"):
        canonical.parse_canonical(opening * 50_000, what="x")
