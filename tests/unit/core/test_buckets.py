"""Buckets of time: aligned to China's hours and days, without gap, never too many."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_node.core.buckets import (
    DAY_S,
    HOUR_S,
    MAX_BUCKETS,
    Buckets,
    Range,
    align_down,
    choose_buckets,
)

CHINA = timezone(timedelta(hours=8))
NOW_S = int(datetime(2026, 11, 22, 13, 5, tzinfo=CHINA).timestamp())


@pytest.mark.parametrize(
    ("wanted", "width_s", "count"),
    [
        (Range.DAY, HOUR_S, 25),
        (Range.WEEK, 6 * HOUR_S, 29),
        (Range.MONTH, DAY_S, 31),
        (Range.QUARTER, DAY_S, 91),
    ],
)
def test_choose_buckets_range_has_its_width(wanted: Range, width_s: int, count: int) -> None:
    buckets = choose_buckets(wanted, NOW_S - 400 * DAY_S, NOW_S)
    assert (buckets.width_s, buckets.count) == (width_s, count)


def test_choose_buckets_days_begin_at_midnight_in_china() -> None:
    for start in choose_buckets(Range.MONTH, 0, NOW_S):
        local = datetime.fromtimestamp(start, CHINA)
        assert (local.hour, local.minute, local.second) == (0, 0, 0)


def test_align_down_week_begins_on_monday() -> None:
    assert datetime.fromtimestamp(align_down(NOW_S, 7 * DAY_S), CHINA).weekday() == 0


def test_choose_buckets_all_of_a_young_ledger_still_shows_a_day() -> None:
    buckets = choose_buckets(Range.ALL, NOW_S - 60, NOW_S)
    assert (buckets.width_s, buckets.count) == (HOUR_S, 25)


@given(
    st.sampled_from(Range),
    st.integers(0, 2 * NOW_S),
    st.integers(10 * DAY_S, 2**33),
)
def test_choose_buckets_any_range_covers_it_without_gap_and_never_too_many(
    wanted: Range, first_s: int, now_s: int
) -> None:
    buckets = choose_buckets(wanted, first_s, now_s)
    assert 1 <= buckets.count <= MAX_BUCKETS
    assert buckets.end_s - buckets.width_s <= now_s < buckets.end_s
    if wanted is Range.ALL:
        assert buckets.start_s <= first_s or first_s > now_s
    starts = buckets.starts_s
    assert len(starts) == buckets.count + 1
    assert {b - a for a, b in itertools.pairwise(starts)} == {buckets.width_s}


def test_buckets_iterate_gives_every_begin_once() -> None:
    assert list(Buckets(100, 10, 3)) == [100, 110, 120]
