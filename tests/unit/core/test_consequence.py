"""The consequence table: whole, equal to its page, and never milder together than apart."""

import itertools
import re
from datetime import date
from pathlib import Path

import pytest

from ledger_node.core.case import FINAL_STAGES, OPEN_STAGES, CaseStage
from ledger_node.core.consequence import (
    CONSEQUENCES,
    Action,
    Change,
    Consequence,
    Copy,
    decide_consequence,
    list_changes,
)
from ledger_node.core.errors import IllegalTransitionError
from ledger_node.core.recall import (
    RECALL_TRANSITIONS,
    RecallEvent,
    RecallReasonMissingError,
    RecallState,
    advance_recall,
    compute_recall_clock,
)
from ledger_node.core.status import Standing
from ledger_node.edges.calendar import load_work_calendar

PAGE = Path(__file__).parents[3] / "docs" / "spec" / "cases.md"
EVERY = list(itertools.product(Change, CaseStage))


def test_consequences_have_every_change_in_every_stage():
    assert [(change, stage) for change in CONSEQUENCES for stage in CONSEQUENCES[change]] != []
    assert {(c, s) for c in CONSEQUENCES for s in CONSEQUENCES[c]} == set(EVERY)
    assert len(EVERY) == 70


def test_consequences_are_those_of_the_page():
    text = PAGE.read_text("utf-8")
    table = text[text.index("| Change |") :].split("\n\n")[0].splitlines()
    stages = [re.findall(r"`(\w+)`", cell) for cell in table[0].split("|")[2:-1]]
    found = {}
    for line in table[2:]:
        cells = line.split("|")[1:-1]
        change = Change(re.findall(r"`(\w+)`", cells[0])[0])
        for names, cell in zip(stages, cells[1:], strict=True):
            action, copy = re.findall(r"\w+", cell)
            for name in names:
                found[change, CaseStage(name)] = Consequence(Action(action), Copy(copy))
    assert found == {(c, s): CONSEQUENCES[c][s] for c, s in EVERY}


@pytest.mark.parametrize(("change", "stage"), EVERY)
def test_decide_consequence_keeps_what_holds_for_every_pair(change, stage):
    result = decide_consequence((change,), stage)
    assert result == CONSEQUENCES[change][stage]
    if result.blocks_decision:
        assert stage in OPEN_STAGES
    if result.recalls:
        assert stage in (CaseStage.GRANTED, CaseStage.REFUSED, CaseStage.DELIVERED)
    if stage in OPEN_STAGES:
        assert result.blocks_decision
    if stage in FINAL_STAGES and stage is not CaseStage.DELIVERED:
        assert result.action in (Action.NOTHING, Action.NOTE)
    if result.copy is Copy.DESTROY:  # a filed copy of a decided case is never destroyed
        assert change in (Change.ERASED, Change.REVOKED)
        assert stage not in (CaseStage.GRANTED, CaseStage.REFUSED, CaseStage.DELIVERED)


@pytest.mark.parametrize("stage", CaseStage)
def test_decide_consequence_of_any_changes_is_the_gravest_and_the_strictest_copy(stage):
    order = [Copy.KEEP, Copy.KEEP_FILED, Copy.DESTROY]
    for first, second in itertools.combinations(Change, 2):
        both = decide_consequence((first, second), stage)
        alone = [CONSEQUENCES[first][stage], CONSEQUENCES[second][stage]]
        assert both.copy is max((each.copy for each in alone), key=order.index)
        acting = [each.action for each in alone if each.action is not Action.NOTHING]
        assert both.action is (acting[0] if acting else Action.NOTHING)


def test_decide_consequence_own_use_and_no_change_mean_nothing():
    nothing = Consequence(Action.NOTHING, Copy.KEEP)
    for stage in CaseStage:
        assert decide_consequence((), stage) == nothing
        assert decide_consequence((Change.SPENT,), stage, own_use=True) == nothing
    both = decide_consequence((Change.WITHDRAWN, Change.SPENT), CaseStage.DELIVERED, own_use=True)
    assert both.action is Action.REEXAMINE


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("revoked", [False, True])
@pytest.mark.parametrize("expired", [False, True])
def test_list_changes_names_everything_gravest_first(standing, revoked, expired):
    changes = list_changes(standing, revoked=revoked, expired=expired)
    assert list(changes) == sorted(changes, key=list(Change).index)
    assert (Change.REVOKED in changes) is revoked
    assert (Change.EXPIRED in changes) is expired
    told = {each.value for each in changes} - {"revoked", "expired"}
    assert told == ({standing.value} if standing is not Standing.ACTIVE else set())


@pytest.mark.parametrize(
    ("state", "event"), list(itertools.product(RecallState, RecallEvent)), ids=str
)
def test_advance_recall_every_pair_follows_the_table(state, event):
    after = RECALL_TRANSITIONS[state].get(event)
    if after is None:
        with pytest.raises(IllegalTransitionError):
            advance_recall(state, event, "理由")
    else:
        assert advance_recall(state, event, "理由") is after


@pytest.mark.parametrize("event", [RecallEvent.UPHOLD, RecallEvent.REVERSE])
def test_advance_recall_result_without_reason_raises(event):
    with pytest.raises(RecallReasonMissingError):
        advance_recall(RecallState.ACKNOWLEDGED, event, "  ")


def test_compute_recall_clock_counts_each_wait_by_itself():
    calendar, known = load_work_calendar(), date(2026, 3, 6)  # a Friday
    opened = compute_recall_clock(calendar, known, RecallState.OPEN, date(2026, 3, 9))
    assert (opened.acknowledge_by.day, opened.settle_by.day) == (
        date(2026, 3, 9),
        date(2026, 4, 3),
    )
    assert not opened.overdue
    late = date(2026, 3, 10)
    assert compute_recall_clock(calendar, known, RecallState.OPEN, late).overdue
    assert not compute_recall_clock(calendar, known, RecallState.ACKNOWLEDGED, late).overdue
    later = date(2026, 4, 7)
    assert compute_recall_clock(calendar, known, RecallState.ACKNOWLEDGED, later).overdue
    assert not compute_recall_clock(calendar, known, RecallState.UPHELD, later).overdue
