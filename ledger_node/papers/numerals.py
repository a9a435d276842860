"""Numbers, days and times as official papers write them.

Days as GB/T 9704-2012 (2026年3月5日, no leading zero), document numbers with six-cornered
brackets 〔2026〕, counts in Arabic numerals, thousands by comma (GB/T 15835-2011); times are
Beijing time, 24 hours.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_GROUP = 4  # digits from which thousands are set apart


def format_day(day: date) -> str:
    """2026年3月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def format_optional_day(day: date | None, otherwise: str = "") -> str:
    """A day, or what stands where none is known."""
    return otherwise if day is None else format_day(day)


def format_day_en(day: date) -> str:
    """5 March 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def format_moment(moment: datetime) -> str:
    """2026年3月5日 14:05, Beijing time.

    Raises:
        ValueError: The moment is not aware.
    """
    if moment.tzinfo is None:
        raise ValueError("naive datetime")
    local = moment.astimezone(BEIJING)
    return f"{format_day(local.date())} {local.hour:02d}:{local.minute:02d}"


def format_count(number: int) -> str:
    """12345 as 12,345; up to four digits as they are."""
    digits = str(number)
    return digits if len(digits) <= _GROUP else f"{number:,}"


def format_document_number(word: str, year: int, serial: int) -> str:
    """武审受〔2026〕18号: no leading zero, no 第."""
    return f"{word}〔{year}〕{serial}号"
