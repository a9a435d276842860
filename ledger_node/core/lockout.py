"""When an account that is guessed at is locked, and for how long. Pure.

Spec: docs/spec/access.md. Five wrong answers in a row lock for a quarter of an hour; a right answer
while it is locked is refused like a wrong one, so that guessing on learns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FAILURES_ALLOWED: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Lock:
    """Wrong answers since the last right one, and until when the account is locked."""

    failures: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Whether an answer is refused whatever it is."""
        return self.locked_until is not None and now < self.locked_until


def after_failure(lock: Lock, now: datetime) -> Lock:
    """The lock after a wrong answer; one that ran out starts counting again."""
    failures = 1 if lock.locked_until is not None else lock.failures + 1
    if failures >= FAILURES_ALLOWED:
        return Lock(failures, now + LOCKED_FOR)
    return Lock(failures)
