"""When blocks are made on the wall clock: on demand at most once per interval, and an empty one
when nothing has happened for long."""

from __future__ import annotations

import threading

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.report import report


class BlockProducer(threading.Thread):
    """The block-making thread of wall mode."""

    def __init__(self, chain: LocalChain, block_interval_s: float, empty_interval_s: float) -> None:
        super().__init__(name="blocks", daemon=True)
        self._chain = chain
        self._block_interval_s = block_interval_s
        self._empty_interval_s = empty_interval_s
        self._stop_asked = threading.Event()

    def stop(self) -> None:
        """Ask the thread to end and wait for the block being made."""
        self._stop_asked.set()
        self._chain.has_work.set()
        self.join()

    def run(self) -> None:
        """Make blocks until asked to stop.

        The first one comes an interval after the start, empty or not, so that the head's
        timestamp is of today; a crash loop cannot exceed one block per interval either.
        """
        try:
            self._run()
        except Exception as error:
            report("producer_failed", error=repr(error))
            self._chain.failed.set()
            raise

    def _run(self) -> None:
        clock = self._chain.clock
        last_s = clock.monotonic_s()
        idle_until_s = last_s
        while not self._stop_asked.wait(
            max(0.0, last_s + self._block_interval_s - clock.monotonic_s())
        ):
            while not (self._stop_asked.is_set() or self._chain.has_ready()):
                left_s = idle_until_s - clock.monotonic_s()
                if left_s <= 0:
                    break
                self._chain.has_work.wait(left_s)
                self._chain.has_work.clear()
            if self._stop_asked.is_set():
                return
            last_s = clock.monotonic_s()
            idle_until_s = last_s + self._empty_interval_s
            self._chain.make_block()
