from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger_node.core.lockout import FAILURES_ALLOWED, LOCKED_FOR, Lock, after_failure

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def fail(times: int, lock: Lock | None = None, now: datetime = NOW) -> Lock:
    lock = lock or Lock()
    for _ in range(times):
        lock = after_failure(lock, now)
    return lock


def test_after_failure_below_the_limit_does_not_lock() -> None:
    assert not fail(FAILURES_ALLOWED - 1).is_locked(NOW)
    assert fail(FAILURES_ALLOWED).is_locked(NOW)


def test_is_locked_ends_exactly_with_its_time() -> None:
    lock = fail(FAILURES_ALLOWED)
    assert lock.is_locked(NOW + LOCKED_FOR - timedelta(microseconds=1))
    assert not lock.is_locked(NOW + LOCKED_FOR)


def test_after_failure_after_a_lock_counts_anew() -> None:
    later = NOW + LOCKED_FOR
    lock = fail(FAILURES_ALLOWED - 1, fail(FAILURES_ALLOWED), later)
    assert not lock.is_locked(later)
    assert after_failure(lock, later).is_locked(later)


@given(st.lists(st.integers(min_value=0, max_value=3600), max_size=40))
def test_guesses_of_any_pace_get_at_most_five_a_lock(pauses_s: list[int]) -> None:
    lock, now, tried = Lock(), NOW, 0
    for pause_s in pauses_s:
        now += timedelta(seconds=pause_s)
        if not lock.is_locked(now):
            tried += 1
            lock = after_failure(lock, now)
    hours = (now - NOW) / timedelta(hours=1)
    assert tried <= FAILURES_ALLOWED * (4 * hours + 1)
