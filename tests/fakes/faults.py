"""Faults for memory fakes: each operation asks the plan whether it is applied and what is raised.

`(False, error)` fails before anything happened, `(True, error)` fails although the effect is
there (failed but persisted), `(True, None)` works.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from ledger_node.core.errors import LedgerError

T = TypeVar("T")
Fault = tuple[bool, LedgerError | None]
FaultPlan = Callable[[str], Fault]


def no_faults(_operation: str) -> Fault:
    """Everything works."""
    return True, None


class FailAfter:
    """Fails `times` calls after `count` calls of `operation` (of any, when None) have worked.

    `fired` counts the faults, so that a trial can prove that its fault happened.
    """

    def __init__(
        self,
        count: int,
        error: LedgerError,
        *,
        operation: str | None = None,
        applied: bool = False,
        times: int = 1,
    ) -> None:
        self._left, self._times = count, times
        self._error, self._operation, self._applied = error, operation, applied
        self.fired = 0

    def __call__(self, operation: str) -> Fault:
        if self._operation not in (None, operation) or self.fired >= self._times:
            return True, None
        if self._left:
            self._left -= 1
            return True, None
        self.fired += 1
        return self._applied, self._error


def run_with_faults(plan: FaultPlan, operation: str, effect: Callable[[], T]) -> T:
    """Apply `effect` as the plan says; the fault's error is raised after it."""
    applied, error = plan(operation)
    result = effect() if applied else None
    if error is not None:
        raise error
    assert applied, "a plan that applies nothing has to raise"
    return cast(T, result)
