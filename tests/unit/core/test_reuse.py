"""The reuse run's tables, and the smallest ask."""

from __future__ import annotations

import itertools

import pytest

from ledger_node.core.catalogue import Necessity, Need, ServiceItem
from ledger_node.core.errors import IllegalTransitionError
from ledger_node.core.find_messages import Candidate, Grade
from ledger_node.core.needs import (
    NeedState,
    choose_candidates,
    list_need_statuses,
    list_types_to_ask,
)
from ledger_node.core.reuse import (
    PURSUED,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    WAITED_FOR,
    Choice,
    RunEvent,
    RunState,
    StepEvent,
    StepState,
    advance_run,
    advance_step,
    decide_choice,
    decide_run_event,
)
from ledger_node.core.status import Standing
from ledger_node.core.types import CityId, Commitment
from ledger_node.seed import load_catalogue

WUHOU = CityId("510107")


def need(*types: str, condition: str | None = None, necessity: str = "required") -> Need:
    return Need("要", "need", types, None, Necessity(necessity), False, False, condition)


def item(*needs: Need) -> ServiceItem:
    return ServiceItem("i", "事", "item", ("l",), needs)


def candidate(kind: str, mark: int, **changes: object) -> Candidate:
    values: dict[str, object] = {
        "commitment": Commitment(bytes([mark]) * 32),
        "type_code": kind,
        "type_version": 1,
        "grade": Grade.A,
        "standing": Standing.ACTIVE,
        "valid_from": None,
        "valid_until": None,
        "leaf_index": mark,
        "document_count": 1,
    }
    return Candidate(**{**values, **changes})  # type: ignore[arg-type]


def test_transitions_every_state_has_a_row_and_final_states_no_event() -> None:
    assert set(RUN_TRANSITIONS) == set(RunState)
    assert set(STEP_TRANSITIONS) == set(StepState)
    assert {s for s, events in RUN_TRANSITIONS.items() if not events} == {"closed", "abandoned"}
    final = {s for s, events in STEP_TRANSITIONS.items() if not events}
    assert final == {StepState.EMPTY, StepState.REFUSED, StepState.DECIDED}


def test_transitions_every_step_state_is_reached_from_the_consent() -> None:
    reached, new = {StepState.CONSENTED}, {StepState.CONSENTED}
    while new:
        new = {after for state in new for after in STEP_TRANSITIONS[state].values()} - reached
        reached |= new
    assert reached == set(StepState)


def test_transitions_what_is_waited_for_can_run_out_of_time() -> None:
    for state in WAITED_FOR:
        assert StepEvent.TIME_OVER in STEP_TRANSITIONS[state]
    assert set(WAITED_FOR) < set(PURSUED)


@pytest.mark.parametrize("state", list(StepState))
def test_advance_step_event_not_in_the_table_is_refused(state: StepState) -> None:
    for event in set(StepEvent) - set(STEP_TRANSITIONS[state]):
        with pytest.raises(IllegalTransitionError):
            advance_step(state, event)


@pytest.mark.parametrize("state", list(RunState))
def test_advance_run_event_not_in_the_table_is_refused(state: RunState) -> None:
    for event in set(RunEvent) - set(RUN_TRANSITIONS[state]):
        with pytest.raises(IllegalTransitionError):
            advance_run(state, event)


def test_decide_run_event_ready_only_when_no_step_is_waited_for() -> None:
    for pair in itertools.product(StepState, repeat=2):
        event = decide_run_event(RunState.RUNNING, pair)
        assert (event is None) == any(state in WAITED_FOR for state in pair), pair


def test_decide_run_event_closes_after_a_decision_and_never_before_all_are_decided() -> None:
    for pair in itertools.product(StepState, repeat=2):
        event = decide_run_event(RunState.READY, pair)
        undecided = {StepState.ARRIVED, StepState.DECIDING, *WAITED_FOR}
        closes = StepState.DECIDED in pair and not undecided & set(pair)
        assert (event is RunEvent.ALL_DECIDED) == closes, pair


