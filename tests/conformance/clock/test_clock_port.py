"""What every clock promises: the machine's, the local chain's and the manual one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from ledger_node.edges.clock import ChainClock, SystemClock, system_entropy
from ledger_node.ports.clock import Clock, Entropy
from tests.fakes.manual_clock import CountingEntropy, ManualClock


class StoppableClock(Clock, Protocol):
    def request_stop(self) -> None: ...


@pytest.fixture(params=[SystemClock, ManualClock, lambda: ChainClock(lambda: 3600.0)])
def clock(request: pytest.FixtureRequest) -> StoppableClock:
    make: Callable[[], StoppableClock] = request.param
    return make()


def test_now_is_aware_utc_and_rises_with_sleep(clock: StoppableClock) -> None:
    before, before_s = clock.now(), clock.monotonic_s()
    clock.sleep(0.02)
    assert before.tzinfo is UTC
    assert clock.monotonic_s() - before_s >= 0.02
    assert clock.now() - before >= timedelta(seconds=0.015)


def test_sleep_after_stop_returns_at_once(clock: StoppableClock) -> None:
    clock.request_stop()
    before_s = clock.monotonic_s()
    clock.sleep(60)
    assert clock.monotonic_s() - before_s < 30


def test_sleep_zero_or_negative_returns(clock: StoppableClock) -> None:
    clock.sleep(0)
    clock.sleep(-1)


def test_sleep_of_another_thread_ends_when_stop_is_requested() -> None:
    stop = threading.Event()
    clock = SystemClock(stop)
    sleeper = threading.Thread(target=clock.sleep, args=(60,))
    sleeper.start()
    assert not clock.stop_requested
    clock.request_stop()
    sleeper.join(10)
    assert not sleeper.is_alive()
    assert stop.is_set()
    assert clock.stop_requested


def test_now_of_chain_clock_follows_the_offset_and_sleep_does_not() -> None:
    offsets = [0.0]
    clock = ChainClock(lambda: offsets[0])
    offsets[0] = 86_400.0
    assert abs(clock.now() - datetime.now(UTC) - timedelta(days=1)) < timedelta(seconds=5)
    started_s = time.monotonic()
    clock.sleep(0.01)
    assert time.monotonic() - started_s < 5


@pytest.mark.parametrize("make", [lambda: system_entropy, CountingEntropy])
def test_entropy_gives_the_asked_number_of_fresh_bytes(make: Callable[[], Entropy]) -> None:
    entropy = make()
    drawn = [entropy(32) for _ in range(50)]
    assert {len(item) for item in drawn} == {32}
    assert len(set(drawn)) == 50
    assert entropy(0) == b""
