"""Decisions about a grant: each link removed or bent once, beside a twin that is allowed."""

from dataclasses import replace

import pytest

from ledger_node.core.event_types import Basis, StatusFlag
from ledger_node.core.grant import apply_strike_outs, decide_find, decide_release
from ledger_node.core.grant_facts import (
    AskedMaterial,
    DecidingCity,
    GrantOnChain,
    HeldMaterial,
    ReleaseFacts,
    StrikeOuts,
)
from ledger_node.core.query import decide_candidates
from ledger_node.core.refusal import Refusal, build_refusal_error, get_public_code
from ledger_node.core.terms import GrantBasis, TypeGrant
from ledger_node.core.terms_format import compute_grant_id, read_terms
from tests.reference import exchange as x

TERMS = read_terms(x.terms())
TAG, OTHER_TAG = b"t" * 32, b"u" * 32
FIRST, SECOND = b"\x01" * 32, b"\x02" * 32
EVIDENCE = b"e" * 32
DECIDING = DecidingCity(
    city=x.RELEASING,
    chain_id=x.CHAIN_ID,
    grants=bytes.fromhex(x.GRANTS[2:]),
    requester=x.RECEIVING,
    good_standing=frozenset({x.RELEASING, x.RECEIVING}),
    block_timestamp_s=x.NOW,
    now_s=x.NOW,
)
GRANT = GrantOnChain(
    grant_id=compute_grant_id(TERMS),
    releasing=x.RELEASING,
    receiving=x.RECEIVING,
    recorder=x.RELEASING,
    not_before_s=TERMS.not_before_s,
    not_after_s=TERMS.not_after_s,
    uses=2,
    uses_left=1,
    basis=Basis.COUNTER,
    evidence=EVIDENCE,
    revoked=False,
)
FACTS = ReleaseFacts(
    deciding=DECIDING,
    encryption_key_owner=x.RECEIVING,
    grant=GRANT,
    evidence=EVIDENCE,
    purpose_opened=True,
    subject_tag=TAG,
)
NUMBER, ISSUED_ON, VALID_FROM, FIRST_DOCUMENT = 3, 4, 5, 12


def held(commitment=FIRST, **changes):
    material = HeldMaterial(
        commitment=commitment,
        type_code="marriage-cert",
        type_version=1,
        document_count=2,
        subject_tags=frozenset({TAG, OTHER_TAG}),
        status=StatusFlag(0),
        anchored=True,
    )
    return replace(material, **changes)


def asked(commitment=FIRST, positions=(NUMBER, VALID_FROM), documents=(0,), **changes):
    return AskedMaterial(commitment, positions, documents, held(commitment, **changes))


def decide(*materials, terms=TERMS, **changes):
    return decide_release(terms, replace(FACTS, **changes), materials or (asked(),))


def with_city(**changes):
    return {"deciding": replace(DECIDING, **changes)}


def with_grant(**changes):
    return {"grant": replace(GRANT, **changes)}


def test_decide_release_everything_fits_allows():
    decision = decide()
    assert decision.allowed
    assert (decision.refused, decision.superseded) == ({}, frozenset())


