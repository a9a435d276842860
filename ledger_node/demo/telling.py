"""How the demonstration speaks: steps in both languages, what was checked, or one JSON object."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console


@dataclass
class Step:
    """One step as told: title, what was checked, how long it took."""

    name: str
    zh: str
    en: str
    checks: list[str] = field(default_factory=list)
    seconds: float = 0.0


class CheckFailedError(Exception):
    """The demonstration found something that does not hold; it ends with exit code 1."""


class Teller:
    """Tells steps as they happen, or keeps them for one JSON object.

    Args:
        quiet: Print nothing (JSON output).
        now_s: Monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float], *, quiet: bool) -> None:
        self._now_s = now_s
        self._quiet = quiet
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._status = Console(file=sys.stderr)
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str, zh: str, en: str) -> Iterator[Step]:
        """One step; its checks are printed when it ends."""
        step = Step(name, zh, en)
        began_s = self._now_s()
        self.say(f"\n[bold]{len(self.steps) + 1:2}  {zh}[/bold]\n    [dim]{en}[/dim]")
        with self._status.status("处理中 working …") if not self._quiet else _nothing():
            yield step
        step.seconds = round(self._now_s() - began_s, 2)
        self.steps.append(step)
        for check in step.checks:
            self.say(f"    [green]✓[/green] {check}")
        self.say(f"      [dim]{step.seconds:.1f} s[/dim]")

    def say(self, text: str) -> None:
        """A line for people."""
        if not self._quiet:
            self._console.print(text)


def demand(step: Step, holds: object, zh: str, en: str) -> None:
    """Note a check, or end the demonstration.

    Raises:
        CheckFailedError: `holds` is false.
    """
    if not holds:
        raise CheckFailedError(f"{step.name}: {zh} / {en}")
    step.checks.append(f"{zh} / {en}")


@contextmanager
def _nothing() -> Iterator[None]:
    yield
