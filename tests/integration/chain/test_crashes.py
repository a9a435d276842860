"""T1: a crash at every boundary of anchoring, sending, observing and following, on both databases.

Each boundary is a call of a port; the crash comes before it, after it, or after it although it
reported a failure. A new process then runs the same resume functions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest

from ledger_node.core.anchor import TxState
from ledger_node.core.errors import LedgerError
from ledger_node.flows import anchoring, following, outbox
from ledger_node.ports.chain import ChainUnavailableError
from ledger_node.ports.database import DatabaseUnavailableError
from tests.integration.chain.support import City, fake_city
from tests.results import note_faults

pytestmark = pytest.mark.integration

# Which call of which port inside the round; `commit` counts write transactions.
BOUNDARIES = (
    "anchoring:call:0",  # current CityLog
    "anchoring:call:2",  # simulation of the anchor
    "anchoring:commit:0",  # account opened
    "anchoring:commit:1",  # tree head and signed transaction
    "anchoring:send_transactions:0",  # broadcast
    "anchoring:commit:2",  # broadcast noted
    "sending:fetch_outcomes:0",
    "sending:fetch_blocks:0",
    "sending:commit:0",  # states
    "following:fetch_logs:0",
    "following:fetch_code_hash:0",
    "following:commit:0",  # blocks, logs, derived rows, tip
)
WHEN = ("before", "after", "failed-but-persisted")


class CrashError(BaseException):
    """The process is gone: nothing catches this."""


class Trap:
    """Counts calls of one port and strikes at one of them."""

    def __init__(self, place: int, when: str, soft: LedgerError) -> None:
        self.left, self.when, self.soft, self.fired = place, when, soft, False

    def run(self, action: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left != -1:
            return action()
        self.fired = True
        if self.when == "before":
            raise CrashError
        result = action()
        if self.when == "after":
            raise CrashError
        raise self.soft if result is not _NOTHING else CrashError


_NOTHING = object()


class TrappedChain:
    """A chain whose one method is trapped."""

    def __init__(self, chain: Any, method: str, trap: Trap) -> None:
        self._chain, self._method, self._trap = chain, method, trap

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._chain, name)
        if name != self._method:
            return real
        return lambda *args, **kwargs: self._trap.run(lambda: real(*args, **kwargs))


class TrappedDatabase:
    """A database whose commits are trapped: before (rolled back) or after (durable)."""

    def __init__(self, database: Any, trap: Trap) -> None:
        self._database, self._trap = database, trap
        self.read = database.read

    @contextmanager
    def transaction(self) -> Any:
        context = self._database.transaction()
        tx = context.__enter__()
        try:
            yield tx
        except BaseException as error:
            if not context.__exit__(type(error), error, error.__traceback__):
                raise
            return
        try:
            self._trap.run(lambda: context.__exit__(None, None, None))
        except CrashError as error:
            if self._trap.when == "before":
                context.__exit__(CrashError, error, None)
            raise


ROUNDS = {
    "anchoring": anchoring.resume_anchoring,
    "sending": outbox.resume_outbox,
    "following": following.resume_following,
}


def strike(city: City, boundary: str, when: str) -> Trap:
    """Run the round of the boundary until the trap strikes."""
    flow, method, place = boundary.split(":")
    real = city.chain, city.database
    if method == "commit":
        trap = Trap(int(place), when, DatabaseUnavailableError("connection lost at commit"))
        city.database = TrappedDatabase(city.database, trap)
    else:
        trap = Trap(int(place), when, ChainUnavailableError("connection reset"))
        city.chain = TrappedChain(city.chain, method, trap)
        city.contracts = type(city.contracts)(city.chain)
    try:
        ROUNDS[flow](city)  # type: ignore[operator]
    except (CrashError, ChainUnavailableError, DatabaseUnavailableError):
        pass
    finally:
        city.chain, city.database = real
        city.contracts = type(city.contracts)(city.chain)
    return trap


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_resume_after_crash_anchors_exactly_once(
    boundary: str, when: str, database: Any, open_test_database: Callable[[], Any]
) -> None:
    city = fake_city(database)
    city.grow(5)
    if boundary.startswith("sending"):
        anchoring.resume_anchoring(city)
    trap = strike(city, boundary, when)
    assert trap.fired, "the fault never fired"
    note_faults(f"anchoring {when}")

    city.database = open_test_database()  # another process
    for _ in range(3):
        following.resume_following(city)
        anchoring.resume_anchoring(city)
        outbox.resume_outbox(city)
        city.clock.push(20)
    following.resume_following(city)
    assert city.heads() == [city.head]
    assert [row.state for row in city.rows()] == [TxState.CONFIRMED]
    assert city.chain.fetch_nonce(city.rows()[0].account) == 1
    with city.database.read() as tx:
        assert [next_nonce for _, next_nonce in tx.outbox.list_accounts()] == [1]
    assert city.halts() == []


def test_every_boundary_is_struck_three_ways() -> None:
    assert len(BOUNDARIES) * len(WHEN) >= 36
