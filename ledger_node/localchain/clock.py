"""Time of the local chain: the wall clock, and an offset that tests may move.

The only module of the local chain that reads a clock. In `wall` mode the offset is zero and stays
so. In `test` mode blocks come as fast as transactions do, so block time may run ahead of the wall;
`chain_time_s` follows whichever is later, and nodes under test follow `chain_time_s`.
"""

from __future__ import annotations

import time
from enum import StrEnum


class ClockMode(StrEnum):
    """Who decides when a block is made."""

    WALL = "wall"
    TEST = "test"


class ChainClock:
    """Wall clock plus offset.

    Attributes:
        mode: Whether the offset may move at all.
        offset_s: Seconds added to the wall clock; zero in wall mode.
    """

    def __init__(self, mode: ClockMode, offset_s: int = 0) -> None:
        self.mode = mode
        self.offset_s = offset_s if mode is ClockMode.TEST else 0

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def now_s(self) -> int:
        """Whole seconds since 1970, offset included."""
        return int(time.time()) + self.offset_s

    def chain_time_s(self, head_timestamp_s: int) -> int:
        """The present as the chain sees it: never before its last block."""
        return max(self.now_s(), head_timestamp_s)

    def next_block_timestamp_s(self, parent_timestamp_s: int) -> int:
        """Timestamp of a block made now: strictly after its parent."""
        return max(self.now_s(), parent_timestamp_s + 1)

    def set_present(self, present_s: int) -> int:
        """Move the offset so that it is `present_s` now (test mode only, checked by the caller).

        Returns:
            The new offset in seconds.
        """
        self.offset_s += present_s - self.now_s()
        return self.offset_s
