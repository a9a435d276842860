"""A reuse run: one person at one window, one service, and what each asked city came to.

Steps 6 to 9 of the data flow in one go: after the one signature the node goes on by itself. The
run is a row, and so is its step with each city; both move by the tables below and by nothing else.

Invariants:
    * A silent or refusing city ends its own step; no step waits for another city's.
    * No event leaves a final state. What arrives late (LATE) still counts.
    * A decision is written down before its receipt is filed, so that a crash between the two is
      taken up, and a second decision on the same step is refused.
Not here: effects and their order (flows/reusing.py), what is asked for (needs.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from ledger_node.core.errors import IllegalTransitionError

STEP_LIMIT_S: Final = 300
"""How long a city may take before the window is told so, seconds (domain.md section 2)."""


class RunState(StrEnum):
    """A run as the window sees it."""

    OPEN = "open"  # the person is identified; the service is being chosen
    ASKED = "asked"  # the screen is turned to the person
    RUNNING = "running"  # signed; cities are being asked
    READY = "ready"  # every city's step came to something
    CLOSED = "closed"  # everything that came was decided
    ABANDONED = "abandoned"  # given up before anything was decided


class RunEvent(StrEnum):
    """What happens to a run."""

    CONSENT_ASKED = "consent_asked"
    CONSENT_AT_HOME = "consent_at_home"  # given on the own pages before: nobody signs again
    CONSENT_DROPPED = "consent_dropped"  # refused by the person, or its time ran out
    CONSENT_SIGNED = "consent_signed"
    STEPS_ENDED = "steps_ended"
    ASKED_AGAIN = "asked_again"  # a silent city
    ALL_DECIDED = "all_decided"
    GIVEN_UP = "given_up"


_R, _RE = RunState, RunEvent
RUN_TRANSITIONS: Mapping[RunState, Mapping[RunEvent, RunState]] = {
    _R.OPEN: {
        _RE.CONSENT_ASKED: _R.ASKED,
        _RE.CONSENT_AT_HOME: _R.RUNNING,
        _RE.ALL_DECIDED: _R.CLOSED,  # everything needed is held here, or nothing is needed
        _RE.GIVEN_UP: _R.ABANDONED,
    },
    _R.ASKED: {
        _RE.CONSENT_DROPPED: _R.OPEN,
        _RE.CONSENT_SIGNED: _R.RUNNING,
        _RE.GIVEN_UP: _R.ABANDONED,
    },
    _R.RUNNING: {_RE.STEPS_ENDED: _R.READY},
    _R.READY: {
        _RE.ASKED_AGAIN: _R.RUNNING,
        _RE.ALL_DECIDED: _R.CLOSED,
        _RE.GIVEN_UP: _R.ABANDONED,
    },
    _R.CLOSED: {},
    _R.ABANDONED: {},
}


class StepState(StrEnum):
    """A run's step with one city: one grant, at most one release, at most one receipt."""

    CONSENTED = "consented"  # the person signed for this city
    ASKING = "asking"  # the find is stored; it is sent until it is answered
    EMPTY = "empty"  # the city has nothing of what is needed
    SILENT = "silent"  # no answer in time
    FOUND = "found"  # what it has is stored
    RECORDING = "recording"  # the grant is on its way to the chain
    REQUESTED = "requested"  # the release request is stored
    ARRIVED = "arrived"  # fetched, checked, acknowledged
    LATE = "late"  # took longer than the limit; it may still arrive
    REFUSED = "refused"  # by the city, by the chain or by our own checks; the code says which
    DECIDING = "deciding"  # the decision is stored, its receipt not yet
    DECIDED = "decided"


class StepEvent(StrEnum):
    """What happens to a step."""

    FIND_STORED = "find_stored"
    NOTHING_FOUND = "nothing_found"
    FOUND_SOMETHING = "found_something"
    NO_ANSWER = "no_answer"
    ASKED_AGAIN = "asked_again"
    RECORD_STORED = "record_stored"
    REQUEST_STORED = "request_stored"
    RELEASE_ARRIVED = "release_arrived"
    REFUSED = "refused"
    TIME_OVER = "time_over"
    DECISION_STORED = "decision_stored"
    RECEIPT_FILED = "receipt_filed"
    RECEIPT_REFUSED = "receipt_refused"  # bad news came in between: decide again