def test_decide_choice_against_the_verdict_needs_a_reason() -> None:
    assert decide_choice(use=True, holds=True) is Choice.RELIED
    assert decide_choice(use=True, holds=False) is Choice.OVERRIDDEN
    assert decide_choice(use=False, holds=True) is Choice.DECLINED
    assert decide_choice(use=False, holds=False) is Choice.REJECTED
    assert [each for each in Choice if each.needs_reason] == ["overridden", "declined"]


def test_list_need_statuses_each_need_says_where_it_stands() -> None:
    wanted = item(
        need("resident-id"),
        need("marriage-cert", condition="married"),
        need("hpf-cert"),
        need("realestate-cert", "house-cert-old"),
        need("income-cert", necessity="defer"),
        need("photo", necessity="optional"),
    )
    before = list_need_statuses(wanted, (), ("hpf-cert",), identified=True)
    assert [each.state for each in before] == [
        NeedState.IDENTIFIED,
        NeedState.NOT_NEEDED,
        NeedState.HELD_HERE,
        NeedState.UNKNOWN,
        NeedState.UNKNOWN,
        NeedState.OPTIONAL,
    ]
    assert list_types_to_ask(before) == ("realestate-cert", "house-cert-old", "income-cert")
    found = {WUHOU: ("house-cert-old",)}
    agreed = ("realestate-cert", "house-cert-old")
    after = list_need_statuses(
        wanted, ("married",), ("hpf-cert",), identified=False, found=found, agreed=agreed
    )
    assert [each.state for each in after] == [
        NeedState.NOT_AGREED,
        NeedState.NOT_AGREED,
        NeedState.HELD_HERE,
        NeedState.HELD_ELSEWHERE,
        NeedState.NOT_AGREED,
        NeedState.OPTIONAL,
    ]
    assert [each.of_absent_person for each in before] == [False] * 6
    assert [each.of_absent_person for each in after] == [True] + [False] * 5
    assert (after[3].city, after[3].type_code, after[4].later) == (WUHOU, "house-cert-old", True)


def test_list_need_statuses_agreed_and_nowhere_must_be_asked() -> None:
    (status,) = list_need_statuses(
        item(need("hpf-cert")), (), (), identified=True, found={}, agreed=("hpf-cert",)
    )
    assert status.state is NeedState.MUST_ASK


def test_choose_candidates_takes_one_per_need_and_the_best_of_them() -> None:
    needs = (need("hpf-cert"), need("marriage-cert", "divorce-cert"))
    offered = [
        candidate("hpf-cert", 1, grade=Grade.C),
        candidate("hpf-cert", 2, grade=Grade.B),
        candidate("hpf-cert", 3, grade=Grade.B, valid_until="2030-01-01"),
        candidate("marriage-cert", 4, standing=Standing.WITHDRAWN, leaf_index=40),
        candidate("divorce-cert", 5, standing=Standing.SUPERSEDED, leaf_index=50),
        candidate("divorce-cert", 6),
        candidate("divorce-cert", 7, leaf_index=None),
        candidate("photo", 8),
    ]
    assert [each.leaf_index for each in choose_candidates(needs, offered)] == [2, 6]


def test_choose_candidates_one_paper_may_meet_two_needs_and_is_asked_for_once() -> None:
    needs = (need("a"), need("b", "a"))
    chosen = choose_candidates(needs, [candidate("a", 1), candidate("b", 2)])
    assert [each.type_code for each in chosen] == ["a"]


def test_list_types_to_ask_every_item_of_the_catalogue_has_a_stated_need() -> None:
    for each in load_catalogue().items.values():
        statuses = list_need_statuses(each, (), (), identified=True)
        assert len(statuses) == len(each.needs)
        assert all(status.state is not NeedState.MUST_ASK for status in statuses)
