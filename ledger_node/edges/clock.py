"""Time of day, waiting and random bytes: the only module that asks the operating system for them.

`SystemClock` is the node's clock; `ChainClock` follows a local chain whose clock is set ahead by
tests. Both sleep on a stop event, so that a loop that waits ends as soon as the process is asked
to stop.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock; `sleep` ends early once `request_stop` was called."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        """Use `stop` as the process's stop event, or an own one."""
        self._stop = stop or threading.Event()

    def now(self) -> datetime:
        """Time of day, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the module it belongs in

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait at least `seconds`, or until the process is asked to stop."""
        ends_s = time.monotonic() + seconds
        while (left_s := ends_s - time.monotonic()) > 0 and not self._stop.wait(left_s):
            continue

    def request_stop(self) -> None:
        """End this and every later sleep at once (any thread, signal handlers included)."""
        self._stop.set()

    @property
    def stop_requested(self) -> bool:
        """Whether the process was asked to stop."""
        return self._stop.is_set()


class ChainClock(SystemClock):
    """Time of day of a local chain with a test clock: the machine's, moved by the chain's offset.

    Waiting stays on the wall clock: the chain's offset moves time of day, not the processor.
    """

    def __init__(self, offset_s: Callable[[], float], stop: threading.Event | None = None) -> None:
        """Follow `offset_s`, the seconds by which the chain's clock runs ahead of the machine's."""
        super().__init__(stop)
        self._offset_s = offset_s

    def now(self) -> datetime:
        """Time of day on the chain's clock, aware UTC."""
        return super().now() + timedelta(seconds=self._offset_s())


def system_entropy(size_bytes: int, /) -> bytes:
    """Random bytes of the operating system, fit for keys and salts."""
    return os.urandom(size_bytes)
