"""Statements, showings, documents and sealed values."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.core import canonical, derivation, disclosure, statement, statement_parts
from ledger_node.core.errors import LedgerError, UnknownVersionError
from tests.reference.topics import statements as reference

TYPE = statement.get_statement_type("marriage-cert")
ORIGIN = reference.ORIGIN
PART = statement_parts.DocumentPart(
    hashlib.sha256("结婚证扫描件".encode()).digest(), "application/pdf", 18, 2
)
DOCUMENT = statement_parts.encode_document_part(PART)


def build(values=reference.VALUES, documents=(DOCUMENT,), salts=None):
    salts = salts or derivation.derive_salts(reference.KEY, 12 + len(documents))
    return statement.build_statement(ORIGIN, TYPE, values, documents, salts)


def show(made, positions=(0,)):
    disclosed = {position: made.disclosures[position] for position in positions}
    return statement.verify_showing(ORIGIN, made.commitment, made.digests, disclosed)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_build_statement_equals_reference(count):
    made = build(documents=[DOCUMENT] * count)
    texts, digests, commitment = reference.make_statement([reference.DOCUMENT] * count)
    assert made.disclosures == tuple(texts)
    assert (made.digests, made.commitment) == (tuple(digests), commitment)
    assert made.disclosures[5] == disclosure.encode_disclosure(
        derivation.derive_salts(reference.KEY, 6)[5], "valid_from", "2025-05-20"
    )


def test_verify_showing_returns_only_what_is_shown():
    made = build()
    assert show(made).values == {}
    shown = show(made, [12, 0, 6])
    assert shown.statement_type == TYPE
    assert shown.values == {"valid_until": None, "document.0": DOCUMENT}
    assert statement_parts.parse_document_part(shown.values["document.0"]) == PART


@settings(derandomize=True, max_examples=120, deadline=None, database=None)
@given(st.sampled_from(["commitment", "digest", "text"]), st.integers(0, 2**16))
def test_verify_showing_any_flipped_bit_fails(what, bit):
    made = build()
    commitment, digests = bytearray(made.commitment), [bytearray(item) for item in made.digests]
    texts = {0: bytearray(made.disclosures[0].encode()), 6: bytearray(made.disclosures[6].encode())}
    target = {"commitment": commitment, "digest": digests[bit % 13], "text": texts[bit % 2 * 6]}[
        what
    ]
    target[bit // 8 % len(target)] ^= 1 << bit % 8
    with pytest.raises(LedgerError):
        statement.verify_showing(
            ORIGIN,
            bytes(commitment),
            [bytes(item) for item in digests],
            {position: text.decode("latin-1") for position, text in texts.items()},
        )


@pytest.mark.parametrize(
    ("values", "documents", "salts"),
    [
        ({"colour": "red"}, (), None),
        ({"type": "x"}, (), None),
        ({"document.0": "x"}, (), None),
        ({}, (None,) * 1001, None),
        ({}, (), [bytes(32)] * 11),
        ({}, (), [bytes(32)] * 13),
        ({}, (), [*[bytes(32)] * 11, bytes(31)]),
    ],
)
def test_build_statement_unfit_input_raises_malformed(values, documents, salts):
    with pytest.raises(statement.MalformedStatementError):
        build(values, documents, salts)
    assert build({}, (), [bytes(32)] * 12).digests


def test_build_statement_float_value_raises_not_canonical():
    with pytest.raises(canonical.NotCanonicalError):
        build({"attributes": {"amount": 12.5}})
    assert build({"attributes": {"amount": "12.50"}})


def test_statement_type_names_and_positions_are_inverse():
    names = [TYPE.name_at(position) for position in range(15)]
    assert names[0] == "type"
    assert names[-3:] == ["document.0", "document.1", "document.2"]
    assert [TYPE.position_of(name) for name in names] == list(range(15))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "colour",
        "document.",
        "document.01",
        "document.x",
        "document.-1",
        "document.٠",
        "0",
        "document.00001",
    ],
)
def test_position_of_unknown_name_raises_malformed(name):
    with pytest.raises(statement.MalformedStatementError):
        TYPE.position_of(name)


@pytest.mark.parametrize("code", ["", "A", "a_b", "-a", "a-", "a\n", "a" * 65, "结婚证"])
def test_get_statement_type_bad_code_raises_malformed(code):
    with pytest.raises(statement.MalformedStatementError):
        statement.get_statement_type(code)
    assert statement.get_statement_type("a" * 64).version == 1


def test_get_statement_type_other_version_raises_unknown():
    with pytest.raises(UnknownVersionError):
        statement.get_statement_type("marriage-cert", 2)


def test_compute_statement_commitment_too_many_digests_raises_malformed():
    digest = bytes(32)
    assert statement.compute_statement_commitment(ORIGIN, [digest] * 65_535)
    with pytest.raises(statement.MalformedStatementError):
        statement.compute_statement_commitment(ORIGIN, [digest] * 65_536)


def test_document_part_round_trip_with_everything_set():
    part = statement_parts.DocumentPart(
        bytes(32), "image/jpeg", None, None, statement_parts.Extent.EXTRACT, (0, 2)
    )
    assert statement_parts.parse_document_part(statement_parts.encode_document_part(part)) == part


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("media_type", "PDF", "malformed_document_part"),
        ("media_type", "application/pdf; x", "malformed_document_part"),
        ("extent", "half", "malformed_document_part"),
        ("concerns", [1, 0], "malformed_document_part"),
        ("concerns", [1, 1], "malformed_document_part"),
        ("concerns", [-1], "unexpected_shape"),
        ("concerns", None, "unexpected_shape"),
        ("pages", "2", "unexpected_shape"),
        ("size_bytes", -1, "unexpected_shape"),
        ("digest", "sha-256:00", "malformed_encoding"),
        ("digest", "md5:00", "unknown_digest_algorithm"),
    ],
)
def test_parse_document_part_bad_member_raises(member, value, code):
    with pytest.raises(LedgerError) as caught:
        statement_parts.parse_document_part({**DOCUMENT, member: value})
    assert caught.value.code == code


def test_statement_values_round_trip_and_rebuild_the_same_statement():
    values = statement_parts.StatementValues(TYPE, reference.VALUES, [DOCUMENT])
    data = statement_parts.encode_statement_values(values)
    opened = statement_parts.parse_statement_values(data)
    assert opened == values
    assert build(opened.values, opened.documents) == build()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format": "tongban/statement-values/v2"}, "unknown_version"),
        ({"version": 2}, "unknown_version"),
        ({"code": "?"}, "malformed_statement"),
        ({"values": []}, "unexpected_shape"),
        ({"values": {"colour": "red"}}, "unexpected_shape"),
        ({"documents": {}}, "unexpected_shape"),
        ({"extra": 1}, "unexpected_shape"),
    ],
)
def test_parse_statement_values_bad_member_raises(change, code):
    good = {
        "code": "a",
        "documents": [],
        "format": "tongban/statement-values/v1",
        "values": {},
        "version": 1,
    }
    assert statement_parts.parse_statement_values(canonical.encode_canonical(good)).values == {}
    with pytest.raises(LedgerError) as caught:
        statement_parts.parse_statement_values(canonical.encode_canonical({**good, **change}))
    assert caught.value.code == code


def test_every_catalogue_sized_code_has_the_same_fields():
    assert statement.get_statement_type("resident-id").fields == statement.STATEMENT_FIELDS_V1
    assert tuple(reference.FIELDS) == statement.STATEMENT_FIELDS_V1
