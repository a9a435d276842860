"""The private body of a visit: written and read back, and nothing else is read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ledger_node.core.errors import LedgerError
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantorKind
from ledger_node.core.types import Commitment
from ledger_node.core.visit import IdentifiedBy, Visit, encode_visit, parse_visit

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
