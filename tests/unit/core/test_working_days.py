"""Working days, against the State Council's notices of three years typed in by hand."""

from datetime import date, timedelta

import pytest

from ledger_node.core.working_days import (
    DayCountError,
    WorkCalendar,
    add_calendar_days,
    add_working_days,
    count_working_days,
)
from ledger_node.edges.calendar import load_work_calendar

CALENDAR = load_work_calendar()
UNKNOWN = WorkCalendar({})


def span(first, last):
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return {begin + timedelta(days=n) for n in range((end - begin).days + 1)}


def days(*texts):
    return {date.fromisoformat(text) for text in texts}


# year -> (days off, weekend days worked)
# 国办发明电〔2023〕7号、〔2024〕12号、〔2025〕7号
NOTICES = {
    2024: (
        span("2024-01-01", "2024-01-01")
        | span("2024-02-10", "2024-02-17")
        | span("2024-04-04", "2024-04-06")
        | span("2024-05-01", "2024-05-05")
        | span("2024-06-10", "2024-06-10")
        | span("2024-09-15", "2024-09-17")
        | span("2024-10-01", "2024-10-07"),
        days("2024-02-04", "2024-02-18", "2024-04-07", "2024-04-28", "2024-05-11")
        | days("2024-09-14", "2024-09-29", "2024-10-12"),
    ),
    2025: (
        span("2025-01-01", "2025-01-01")
        | span("2025-01-28", "2025-02-04")
        | span("2025-04-04", "2025-04-06")
        | span("2025-05-01", "2025-05-05")
        | span("2025-05-31", "2025-06-02")
        | span("2025-10-01", "2025-10-08"),
        days("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
    ),
    2026: (
        span("2026-01-01", "2026-01-03")
        | span("2026-02-15", "2026-02-23")
        | span("2026-04-04", "2026-04-06")
        | span("2026-05-01", "2026-05-05")
        | span("2026-06-19", "2026-06-21")
        | span("2026-09-25", "2026-09-27")
        | span("2026-10-01", "2026-10-07"),
        days("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
    ),
}


def is_worked_by_notice(day):
    off, worked = NOTICES[day.year]
    return day in worked or (day.weekday() < 5 and day not in off)


@pytest.mark.parametrize("year", NOTICES)
def test_is_working_day_agrees_with_the_notice_on_every_day_of_the_year(year):
    every = span(f"{year}-01-01", f"{year}-12-31")
    wrong = [day for day in every if CALENDAR.is_working_day(day) != is_worked_by_notice(day)]
    assert wrong == []
    assert all(CALENDAR.is_announced(day) for day in every)


@pytest.mark.parametrize("count", [0, 1, 5, 10, 20, 45])
def test_add_working_days_every_day_of_three_years_agrees_with_counting(count):
    worked = sorted(
        day for year in NOTICES for day in span(f"{year}-01-01", f"{year}-12-31")
        if is_worked_by_notice(day)
    )  # fmt: skip
    for start in sorted(span("2024-01-01", "2026-09-30")):
        after = [day for day in worked if day > start][:count]
        expected = after[-1] if count else start
        found = add_working_days(CALENDAR, start, count)
        assert (found.day, found.estimated) == (expected, False)
        assert count_working_days(CALENDAR, start, found.day).days == count


def test_add_working_days_spring_festival_and_worked_weekend_count():
    assert add_working_days(CALENDAR, date(2026, 2, 12), 5).day == date(2026, 2, 26)
    assert add_working_days(CALENDAR, date(2025, 9, 26), 3).day == date(2025, 9, 30)


def test_add_working_days_into_an_unannounced_year_is_estimated():
    last = max(CALENDAR.years)
    inside = add_working_days(CALENDAR, date(last, 12, 1), 5)
    across = add_working_days(CALENDAR, date(last, 12, 28), 20)
    assert not inside.estimated
    assert across.estimated
    assert add_working_days(CALENDAR, date(last + 2, 3, 1), 0).estimated
    assert count_working_days(CALENDAR, date(last, 12, 30), date(last + 1, 1, 2)).estimated


def test_add_working_days_unannounced_year_counts_weekdays():
    assert not UNKNOWN.is_working_day(date(2030, 1, 5))
    assert add_working_days(UNKNOWN, date(2030, 1, 4), 1).day == date(2030, 1, 7)


def test_add_calendar_days_ending_on_a_day_off_ends_on_the_next_working_day():
    assert add_calendar_days(CALENDAR, date(2026, 9, 28), 5).day == date(2026, 10, 8)
    assert add_calendar_days(CALENDAR, date(2026, 3, 2), 15).day == date(2026, 3, 17)
    assert add_calendar_days(CALENDAR, date(2026, 10, 1), 0).day == date(2026, 10, 1)


@pytest.mark.parametrize("add", [add_working_days, add_calendar_days])
@pytest.mark.parametrize(
    ("start", "count"), [(date(2026, 1, 5), -1), (date(2026, 1, 5), 3661), (date(9999, 12, 30), 9)]
)
def test_add_days_impossible_limit_raises(add, start, count):
    with pytest.raises(DayCountError):
        add(CALENDAR, start, count)


def test_count_working_days_backwards_is_none():
    assert count_working_days(CALENDAR, date(2026, 3, 2), date(2026, 3, 2)).days == 0
    assert count_working_days(CALENDAR, date(2026, 3, 9), date(2026, 3, 2)).days == 0