_S, _SE = StepState, StepEvent
STEP_TRANSITIONS: Mapping[StepState, Mapping[StepEvent, StepState]] = {
    _S.CONSENTED: {_SE.FIND_STORED: _S.ASKING, _SE.REFUSED: _S.REFUSED, _SE.TIME_OVER: _S.SILENT},
    _S.ASKING: {
        _SE.NOTHING_FOUND: _S.EMPTY,
        _SE.FOUND_SOMETHING: _S.FOUND,
        _SE.NO_ANSWER: _S.SILENT,
        _SE.REFUSED: _S.REFUSED,
        _SE.TIME_OVER: _S.SILENT,
    },
    _S.EMPTY: {},
    _S.SILENT: {_SE.ASKED_AGAIN: _S.CONSENTED},
    _S.FOUND: {_SE.RECORD_STORED: _S.RECORDING, _SE.REFUSED: _S.REFUSED, _SE.TIME_OVER: _S.SILENT},
    _S.RECORDING: {
        _SE.REQUEST_STORED: _S.REQUESTED,
        _SE.REFUSED: _S.REFUSED,
        _SE.TIME_OVER: _S.LATE,
    },
    _S.REQUESTED: {
        _SE.RELEASE_ARRIVED: _S.ARRIVED,
        _SE.REFUSED: _S.REFUSED,
        _SE.TIME_OVER: _S.LATE,
    },
    _S.LATE: {
        _SE.REQUEST_STORED: _S.REQUESTED,
        _SE.RELEASE_ARRIVED: _S.ARRIVED,
        _SE.REFUSED: _S.REFUSED,
    },
    _S.ARRIVED: {_SE.DECISION_STORED: _S.DECIDING},
    _S.DECIDING: {_SE.RECEIPT_FILED: _S.DECIDED, _SE.RECEIPT_REFUSED: _S.ARRIVED},
    _S.REFUSED: {},
    _S.DECIDED: {},
}

PURSUED: Final = (_S.CONSENTED, _S.ASKING, _S.FOUND, _S.RECORDING, _S.REQUESTED, _S.LATE)
"""States the node moves on by itself; DECIDING as well (flows/deciding.py)."""
WAITED_FOR: Final = (_S.CONSENTED, _S.ASKING, _S.FOUND, _S.RECORDING, _S.REQUESTED)
"""States the window waits for; the time limit ends them."""
UNDECIDED: Final = (_S.ARRIVED, _S.DECIDING)


class Choice(StrEnum):
    """What a clerk decided about one material."""

    RELIED = "relied"  # green, accepted: stands in the receipt
    OVERRIDDEN = "overridden"  # red or pending, used all the same: never in a receipt
    DECLINED = "declined"  # green, not used
    REJECTED = "rejected"  # red or pending, not used

    @property
    def needs_reason(self) -> bool:
        """Whether the choice goes against the verdict: it needs a reason and is counted."""
        return self in (Choice.OVERRIDDEN, Choice.DECLINED)


def decide_choice(use: bool, holds: bool) -> Choice:
    """What using or not using a material means under its verdict."""
    if use:
        return Choice.RELIED if holds else Choice.OVERRIDDEN
    return Choice.DECLINED if holds else Choice.REJECTED


def advance_run(state: RunState, event: RunEvent) -> RunState:
    """State after an event.

    Raises:
        IllegalTransitionError: The table has no such transition.
    """
    after = RUN_TRANSITIONS[state].get(event)
    if after is None:
        raise IllegalTransitionError("reuse run", state.value, event.value)
    return after


def advance_step(state: StepState, event: StepEvent) -> StepState:
    """State after an event.

    Raises:
        IllegalTransitionError: The table has no such transition.
    """
    after = STEP_TRANSITIONS[state].get(event)
    if after is None:
        raise IllegalTransitionError("reuse step", state.value, event.value)
    return after


def decide_run_event(state: RunState, steps: Collection[StepState]) -> RunEvent | None:
    """What the steps together mean for the run; None while nothing changes.

    A LATE step does not hold up the run: it is named, and what it brings can still be decided.
    """
    if state is RunState.RUNNING and not any(step in WAITED_FOR for step in steps):
        return RunEvent.STEPS_ENDED
    if (
        state is RunState.READY
        and StepState.DECIDED in steps
        and not any(step in UNDECIDED or step in WAITED_FOR for step in steps)
    ):
        return RunEvent.ALL_DECIDED
    return None
