"""The private body of a visit: written and read back, and nothing else is read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ledger_node.core.errors import LedgerError
from ledger_node.core.reuse import STEP_LIMIT_S
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantBasis, Grantor, GrantorKind, Terms, TypeGrant
from ledger_node.core.types import Address, CityId, Commitment, Salt
from ledger_node.core.visit import (
    IdentifiedBy,
    Visit,
    encode_visit,
    may_use_at_window,
    parse_visit,
)

PERSON = Subject("cn-resident-id", "510107199003070049", "何雨晴")
VISIT = Visit(
    person=PERSON,
    means=IdentifiedBy.CARD,
    device="sim",
    identified_at_s=1_772_000_000,
    by=GrantorKind.SELF,
    agent=None,
    agent_read=False,
    mandate=None,
    item=None,
    conditions=(),
    case="W20260302-0A1B2C3D",
    asked=(),
    papers=(),
)


def test_parse_visit_what_was_encoded_comes_back() -> None:
    whole = replace(
        VISIT,
        by=GrantorKind.AGENT,
        agent=Subject("passport", "E12345678", "LI WEI"),
        agent_read=True,
        mandate=Commitment(b"m" * 32),
        item="hpf-loan-remote",
        conditions=("agent", "married"),
        asked=("hpf-cert",),
        papers=("0b9c5d2e-0000-4000-8000-000000000000",),
    )
    for visit in (VISIT, whole):
        assert parse_visit(encode_visit(visit)) == visit


@pytest.mark.parametrize("member", ["person", "means", "by", "case", "v", "papers"])
def test_parse_visit_missing_member_is_refused(member: str) -> None:
    value = json.loads(encode_visit(VISIT))
    del value[member]
    with pytest.raises(LedgerError):
        parse_visit(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def test_read_by_device_counts_the_card_of_whoever_acts() -> None:
    assert VISIT.read_by_device
    assert not replace(VISIT, means=IdentifiedBy.TYPED).read_by_device
    assert not replace(VISIT, means=IdentifiedBy.SYSTEM).read_by_device
    agent = replace(VISIT, by=GrantorKind.AGENT, agent=PERSON)
    assert not agent.read_by_device
    assert replace(agent, agent_read=True).read_by_device


TERMS = Terms(
    salt=Salt(b"s" * 32),
    chain_id=7107,
    grants=Address(b"g" * 20),
    recording=CityId("510700"),
    releasing=CityId("510107"),
    receiving=CityId("510700"),
    subject=Commitment(b"p" * 32),
    grantor=Grantor(GrantorKind.SELF, None),
    materials=None,
    types=(TypeGrant("hpf-cert", ("number", "issuer"), True),),
    item=Commitment(b"i" * 32),
    case=Commitment(b"c" * 32),
    not_before_s=1_000,
    not_after_s=1_000_000,
    uses=1,
    basis=GrantBasis.PASSKEY,
    text="consent/zh-en/1",
)
MANDATE = Commitment(b"m" * 32)
SHORT = (TypeGrant("hpf-cert", ("number",), True), TypeGrant("other", ("number", "issuer"), True))


def may(terms: Terms = TERMS, visit: Visit = VISIT, now_s: int = 2_000) -> bool:
    return may_use_at_window(terms, visit, ("number", "issuer"), CityId("510700"), now_s)


def test_may_use_at_window_what_the_person_gave_itself_for_this_city_is_enough() -> None:
    assert may()
    assert may(now_s=1_000)
    assert may(now_s=1_000_000 - STEP_LIMIT_S - 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"recording": CityId("133100")},
        {"receiving": CityId("133100")},
        {"grantor": Grantor(GrantorKind.AGENT, MANDATE)},
        {"grantor": None},
        {"materials": (MANDATE,)},
        {"types": SHORT},
        {"types": (TypeGrant("hpf-cert", ("number", "issuer"), False),)},
        {"not_before_s": 2_001},
        {"not_after_s": 2_000 + STEP_LIMIT_S},
    ],
)
def test_may_use_at_window_anything_else_wants_a_signature(changes: dict[str, object]) -> None:
    assert not may(replace(TERMS, **changes))  # type: ignore[arg-type]


def test_may_use_at_window_for_who_acts_for_another_wants_a_signature() -> None:
    assert not may(visit=replace(VISIT, by=GrantorKind.GUARDIAN, agent=PERSON))
