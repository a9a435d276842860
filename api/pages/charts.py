"""Charts as geometry: where bars, steps and ticks stand. Pure; templates draw them as inline SVG.

The content policy forbids inline style and script, so everything is attributes and classes. Lines
differ by dash and by the shape at their end, never by colour alone; each chart has a title, a
summary in words and a table with the same numbers. Lengths are user units of the SVG's view box.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 220
LEFT, RIGHT, TOP, BOTTOM = 72, 14, 14, 34
GAP_SHARE: Final = 0.2  # of a bucket, left free between bars
MAX_LABELS: Final = 6
SHAPES: Final = ("circle", "square", "triangle", "diamond", "cross", "bar")


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where, and which value or which bucket."""

    at: float
    value: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: corner, size, bucket and value."""

    x: float
    y: float
    width: float
    height: float
    bucket: int
    value: int


@dataclass(frozen=True, slots=True)
class Line:
    """A stepped line: its path, its series (0-based; dash and shape go by it), its end."""

    name: str
    series: int
    path: str
    end_x: float
    end_y: float

    @property
    def shape(self) -> str:
        """Shape at its end and in the legend."""
        return SHAPES[self.series % len(SHAPES)]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a template draws.

    Attributes:
        width, height, left, right, top, bottom: The view box and the plot inside it.
        y_ticks: Values from zero up.
        x_ticks: Some buckets, at the middle of each.
        bars, lines: One of them empty.
    """

    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def compute_bars(values: Sequence[int]) -> Chart:
    """One bar per bucket; a bucket with nothing has no bar, one with little a visible one."""
    scale = choose_scale(max(values, default=0))
    width = _plot_width() / max(1, len(values))
    bars = tuple(
        _bar(bucket, value, width, scale[-1]) for bucket, value in enumerate(values) if value
    )
    return Chart(_y_ticks(scale), choose_labels(len(values)), bars=bars)


def compute_steps(series: Mapping[str, Sequence[int]]) -> Chart:
    """One stepped line per series: the value holds through the bucket it was reached in."""
    count = max((len(values) for values in series.values()), default=0)
    scale = choose_scale(max((max(each, default=0) for each in series.values()), default=0))
    lines = tuple(
        _line(name, number, values, scale[-1])
        for number, (name, values) in enumerate(series.items())
        if values
    )
    return Chart(_y_ticks(scale), choose_labels(count), lines=lines)


def choose_scale(highest: int) -> tuple[int, ...]:
    """Round values from zero to at least `highest`, at most six, all whole."""
    if highest <= 0:
        return (0, 1)
    rough = highest / 4
    power = 10 ** max(0, math.floor(math.log10(rough)))
    step = next(
        each * power for each in (1, 2, 5, 10) if each * power >= rough and each * power >= 1
    )
    return (
        tuple(range(0, highest + step, step))
        if highest % step
        else tuple(range(0, highest + 1, step))
    )


def choose_labels(count: int) -> tuple[Tick, ...]:
    """Buckets that are labelled: the first, then equally spaced ones."""
    if count <= 0:
        return ()
    every = -(-count // MAX_LABELS)
    width = _plot_width() / count
    return tuple(Tick(_round(LEFT + (i + 0.5) * width), i) for i in range(0, count, every))


def _plot_width() -> int:
    return WIDTH - RIGHT - LEFT


def _y(value: int, highest: int) -> float:
    bottom = HEIGHT - BOTTOM
    return _round(bottom - value / highest * (bottom - TOP))


def _y_ticks(scale: Sequence[int]) -> tuple[Tick, ...]:
    return tuple(Tick(_y(value, scale[-1]), value) for value in scale)


def _bar(bucket: int, value: int, width: float, highest: int) -> Bar:
    bottom = HEIGHT - BOTTOM
    top = min(_y(value, highest), bottom - 1.0)  # the smallest bar is still seen
    x = LEFT + bucket * width + GAP_SHARE / 2 * width
    return Bar(_round(x), top, _round((1 - GAP_SHARE) * width), _round(bottom - top), bucket, value)


def _line(name: str, number: int, values: Sequence[int], highest: int) -> Line:
    width = _plot_width() / len(values)
    parts = [f"M{_round(LEFT)} {_y(values[0], highest)}"]
    for bucket, value in enumerate(values):
        parts += [f"V{_y(value, highest)}", f"H{_round(LEFT + (bucket + 1) * width)}"]
    return Line(
        name, number, "".join(parts), _round(LEFT + len(values) * width), _y(values[-1], highest)
    )


def _round(value: float) -> float:
    return round(value, 1)
