"""Child processes forked from the warm test process, and points at which they die.

A child never returns into the test: it ends by `os._exit` (0 when its work is done, `DIED` at a
fail-point, 1 with a traceback). Fail-points sit in wrappers around the ports, so the product code
has no switch for tests.
"""

from __future__ import annotations

import contextlib
import os
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ledger_node.edges.http import open_client
from ledger_node.ports.database import DatabaseUnavailableError

open_client().close()  # children find the trust store loaded

DIED = 77
BEFORE, AFTER, FAILED_BUT_PERSISTED = "before", "after", "failed_but_persisted"
MODES = (BEFORE, AFTER, FAILED_BUT_PERSISTED)


def fork(work: Callable[[], None]) -> int:
    """Run `work` in a child; returns its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of forking with threads
        pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # the child must never come back into the test runner
        with contextlib.suppress(Exception):
            traceback.print_exc()
    finally:
        os._exit(status)


def wait(pid: int, timeout_s: float = 60.0) -> int:
    """Exit status of a child (negative: the signal that ended it)."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    raise AssertionError(f"process {pid} did not end within {timeout_s} s")


@dataclass
class FailPoint:
    """Fires at the `nth` call of `name` (`port.method`): dies before or after it, or lets it
    happen and reports failure."""

    name: str
    mode: str
    nth: int = 1
    calls: int = field(default=0)

    def around(self, name: str) -> tuple[bool, bool]:
        """(this call fires, before it)."""
        if name != self.name:
            return False, False
        self.calls += 1
        return self.calls == self.nth, self.mode == BEFORE

    def fire(self) -> None:
        if self.mode == FAILED_BUT_PERSISTED:
            raise DatabaseUnavailableError(f"fault injected after {self.name}")
        os._exit(DIED)


class FailingPort:
    """A port whose method named by the fail-point dies or fails."""

    def __init__(self, port: Any, name: str, point: FailPoint) -> None:
        self._port, self._name, self._point = port, name, point

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._port, method)
        if not callable(target):
            return target

        def call(*args: Any, **kwargs: Any) -> Any:
            fires, before = self._point.around(f"{self._name}.{method}")
            if fires and before:
                self._point.fire()
            result = target(*args, **kwargs)
            if fires:
                self._point.fire()
            return result

        return call


class FailingDatabase:
    """A database whose nth commit dies before or after, or persists and reports failure."""

    def __init__(self, database: Any, point: FailPoint) -> None:
        self._database, self._point = database, point

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        fires = False
        with self._database.transaction() as tx:
            yield tx
            fires, before = self._point.around("database.commit")
            if fires and before:
                self._point.fire()
        if fires:
            self._point.fire()

    def read(self) -> Any:
        return self._database.read()

    def close(self) -> None:
        self._database.close()