CITY_CASES = {
    "other_chain": (with_city(chain_id=1), Refusal.WRONG_CHAIN),
    "other_contract": (with_city(grants=bytes(20)), Refusal.WRONG_CHAIN),
    "other_releaser": (with_city(city=x.OTHER), Refusal.NOT_RELEASER),
    "other_requester": (with_city(requester=x.OTHER), Refusal.NOT_RECEIVER),
    "releaser_asks_itself": (with_city(requester=x.RELEASING), Refusal.NOT_RECEIVER),
    "receiver_suspended": (
        with_city(good_standing=frozenset({x.RELEASING})),
        Refusal.NOT_IN_GOOD_STANDING,
    ),
    "releaser_suspended": (
        with_city(good_standing=frozenset({x.RECEIVING})),
        Refusal.NOT_IN_GOOD_STANDING,
    ),
    "head_31_s_behind": (with_city(now_s=x.NOW + 31), Refusal.CHAIN_STALE),
    "head_31_s_ahead": (with_city(now_s=x.NOW - 31), Refusal.CHAIN_STALE),
    "basis_refused_here": (
        with_city(refused_bases=frozenset({GrantBasis.COUNTER})),
        Refusal.BASIS_REFUSED,
    ),
    "before_the_window": (
        with_city(block_timestamp_s=TERMS.not_before_s - 1, now_s=TERMS.not_before_s),
        Refusal.GRANT_NOT_YET_VALID,
    ),
    "at_the_end_of_the_window": (
        with_city(block_timestamp_s=TERMS.not_after_s, now_s=TERMS.not_after_s),
        Refusal.GRANT_EXPIRED,
    ),
}
GRANT_CASES = {
    "encryption_key_of_another": ({"encryption_key_owner": x.OTHER}, "foreign_encryption_key"),
    "encryption_key_of_nobody": ({"encryption_key_owner": None}, "foreign_encryption_key"),
    "not_recorded": ({"grant": None}, "grant_missing"),
    "revoked": (with_grant(revoked=True), "grant_revoked"),
    "used_up": (with_grant(uses_left=0), "grant_used_up"),
    "other_id": (with_grant(grant_id=bytes(32)), "grant_differs"),
    "other_releaser": (with_grant(releasing=x.OTHER), "grant_differs"),
    "other_receiver": (with_grant(receiving=x.OTHER), "grant_differs"),
    "other_recorder": (with_grant(recorder=x.OTHER), "grant_differs"),
    "earlier_begin": (with_grant(not_before_s=TERMS.not_before_s - 1), "grant_differs"),
    "later_end": (with_grant(not_after_s=TERMS.not_after_s + 1), "grant_differs"),
    "more_uses": (with_grant(uses=3), "grant_differs"),
    "other_basis": (with_grant(basis=Basis.PASSKEY), "grant_differs"),
    "other_evidence": (with_grant(evidence=bytes(32)), "evidence_differs"),
    "other_purpose": ({"purpose_opened": False}, "purpose_mismatch"),
}


@pytest.mark.parametrize("name", CITY_CASES)
def test_decide_release_city_link_broken_refuses(name):
    changes, reason = CITY_CASES[name]
    assert decide(**changes).refusal is reason


@pytest.mark.parametrize("name", CITY_CASES)
def test_decide_find_city_link_broken_refuses(name):
    changes, reason = CITY_CASES[name]
    decision = decide_find(TERMS, changes["deciding"], ["marriage-cert"], None)
    assert decision.refusal is reason


@pytest.mark.parametrize("name", GRANT_CASES)
def test_decide_release_grant_link_broken_refuses(name):
    changes, reason = GRANT_CASES[name]
    assert decide(**changes).refusal == reason


def test_decide_release_recorder_suspended_refuses():
    terms = replace(TERMS, recording=x.OTHER)
    grant = replace(GRANT, grant_id=compute_grant_id(terms), recorder=x.OTHER)
    assert decide(terms=terms, grant=grant).refusal is Refusal.NOT_IN_GOOD_STANDING
    standing = DECIDING.good_standing | {x.OTHER}
    allowed = decide(terms=terms, grant=grant, **with_city(good_standing=standing))
    assert allowed.allowed


@pytest.mark.parametrize("shift", [-30, 30])
def test_decide_release_head_30_s_off_allows(shift):
    assert decide(**with_city(now_s=x.NOW + shift)).allowed


@pytest.mark.parametrize("at", [TERMS.not_before_s, TERMS.not_after_s - 1])
def test_decide_release_edges_of_the_window_allow(at):
    assert decide(**with_city(block_timestamp_s=at, now_s=at)).allowed


def test_decide_release_nothing_asked_refuses():
    assert decide_release(TERMS, FACTS, ()).refusal is Refusal.NOTHING_ASKED
    assert decide(asked(positions=(), documents=())).refusal is Refusal.NOTHING_ASKED


def limited(*commitments):
    """Terms for these materials only, and facts with the grant of them."""
    terms = replace(TERMS, materials=commitments)
    return {"terms": terms, "grant": replace(GRANT, grant_id=compute_grant_id(terms))}


