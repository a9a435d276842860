"""Stages of a case, every stage with every event, and the maps of other systems' states."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from ledger_node.core.canonical import UnexpectedShapeError
from ledger_node.core.case import (
    FINAL_STAGES,
    OPEN_STAGES,
    REASON_NEEDED,
    STATE_MAP_VERSION,
    CaseDraft,
    CaseEvent,
    CaseReasonMissingError,
    CaseStage,
    UnmappedStateError,
    advance_case,
    build_case_number,
    encode_case_draft,
    read_case_draft,
    read_state_map,
    write_day,
)
from ledger_node.core.errors import IllegalTransitionError, LedgerError
from ledger_node.core.sealed import Subject

# Written down again from the law's order of steps, not read from the table under test.
ALLOWED = {
    "received": "ask_completion accept turn_away withdraw",
    "completion_asked": "complete turn_away withdraw",
    "accepted": "review grant refuse withdraw",
    "under_review": "suspend recall grant refuse withdraw",
    "suspended": "resume withdraw",
    "not_accepted": "deliver",
    "granted": "deliver",
    "refused": "deliver",
    "withdrawn": "",
    "delivered": "",
}
PAIRS = list(itertools.product(CaseStage, CaseEvent))


@pytest.mark.parametrize(("stage", "event"), PAIRS)
def test_advance_case_moves_exactly_where_the_order_of_steps_allows(
    stage: CaseStage, event: CaseEvent
) -> None:
    if event.value in ALLOWED[stage.value].split():
        assert advance_case(stage, event, "理由") in CaseStage
    else:
        with pytest.raises(IllegalTransitionError):
            advance_case(stage, event, "理由")


def test_every_stage_is_reached_and_final_ones_are_left_by_nothing() -> None:
    assert len(PAIRS) == 10 * 12
    reached = {
        advance_case(stage, event, "理由")
        for stage, event in PAIRS
        if event.value in ALLOWED[stage.value].split()
    }
    assert reached == set(CaseStage)
    assert {"withdrawn", "delivered"} == FINAL_STAGES
    decided = {"not_accepted", "granted", "refused", "withdrawn", "delivered"}
    assert set(CaseStage) - decided == OPEN_STAGES


@pytest.mark.parametrize("event", sorted(REASON_NEEDED))
def test_event_that_needs_a_reason_is_refused_without_one(event: CaseEvent) -> None:
    stage = next(each for each in CaseStage if event.value in ALLOWED[each.value].split())
    with pytest.raises(CaseReasonMissingError):
        advance_case(stage, event, "  ")
    assert advance_case(stage, event, "材料不齐") in CaseStage


def test_state_without_a_row_is_refused_by_name_and_a_mapped_one_is_not() -> None:
    states = read_state_map(
        {"v": STATE_MAP_VERSION, "system": "hall", "states": {"TAKEN": "received"}}
    )
    assert states.stage_of("TAKEN") is CaseStage.RECEIVED
    with pytest.raises(UnmappedStateError) as refused:
        states.stage_of("PARKED")
    assert refused.value.fields["state"] == "PARKED"


@pytest.mark.parametrize("states", [{}, [], {"TAKEN": "nowhere"}, {"TAKEN": None}])
def test_state_map_that_maps_to_nothing_is_refused(states: object) -> None:
    with pytest.raises(LedgerError):
        read_state_map({"v": STATE_MAP_VERSION, "system": "hall", "states": states})  # type: ignore[dict-item]


def test_case_number_carries_the_day_in_china_and_four_digits() -> None:
    evening = datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)
    assert write_day(evening) == "20260302"
    assert write_day(evening + timedelta(seconds=1)) == "20260303"
    assert build_case_number("hall", "20260303", 7) == "hall-20260303-0007"
    assert build_case_number("hall", "20260303", 12345) == "hall-20260303-12345"


DRAFT = encode_case_draft(
    CaseDraft("ssc-query", Subject("passport", "E1", "Eve"), None, None, None, None, None, "已收件")
)


@pytest.mark.parametrize(
    ("member", "longest"), [("outlet", 32), ("window", 16), ("queue_number", 32), ("state", 64)]
)
def test_read_case_draft_refuses_what_its_column_would_not_hold(member: str, longest: int) -> None:
    fits = read_case_draft({**DRAFT, member: "A" * longest})
    assert getattr(fits, member) == "A" * longest
    with pytest.raises(UnexpectedShapeError):
        read_case_draft({**DRAFT, member: "A" * (longest + 1)})
