"""Working days of the offices: what the yearly notices say, and counting by them.

Step 10. Pure: the tables come from an edge. Spec: docs/spec/cases.md, "Days".

Invariants:
    * The day something happened on is never counted (Civil Code art. 201).
    * A count that touches a year not yet announced is marked as estimated, never silently guessed.
Not here: where the tables come from (edges/calendar.py), which limit an item has (case_clock.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from ledger_node.core.errors import MalformedInputError

MAX_COUNT: Final = 3660
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


class DayCountError(MalformedInputError):
    """A limit is negative, longer than ten years, or runs beyond the calendar."""

    code = "day_count"

    def __init__(self) -> None:
        super().__init__(
            f"期限应在 0 至 {MAX_COUNT} 天之间，且不超出日历范围。",
            f"A limit has 0 to {MAX_COUNT} days and stays inside the calendar.",
        )


@dataclass(frozen=True, slots=True)
class YearTable:
    """One year's notice: weekdays that are off, and days of a weekend that are worked."""

    off: frozenset[date]
    worked: frozenset[date]


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was counted to; `estimated` while a year on the way is not announced."""

    day: date
    estimated: bool


@dataclass(frozen=True, slots=True)
class DayCount:
    """A number of days; `estimated` as in `Day`."""

    days: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Announced years; in any other year weekends are off and weekdays are worked, estimated."""

    years: Mapping[int, YearTable]

    def is_announced(self, day: date) -> bool:
        """Whether the notice of that year is known."""
        return day.year in self.years

    def is_working_day(self, day: date) -> bool:
        """Whether offices are open."""
        table = self.years.get(day.year)
        if table is not None and day in table.off:
            return False
        if table is not None and day in table.worked:
            return True
        return day.weekday() < _SATURDAY


def add_working_days(calendar: WorkCalendar, start: date, count: int) -> Day:
    """Last day of a limit of `count` working days that begins after `start`; 0: `start` itself.

    Raises:
        DayCountError: Negative, longer than `MAX_COUNT`, or beyond year 9999.
    """
    _demand_count(count)
    day, estimated = start, not calendar.is_announced(start)
    try:
        while count:
            day += _DAY
            estimated = estimated or not calendar.is_announced(day)
            count -= calendar.is_working_day(day)
    except OverflowError:
        raise DayCountError from None
    return Day(day, estimated)


def add_calendar_days(calendar: WorkCalendar, start: date, count: int) -> Day:
    """Last day of a limit of `count` days; one that ends on a day off ends on the next working day
    (Civil Code art. 203).

    Raises:
        DayCountError: As in `add_working_days`.
    """
    _demand_count(count)
    try:
        day = start + count * _DAY
        estimated = not calendar.is_announced(day)
        while count and not calendar.is_working_day(day):
            day += _DAY
            estimated = estimated or not calendar.is_announced(day)
    except OverflowError:
        raise DayCountError from None
    return Day(day, estimated)


def count_working_days(calendar: WorkCalendar, after: date, until: date) -> DayCount:
    """Working days after `after`, up to and including `until`; none if it is not later."""
    days, estimated, day = 0, False, after
    while day < until:
        day += _DAY
        days += calendar.is_working_day(day)
        estimated = estimated or not calendar.is_announced(day)
    return DayCount(days, estimated)


def _demand_count(count: int) -> None:
    if not 0 <= count <= MAX_COUNT:
        raise DayCountError
