"""Ceremony states and choices; revocation codes; provider credentials; images of signatures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.core.canonical import UnexpectedShapeError
from ledger_node.core.ceremony import (
    CEREMONY_TRANSITIONS,
    OPEN_STATES,
    CeremonyEvent,
    CeremonyState,
    UnknownOptionError,
    advance_ceremony,
    build_material_option,
    build_type_options,
    choose,
)
from ledger_node.core.errors import IllegalTransitionError
from ledger_node.core.evidence_assertion import (
    encode_provider_credential,
    read_provider_credential,
)
from ledger_node.core.pad_image import MAX_PAD_BYTES, PadImageError, read_pad_image, read_slip_image
from ledger_node.core.revocation_code import (
    ALPHABET,
    CODE_CHARS,
    RevocationCodeError,
    build_code,
    compute_verifier,
    matches,
    parse_code,
)
from ledger_node.core.terms import TypeGrant
from ledger_node.core.types import CityId, Commitment
from tests.reference.topics.assertions import jwk, provider_body
from tests.support.pads import draw_pad

CITIES = (CityId("510107"), CityId("510700"))
MARRIAGE, INCOME = TypeGrant("marriage-cert", ("number",), True), TypeGrant("income-cert", (), True)


@pytest.mark.parametrize("state", CeremonyState)
def test_advance_ceremony_follows_the_table_and_nothing_else(state):
    for event in CeremonyEvent:
        after = CEREMONY_TRANSITIONS[state].get(event)
        if after is None:
            with pytest.raises(IllegalTransitionError):
                advance_ceremony(state, event)
        else:
            assert advance_ceremony(state, event) is after
    assert bool(CEREMONY_TRANSITIONS[state]) == (state in OPEN_STATES)


def test_advance_ceremony_drafted_is_never_confirmed_unseen():
    with pytest.raises(IllegalTransitionError):
        advance_ceremony(CeremonyState.DRAFTED, CeremonyEvent.CONFIRMED)


def test_choose_types_gives_every_city_exactly_what_is_ticked():
    options = build_type_options([MARRIAGE, INCOME])
    choices = choose(options, CITIES, {"t-income-cert"})
    assert [(each.city, each.types, each.materials) for each in choices] == [
        (city, (INCOME,), None) for city in CITIES
    ]


def test_choose_more_types_than_a_grant_holds_leaves_none_out():
    many = [TypeGrant(f"type-{n}", ("number",), False) for n in range(104)]
    options = build_type_options(many)
    choices = choose(options, CITIES, {each.key for each in options})
    assert [(each.city, len(each.types)) for each in choices] == [
        (city, size) for city in CITIES for size in (64, 40)
    ]


def test_choose_materials_names_each_in_its_own_city_only():
    first, second = Commitment(bytes(32)), Commitment(bytes([1]) * 32)
    options = [
        build_material_option(MARRIAGE, CITIES[0], first),
        build_material_option(INCOME, CITIES[1], second),
    ]
    (choice,) = choose(options, CITIES, {options[1].key})
    assert (choice.city, choice.types, choice.materials) == (CITIES[1], (INCOME,), (second,))


@pytest.mark.parametrize("ticked", [set(), {"t-passport"}, {"t-income-cert", "t-"}])
def test_choose_nothing_or_unknown_raises(ticked):
    with pytest.raises(UnknownOptionError):
        choose(build_type_options([MARRIAGE, INCOME]), CITIES, ticked)


def some_code(seed=7):
    code = None
    while code is None:
        code = build_code(CITIES[0], seed.to_bytes(16, "big"))
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**128
    return code


def test_parse_code_every_wrong_character_and_swap_raises():
    text = some_code().text
    for at in range(CODE_CHARS):
        for char in ALPHABET:
            if char != text[at]:
                with pytest.raises(RevocationCodeError):
                    parse_code(text[:at] + char + text[at + 1 :])
    for at in range(CODE_CHARS - 1):
        swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        if swapped != text and at + 1 < CODE_CHARS - 1:
            with pytest.raises(RevocationCodeError):
                parse_code(swapped)


@given(st.binary(min_size=16, max_size=16))
@settings(max_examples=60, deadline=None)
def test_build_code_reads_back_as_typed(entropy):
    code = build_code(CITIES[1], entropy)
    if code is None:
        return
    typed = code.printed.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert parse_code(typed) == code
    assert len(code.text) == CODE_CHARS
    assert code.secret not in code.public_part


def test_matches_other_secret_or_salt_is_false():
    code = some_code()
    verifier = compute_verifier(code.secret, bytes(16))
    assert matches(code.secret, bytes(16), verifier)
    assert not matches("Z" * 11, bytes(16), verifier)
    assert not matches(code.secret, bytes(15) + b"1", verifier)


def test_read_provider_credential_round_trips():
    assert encode_provider_credential(read_provider_credential(provider_body())) == provider_body()


@pytest.mark.parametrize(
    "changes",
    [
        {"keys": []},
        {"keys": [jwk("a"), jwk("a")]},
        {"keys": [jwk("a", d="AAAA")]},
        {"keys": [jwk("a", kty="oct")]},
        {"keys": [{**jwk("a"), "x": 1}]},
        {"keys": [jwk("a", kid=str(n)) for n in range(9)]},
        {"issuer": ""},
    ],
)
def test_read_provider_credential_bent_raises(changes):
    with pytest.raises(UnexpectedShapeError):
        read_provider_credential(provider_body(**changes))


def test_read_pad_image_drawn_gives_its_size():
    assert read_pad_image(draw_pad()) == (320, 120)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (draw_pad(drawn=False), "blank"),
        (draw_pad(width=39), "size"),
        (draw_pad() + bytes(MAX_PAD_BYTES), "size"),
        (draw_pad()[:100], "form"),
        (b"\xff\xd8\xff" + bytes(100), "form"),
    ],
)
def test_read_pad_image_bad_is_refused(data, reason):
    with pytest.raises(PadImageError) as refused:
        read_pad_image(data)
    assert refused.value.fields["reason"] == reason


def test_read_slip_image_of_another_kind_is_refused():
    read_slip_image(b"%PDF-1.7")
    with pytest.raises(PadImageError):
        read_slip_image(b"<html>")