def test_decide_release_listed_material_allows():
    assert decide(**limited(FIRST)).allowed


def test_decide_release_unlisted_material_refuses_all():
    decision = decide(asked(), asked(SECOND), **limited(FIRST))
    assert decision.refusal is Refusal.MATERIAL_NOT_GRANTED


@pytest.mark.parametrize("place", [0, 1, 2])
def test_decide_release_one_beyond_the_terms_refuses_all_at_every_place(place):
    materials = [asked(bytes([i]) * 32) for i in range(3)]
    assert decide(*materials).allowed
    materials[place] = asked(bytes([place]) * 32, positions=(ISSUED_ON,))
    assert decide(*materials).refusal is Refusal.FIELD_NOT_GRANTED


SCOPE_CASES = {
    "type": (asked(type_code="divorce-cert"), Refusal.TYPE_NOT_GRANTED),
    "field": (asked(positions=(NUMBER, ISSUED_ON)), Refusal.FIELD_NOT_GRANTED),
    "document_not_there": (asked(documents=(2,)), Refusal.DOCUMENTS_NOT_GRANTED),
    "disclosure_of_document_not_there": (
        asked(positions=(FIRST_DOCUMENT + 2,)),
        Refusal.DOCUMENTS_NOT_GRANTED,
    ),
    "documents_of_fields_only_type": (
        asked(type_code="income-cert", positions=(2,)),
        Refusal.DOCUMENTS_NOT_GRANTED,
    ),
    "disclosure_of_document_of_fields_only_type": (
        asked(type_code="income-cert", positions=(2, FIRST_DOCUMENT), documents=()),
        Refusal.DOCUMENTS_NOT_GRANTED,
    ),
}


@pytest.mark.parametrize("name", SCOPE_CASES)
def test_decide_release_beyond_the_scope_refuses(name):
    material, reason = SCOPE_CASES[name]
    assert decide(material).refusal is reason


@pytest.mark.parametrize(
    "material",
    [
        asked(positions=(FIRST_DOCUMENT,), documents=()),
        asked(positions=(), documents=(0, 1)),
        asked(type_code="income-cert", positions=(2,), documents=()),
    ],
    ids=["disclosure of a document", "documents only", "fields only"],
)
def test_decide_release_within_the_scope_allows(material):
    assert decide(material).allowed


STATE_CASES = {
    "unknown": (replace(asked(), held=None), Refusal.MATERIAL_UNKNOWN),
    "held_under_another": (replace(asked(), held=held(SECOND)), Refusal.MATERIAL_UNKNOWN),
    "other_person": (asked(subject_tags=frozenset({b"x" * 32})), Refusal.SUBJECT_MISMATCH),
    "not_anchored": (asked(anchored=False), Refusal.MATERIAL_NOT_ANCHORED),
    "withdrawn": (asked(status=StatusFlag.WITHDRAWN), Refusal.MATERIAL_WITHDRAWN),
    "spent": (asked(status=StatusFlag.SPENT), Refusal.MATERIAL_SPENT),
    "erased": (asked(status=StatusFlag.ERASED), Refusal.MATERIAL_ERASED),
    "erased_and_superseded": (
        asked(status=StatusFlag.ERASED | StatusFlag.SUPERSEDED),
        Refusal.MATERIAL_ERASED,
    ),
}


@pytest.mark.parametrize("name", STATE_CASES)
def test_decide_release_material_not_to_be_given_refuses_it_alone(name):
    material, reason = STATE_CASES[name]
    assert decide(material).refusal is reason
    both = decide(asked(SECOND), material)
    assert both.allowed
    assert both.refused == {FIRST: reason}
    assert both.superseded == frozenset()


def test_decide_release_superseded_material_allows_and_says_so():
    decision = decide(asked(status=StatusFlag.SUPERSEDED))
    assert decision.allowed
    assert decision.superseded == {FIRST}


