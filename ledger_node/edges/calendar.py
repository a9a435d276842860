"""Days off and worked weekends as the State Council's notices have them, by `chinese-calendar`."""

from __future__ import annotations

from functools import cache
from typing import Final

from chinese_calendar import constants  # type: ignore[import-untyped]

from ledger_node.core.working_days import WorkCalendar, YearTable

FIRST_YEAR: Final = 2019
_SATURDAY: Final = 5


@cache
def load_work_calendar() -> WorkCalendar:
    """Every announced year from `FIRST_YEAR` on that the library knows."""
    off = [day for day in constants.holidays if day.weekday() < _SATURDAY]
    worked = [day for day in constants.workdays if day.weekday() >= _SATURDAY]
    years = {day.year for day in (*off, *worked) if day.year >= FIRST_YEAR}
    return WorkCalendar(
        {
            year: YearTable(
                frozenset(day for day in off if day.year == year),
                frozenset(day for day in worked if day.year == year),
            )
            for year in sorted(years)
        }
    )
