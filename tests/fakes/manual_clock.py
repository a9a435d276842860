"""A clock that only moves when it is told to, or when somebody sleeps on it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Starts at a fixed time; `slept_s` lists every wait."""

    def __init__(self, start: datetime = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self._stopping = False
        self.slept_s: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic_s(self) -> float:
        return self._elapsed_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        if not self._stopping:
            self.advance(max(seconds, 0.0))

    def advance(self, seconds: float) -> None:
        """Let time pass; it never goes back."""
        assert seconds >= 0
        self._elapsed_s += seconds

    def request_stop(self) -> None:
        """End this and every later sleep at once."""
        self._stopping = True


class CountingEntropy:
    """Bytes that differ at every call and repeat from run to run; not fit for secrets."""

    def __init__(self, start: int = 0) -> None:
        self._calls = start

    def __call__(self, size_bytes: int, /) -> bytes:
        self._calls += 1
        return hashlib.shake_256(self._calls.to_bytes(8, "big")).digest(size_bytes)
