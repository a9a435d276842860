"""Measuring: a job and its yardstick in turn, repeated; minimum, median, ratio.

Ratios are the result; absolute times belong to one machine at one load.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 5
Timed = Callable[[], object]


@dataclass(frozen=True)
class Side:
    """One of the two things compared: what it is, how many units a repeat does, seconds."""

    what: str
    unit: str
    count: int
    seconds: list[float]

    def rate(self, seconds: float) -> float:
        return self.count / seconds

    def summary(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "unit": self.unit,
            "units_per_repeat": self.count,
            "best_per_s": self.rate(min(self.seconds)),
            "median_per_s": self.rate(statistics.median(self.seconds)),
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Result:
    """A job beside its yardstick.

    Attributes:
        facts: Further figures of the job: bytes, transactions, seconds by stage.
    """

    name: str
    job: Side
    yardstick: Side
    facts: dict[str, Any] = field(default_factory=dict)

    def ratio(self, pick: Callable[[list[float]], float]) -> float:
        """How many times the yardstick's time one unit takes."""
        own = pick(self.job.seconds) / self.job.count
        return own / (pick(self.yardstick.seconds) / self.yardstick.count)

    def summary(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "repeats": len(self.job.seconds),
            "job": self.job.summary(),
            "yardstick": self.yardstick.summary(),
            "ratio_min": self.ratio(min),
            "ratio_median": self.ratio(statistics.median),
            "facts": self.facts,
        }

    def lines(self) -> list[str]:
        def line(side: Side) -> str:
            best, median = side.summary()["best_per_s"], side.summary()["median_per_s"]
            return f"best {best:12,.1f}/s  median {median:12,.1f}/s  {side.what} ({side.unit})"

        repeats = len(self.job.seconds)
        note = "" if repeats >= REPEATS else f"  ONLY {repeats} REPEAT"
        head = f"{self.name}: {self.ratio(min):.2f} × the yardstick's time (minimum), "
        head += f"{self.ratio(statistics.median):.2f} × (median){note}"
        facts = [f"    {name}: {value}" for name, value in self.facts.items()]
        return [head, "    " + line(self.job), "    " + line(self.yardstick), *facts]


def time_once(action: Timed) -> float:
    """Seconds of one call."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def compare(
    name: str,
    job: tuple[str, str, int, Timed],
    yardstick: tuple[str, str, int, Timed],
    *,
    repeats: int = REPEATS,
    prepare: Timed = lambda: None,
    facts: dict[str, Any] | None = None,
) -> Result:
    """Run both once to warm up, then in turn; each is (what, unit, units per call, call).

    `prepare` runs before each repeat and is not timed.
    """
    prepare()
    job[3]()
    yardstick[3]()
    own, bare = [], []
    for repeat in range(repeats):
        prepare()
        pair = [(own, job[3]), (bare, yardstick[3])]
        for seconds, action in pair if repeat % 2 == 0 else reversed(pair):
            seconds.append(time_once(action))
    return Result(name, Side(*job[:3], own), Side(*yardstick[:3], bare), facts or {})


def describe_run() -> dict[str, Any]:
    """Commit, load and processors, without which a figure is none."""

    def git(*arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        return run.stdout.strip()

    dirty = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
    return {
        "commit": (git("rev-parse", "HEAD") or "unknown") + dirty,
        "load_average": list(os.getloadavg()),
        "processors": os.cpu_count(),
    }
