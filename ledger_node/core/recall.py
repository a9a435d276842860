"""Recall: what a city does about decisions that stood on a material found false. Pure.

Step 10 at every city that relied on it. Spec: docs/spec/cases.md, "Recall".

Invariants:
    * A recalled decision leaves the worklist only by a result with a reason.
    * Acknowledging is not settling: both have a clock of their own.
Not here: which decisions are recalled (consequence.py), what became of a material (status.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from ledger_node.core.errors import IllegalTransitionError, MalformedInputError
from ledger_node.core.working_days import Day, WorkCalendar, add_working_days

ACKNOWLEDGE_DAYS: Final = 1
SETTLE_DAYS: Final = 20


class RecallReasonMissingError(MalformedInputError):
    """A recalled decision is settled with a reason; it stands in the case's file."""

    code = "recall_reason_missing"


class RecallState(StrEnum):
    """Where a recalled decision stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    UPHELD = "upheld"  # it does not rest on the material
    REVERSED = "reversed"


class RecallEvent(StrEnum):
    """What is done about it."""

    ACKNOWLEDGE = "acknowledge"
    UPHOLD = "uphold"
    REVERSE = "reverse"
    NEWS_TAKEN_BACK = "news_taken_back"  # the objection was rejected, the withdrawal corrected


_S, _E = RecallState, RecallEvent
RECALL_TRANSITIONS: Final[Mapping[RecallState, Mapping[RecallEvent, RecallState]]] = {
    _S.OPEN: {_E.ACKNOWLEDGE: _S.ACKNOWLEDGED, _E.NEWS_TAKEN_BACK: _S.UPHELD},
    _S.ACKNOWLEDGED: {
        _E.UPHOLD: _S.UPHELD,
        _E.REVERSE: _S.REVERSED,
        _E.NEWS_TAKEN_BACK: _S.UPHELD,
    },
    _S.UPHELD: {},
    _S.REVERSED: {},
}
_REASON_NEEDED: Final = frozenset({_E.UPHOLD, _E.REVERSE})


@dataclass(frozen=True, slots=True)
class RecallClock:
    """Last day to acknowledge and to settle; the one that counts now, and whether it is over."""

    acknowledge_by: Day
    settle_by: Day
    overdue: bool


def advance_recall(state: RecallState, event: RecallEvent, reason: str = "") -> RecallState:
    """State after an event.

    Raises:
        IllegalTransitionError: The state does not know the event.
        RecallReasonMissingError: The result needs a reason.
    """
    after = RECALL_TRANSITIONS[state].get(event)
    if after is None:
        raise IllegalTransitionError("召回", state.value, event.value)
    if event in _REASON_NEEDED and not reason.strip():
        raise RecallReasonMissingError(
            "请写明维持或撤销原决定的理由。",
            "State why the decision stands or is reversed.",
            field="reason",
        )
    return after


def compute_recall_clock(
    calendar: WorkCalendar, known_on: date, state: RecallState, today: date
) -> RecallClock:
    """Clock of a recalled decision whose bad news this city has known since `known_on`."""
    acknowledge_by = add_working_days(calendar, known_on, ACKNOWLEDGE_DAYS)
    settle_by = add_working_days(calendar, known_on, SETTLE_DAYS)
    waits = {RecallState.OPEN: acknowledge_by, RecallState.ACKNOWLEDGED: settle_by}.get(state)
    return RecallClock(acknowledge_by, settle_by, waits is not None and today > waits.day)
