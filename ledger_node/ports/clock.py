"""Time of day and waiting, as flows see them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The node's own clock.

    Promises: `now` is aware UTC; `monotonic_s` never goes back; `sleep` returns after at least
    `seconds` on the monotonic clock, or earlier when the process is asked to stop.
    """

    def now(self) -> datetime: ...

    def monotonic_s(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Entropy(Protocol):
    """Random bytes fit for keys and salts (operating system source)."""

    def __call__(self, size_bytes: int, /) -> bytes: ...