def test_decide_release_other_persons_material_looks_like_an_unknown_one():
    other = decide(asked(type_code="divorce-cert", subject_tags=frozenset({b"x" * 32})))
    unknown = decide(replace(asked(), held=None))
    errors = [build_refusal_error(each.refusal) for each in (other, unknown)]
    assert errors[0].code == errors[1].code == get_public_code(other.refusal)
    assert errors[0].message_zh == errors[1].message_zh
    assert errors[0].message_en == errors[1].message_en


STRIKE_OUTS = {
    "material": (StrikeOuts(materials=frozenset({FIRST})), Refusal.MATERIAL_NOT_GRANTED),
    "type": (StrikeOuts(types=frozenset({"marriage-cert"})), Refusal.TYPE_NOT_GRANTED),
    "field": (
        StrikeOuts(fields=frozenset({("marriage-cert", "number")})),
        Refusal.FIELD_NOT_GRANTED,
    ),
    "documents": (
        StrikeOuts(documents=frozenset({"marriage-cert"})),
        Refusal.DOCUMENTS_NOT_GRANTED,
    ),
}


@pytest.mark.parametrize("name", STRIKE_OUTS)
def test_decide_release_struck_out_refuses(name):
    strike_outs, reason = STRIKE_OUTS[name]
    assert decide(strike_outs=strike_outs).refusal is reason


def test_apply_strike_outs_nothing_left_of_a_type_drops_it():
    strike_outs = StrikeOuts(fields=frozenset({("income-cert", "issuer")}))
    assert apply_strike_outs(TERMS, strike_outs) == TERMS.types[:1]
    assert apply_strike_outs(TERMS, StrikeOuts()) == TERMS.types
    kept = StrikeOuts(fields=frozenset({("marriage-cert", "number")}))
    assert apply_strike_outs(TERMS, kept)[0] == TypeGrant("marriage-cert", ("valid_from",), True)


def test_decide_find_everything_fits_allows():
    assert decide_find(TERMS, DECIDING, ["marriage-cert", "income-cert"], None).allowed
    assert decide_find(TERMS, DECIDING, ["marriage-cert"], GRANT).allowed


def test_decide_find_revoked_grant_refuses():
    grant = replace(GRANT, revoked=True)
    assert decide_find(TERMS, DECIDING, ["marriage-cert"], grant).refusal is Refusal.GRANT_REVOKED


@pytest.mark.parametrize("types", [["divorce-cert"], ["marriage-cert", "divorce-cert"]])
def test_decide_find_type_not_granted_refuses(types):
    assert decide_find(TERMS, DECIDING, types, None).refusal is Refusal.TYPE_NOT_GRANTED


def test_decide_find_no_types_refuses():
    assert decide_find(TERMS, DECIDING, [], None).refusal is Refusal.NOTHING_ASKED


def test_decide_candidates_tells_only_of_what_may_be_told():
    everything = [
        held(SECOND, status=StatusFlag.WITHDRAWN | StatusFlag.SUPERSEDED),
        held(FIRST, anchored=False),
        held(b"\x03" * 32, subject_tags=frozenset({b"x" * 32})),
        held(b"\x04" * 32, type_code="divorce-cert"),
        held(b"\x05" * 32, type_code="income-cert"),
        held(b"\x06" * 32, status=StatusFlag.ERASED),
    ]
    types = ["marriage-cert"]
    assert decide_candidates(TERMS, types, everything, TAG) == (FIRST, SECOND)
    only_first = replace(TERMS, materials=(FIRST,))
    assert decide_candidates(only_first, types, everything, TAG) == (FIRST,)
    struck = StrikeOuts(materials=frozenset({FIRST}))
    assert decide_candidates(TERMS, types, everything, TAG, struck) == (SECOND,)
    struck = StrikeOuts(types=frozenset(types))
    assert decide_candidates(TERMS, types, everything, TAG, struck) == ()


def test_build_refusal_error_every_reason_has_code_and_sentences():
    for refusal in Refusal:
        error = build_refusal_error(refusal)
        assert error.code == get_public_code(refusal)
        assert error.message_zh.endswith("。")
        assert error.message_en.endswith(".")
