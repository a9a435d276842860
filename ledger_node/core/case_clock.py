"""The clocks of a case: what must happen until when, and what happens by itself if it does not.

Step 10. A fold over a case's steps; moments become days in China. Spec: docs/spec/cases.md.

Invariants:
    * A case that nobody answered within five working days counts as accepted from its receipt
      (Administrative Licensing Law art. 32); a completion asked later than that changes nothing.
    * What is missing is said once and whole: a second completion is named as a breach.
    * Days in which a case is suspended do not count.
Not here: which step is possible (case.py), the days themselves (working_days.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from ledger_node.core.case import BEIJING, CaseEvent
from ledger_node.core.catalogue_words import DayUnit
from ledger_node.core.working_days import (
    Day,
    WorkCalendar,
    add_calendar_days,
    add_working_days,
    count_working_days,
)

ANSWER_DAYS: Final = 5  # art. 32: on the spot or within five days
DECIDE_DAYS: Final = 20  # art. 42, where an item names no other
EXTENSION_DAYS: Final = 10  # art. 42: once, with the approval of who heads the office
DELIVER_DAYS: Final = 10  # art. 44


class ClockKind(StrEnum):
    """What must happen."""

    ANSWER = "answer"  # accept, turn away, or ask for completion
    DECIDE_PROMISED = "decide_promised"
    DECIDE_STATUTORY = "decide_statutory"
    DELIVER = "deliver"


class ClockState(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"  # the case is suspended
    OVERDUE = "overdue"
    MET = "met"
    MISSED = "missed"  # it happened, but late


@dataclass(frozen=True, slots=True)
class CaseStep:
    """Something that happened to a case."""

    event: CaseEvent
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseLimits:
    """Limits of an item.

    Attributes:
        statutory_days, unit: None: twenty working days.
        promised_days: Working days; 0: the same day.
        extended: The extension was approved.
    """

    statutory_days: int | None
    unit: DayUnit
    promised_days: int
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock.

    Attributes:
        due: Last day; None while the case is suspended.
        done_on: Day it happened.
    """

    kind: ClockKind
    state: ClockState
    due: Day | None
    done_on: date | None


@dataclass(frozen=True, slots=True)
class CaseClocks:
    """All clocks of a case.

    Attributes:
        accepted_on: Day the limits run from; None before.
        deemed: Nobody answered in time: accepted from receipt.
        asked_again: A completion was asked a second time, which the law does not know.
        clocks: Those that began, in the order they began.
    """

    accepted_on: date | None
    deemed: bool
    asked_again: bool
    clocks: tuple[Clock, ...]


@dataclass(slots=True)
class _Course:
    """What the steps come to; only `_follow` writes it."""

    received_on: date
    accepted_on: date | None = None
    deemed: bool = False
    asked: int = 0
    answered_on: date | None = None
    waiting: bool = False
    suspended_on: date | None = None
    pauses: tuple[tuple[date, date], ...] = ()
    decided_on: date | None = None
    turned_away_on: date | None = None
    ended_on: date | None = None
    delivered_on: date | None = None


def compute_clocks(
    received_at: datetime,
    steps: Sequence[CaseStep],
    limits: CaseLimits,
    calendar: WorkCalendar,
    today: date,
) -> CaseClocks:
    """Clocks of a case on a day.

    Args:
        received_at: When the papers came in.
        steps: In order; only steps the case's table allows.
        today: Day in China.
    """
    course = _follow(received_at, steps, calendar, today)
    clocks = [_answer_clock(course, calendar, today)]
    if course.accepted_on is not None:
        clocks += _decide_clocks(course, course.accepted_on, limits, calendar, today)
    delivering = course.decided_on or course.turned_away_on
    if delivering is not None:
        due = add_working_days(calendar, delivering, DELIVER_DAYS)
        clocks.append(_clock(ClockKind.DELIVER, due, course.delivered_on, today))
    return CaseClocks(course.accepted_on, course.deemed, course.asked > 1, tuple(clocks))


def day_in_china(moment: datetime) -> date:
    """The day a moment falls on where the offices are."""
    return moment.astimezone(BEIJING).date()


