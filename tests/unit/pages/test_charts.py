"""Charts as geometry: inside the frame, to scale, and told apart without colour."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.charts import (
    MAX_LABELS,
    SHAPES,
    choose_labels,
    choose_scale,
    compute_bars,
    compute_steps,
)

counts = st.lists(st.integers(0, 10**9), min_size=1, max_size=93)


@pytest.mark.parametrize(
    ("highest", "scale"),
    [
        (0, (0, 1)),
        (1, (0, 1)),
        (3, (0, 1, 2, 3)),
        (5, (0, 2, 4, 6)),
        (37, (0, 10, 20, 30, 40)),
        (100, (0, 50, 100)),
        (12345, (0, 5000, 10000, 15000)),
    ],
)
def test_choose_scale_is_round_and_reaches_the_highest(
    highest: int, scale: tuple[int, ...]
) -> None:
    assert choose_scale(highest) == scale


@given(st.integers(0, 2**64))
def test_choose_scale_any_number_has_few_equal_whole_steps(highest: int) -> None:
    scale = choose_scale(highest)
    assert scale[0] == 0
    assert scale[-1] >= highest
    assert 2 <= len(scale) <= 6
    assert len({b - a for a, b in itertools.pairwise(scale)}) == 1


@given(counts)
def test_compute_bars_any_counts_stand_inside_the_frame_and_in_order(values: list[int]) -> None:
    chart = compute_bars(values)
    assert [bar.bucket for bar in chart.bars] == [i for i, value in enumerate(values) if value]
    for bar in chart.bars:
        assert chart.left <= bar.x <= bar.x + bar.width <= chart.right + 0.2
        assert chart.top - 0.1 <= bar.y < chart.bottom
        assert bar.height >= 1  # the smallest is still seen
        assert abs(bar.y + bar.height - chart.bottom) < 0.2
    for one, other in itertools.combinations(chart.bars, 2):
        if one.value > other.value:
            assert one.height >= other.height


def test_compute_bars_twice_the_count_is_twice_as_high() -> None:
    low, high = compute_bars([50, 100]).bars
    assert abs(high.height - 2 * low.height) < 0.3


@given(st.lists(counts, min_size=1, max_size=6))
def test_compute_steps_lines_hold_their_value_and_differ_in_shape(series: list[list[int]]) -> None:
    chart = compute_steps({str(i): values for i, values in enumerate(series)})
    assert len({line.shape for line in chart.lines}) == len(series) <= len(SHAPES)
    for line in chart.lines:
        ys = [float(y) for y in re.findall(r"V([0-9.]+)", line.path)]
        assert len(ys) == len(series[line.series])
        assert all(chart.top - 0.1 <= y <= chart.bottom + 0.1 for y in ys)
        assert abs(line.end_x - chart.right) < 0.1
        assert line.end_y == ys[-1]


@given(st.integers(1, 93))
def test_choose_labels_are_few_and_inside(count: int) -> None:
    labels = choose_labels(count)
    assert 1 <= len(labels) <= MAX_LABELS
    assert labels[0].value == 0
    assert labels[-1].value < count


def test_compute_bars_nothing_is_an_empty_chart() -> None:
    chart = compute_bars([0, 0])
    assert chart.bars == ()
    assert [tick.value for tick in chart.y_ticks] == [0, 1]
