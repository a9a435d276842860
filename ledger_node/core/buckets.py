"""Buckets of time for counts of events: which width fits a range, where each bucket begins.

Step 11. Buckets are aligned to hours and days of China's time (UTC+8, no daylight saving), so that
"the 3rd of March" on a page is the day people there lived.

Invariants:
    * Buckets follow each other without gap or overlap and cover the whole range asked for.
    * A chart never has more than `MAX_BUCKETS` of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
CHINA_OFFSET_S: Final = 8 * HOUR_S
WIDTHS_S: Final = (HOUR_S, 6 * HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S, 365 * DAY_S)
MAX_BUCKETS: Final = 93
_MONDAY_S: Final = 4 * DAY_S  # 1970-01-05, so that weeks begin on Mondays


class Range(StrEnum):
    """Ranges a page offers; each ends now."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    ALL = "all"


LENGTHS_S: Final = {
    Range.DAY: DAY_S,
    Range.WEEK: 7 * DAY_S,
    Range.MONTH: 30 * DAY_S,
    Range.QUARTER: 90 * DAY_S,
}
_FEWEST: Final = {Range.DAY: HOUR_S, Range.WEEK: 6 * HOUR_S}  # finer than days


@dataclass(frozen=True, slots=True)
class Buckets:
    """Equal buckets.

    Attributes:
        start_s: Unix time the first begins at.
        width_s: Seconds of each.
        count: How many, at least one.
    """

    start_s: int
    width_s: int
    count: int

    @property
    def starts_s(self) -> tuple[int, ...]:
        """Where each begins, and behind them where the last ends."""
        return tuple(self.start_s + i * self.width_s for i in range(self.count + 1))

    @property
    def end_s(self) -> int:
        """Where the last ends."""
        return self.start_s + self.count * self.width_s

    def __iter__(self) -> Iterator[int]:
        return iter(self.starts_s[:-1])


def choose_buckets(wanted: Range, first_s: int, now_s: int) -> Buckets:
    """Buckets for a range that ends now.

    Args:
        wanted: Which range.
        first_s: Time of the first event; where `Range.ALL` begins, but at least a day ago.
        now_s: The end; inside the last bucket.
    """
    if wanted is Range.ALL:
        begin_s = min(first_s, now_s - DAY_S)
        width_s = _choose_width_s(begin_s, now_s)
    else:
        begin_s = now_s - LENGTHS_S[wanted]
        width_s = _FEWEST.get(wanted, DAY_S)
    start_s = align_down(begin_s, width_s)
    return Buckets(start_s, width_s, (now_s - start_s) // width_s + 1)


def align_down(at_s: int, width_s: int) -> int:
    """Begin of the bucket of this width that holds a time."""
    origin_s = -CHINA_OFFSET_S + (_MONDAY_S if width_s > DAY_S else 0)
    return at_s - (at_s - origin_s) % width_s


def _choose_width_s(begin_s: int, end_s: int) -> int:
    for width_s in WIDTHS_S:
        if (end_s - align_down(begin_s, width_s)) // width_s + 1 <= MAX_BUCKETS:
            return width_s
    years = (end_s - begin_s) // (MAX_BUCKETS - 2) // WIDTHS_S[-1] + 1
    return years * WIDTHS_S[-1]