def _follow(
    received_at: datetime, steps: Sequence[CaseStep], calendar: WorkCalendar, today: date
) -> _Course:
    course = _Course(day_in_china(received_at))
    for step in steps:
        day = day_in_china(step.at)
        _deem(course, calendar, day)
        _take(course, step.event, day)
    if course.ended_on is None:
        _deem(course, calendar, today)
    return course


def _deem(course: _Course, calendar: WorkCalendar, day: date) -> None:
    """Accepted from receipt once the days to answer are over and nobody answered."""
    if course.accepted_on is None and course.answered_on is None and not course.waiting:
        last = add_working_days(calendar, course.received_on, ANSWER_DAYS)
        if day > last.day:
            course.accepted_on, course.deemed = course.received_on, True


def _take(course: _Course, event: CaseEvent, day: date) -> None:
    match event:
        case CaseEvent.ASK_COMPLETION:
            course.asked += 1
            if not course.deemed:
                course.answered_on, course.waiting = day, True
        case CaseEvent.COMPLETE if course.waiting:
            course.received_on, course.answered_on, course.waiting = day, None, False
        case CaseEvent.ACCEPT:
            course.answered_on = course.answered_on or day
            course.accepted_on = course.accepted_on or day
        case CaseEvent.TURN_AWAY:
            course.answered_on = course.answered_on or day
            course.turned_away_on = course.ended_on = day
        case CaseEvent.SUSPEND:
            course.suspended_on = day
        case CaseEvent.RESUME if course.suspended_on is not None:
            course.pauses = (*course.pauses, (course.suspended_on, day))
            course.suspended_on = None
        case CaseEvent.GRANT | CaseEvent.REFUSE:
            course.decided_on = course.ended_on = day
        case CaseEvent.WITHDRAW:
            course.ended_on = day
        case CaseEvent.DELIVER:
            course.delivered_on = day
        case _:
            pass


def _answer_clock(course: _Course, calendar: WorkCalendar, today: date) -> Clock:
    due = add_working_days(calendar, course.received_on, ANSWER_DAYS)
    return _clock(ClockKind.ANSWER, due, course.answered_on or course.ended_on, today)


def _decide_clocks(
    course: _Course, accepted_on: date, limits: CaseLimits, calendar: WorkCalendar, today: date
) -> list[Clock]:
    statutory = DECIDE_DAYS if limits.statutory_days is None else limits.statutory_days
    unit = DayUnit.WORKING if limits.statutory_days is None else limits.unit
    extension = EXTENSION_DAYS if limits.extended else 0
    wanted = (
        (ClockKind.DECIDE_PROMISED, limits.promised_days + extension, DayUnit.WORKING),
        (ClockKind.DECIDE_STATUTORY, statutory + extension, unit),
    )
    if course.suspended_on is not None and course.ended_on is None:
        return [Clock(kind, ClockState.PAUSED, None, None) for kind, _, _ in wanted]
    return [
        _clock(kind, _extend(course, accepted_on, days, unit, calendar), course.ended_on, today)
        for kind, days, unit in wanted
    ]


def _extend(
    course: _Course, accepted_on: date, days: int, unit: DayUnit, calendar: WorkCalendar
) -> Day:
    """Last day of a limit, the pauses added: days after a suspension up to the day it ended."""
    if unit is DayUnit.CALENDAR:
        paused = sum(((until - after) // timedelta(days=1) for after, until in course.pauses), 0)
        return add_calendar_days(calendar, accepted_on, days + paused)
    counts = [count_working_days(calendar, after, until) for after, until in course.pauses]
    due = add_working_days(calendar, accepted_on, days + sum(each.days for each in counts))
    return Day(due.day, due.estimated or any(each.estimated for each in counts))


def _clock(kind: ClockKind, due: Day, done_on: date | None, today: date) -> Clock:
    if done_on is not None:
        state = ClockState.MET if done_on <= due.day else ClockState.MISSED
    else:
        state = ClockState.RUNNING if today <= due.day else ClockState.OVERDUE
    return Clock(kind, state, due, done_on)
