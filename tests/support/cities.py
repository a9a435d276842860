"""Cities as processes forked from the warm test process: `run_node` itself, with short intervals.

A start costs a tenth of a second instead of seconds of imports, so that a test can kill and restart
nodes many times. The test process keeps no city open while it forks. Every child is ended by its
own process id and bounded in time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from api.app import build_app
from ledger_node import running
from ledger_node.flows.node import Node
from ledger_node.wiring import CLOCK_KEPT_S, Runtime, open_runtime
from tests.integration.processes import fork, wait
from tests.support.asking import ask_chain
from tests.support.consortium import running_chain
from tests.support.faults import Faults, with_faults, wrap_runtime
from tests.support.stock import Stock

LIFE_S = 300
WAIT_S = 30.0
POLL_S = 0.02
TURN_S = 0.08
EVENTS = {
    "recorded": ("GrantRecorded(bytes32,uint32,uint32,uint32,uint64,uint64,uint32,uint8,bytes32)"),
    "revoked": "GrantRevoked(bytes32,uint32)",
    "consumed": "GrantConsumed(bytes32,bytes32,uint32)",
}
ENDED = ("acknowledged", "refused", "rejected")


@dataclass
class Cities:
    """Running cities on a copy of the stock.

    Attributes:
        path: The copy.
        rpc: Address of the chain.
        pids: Running city processes by slug.
        mirror_turn_s: How often cities started from now on look whether a mirror is due.
    """

    path: Path
    rpc: str
    stock: Stock
    pids: dict[str, int] = field(default_factory=dict)
    mirror_turn_s: float = 1.0

    def faults(self, slug: str) -> Faults:
        """Faults of a city's process."""
        return Faults(self.path / f"{slug}.fault")

    def start(self, slug: str, around: Callable[[Any], Any] | None = None) -> None:
        """Start a city's node; returns when its port is open.

        Args:
            around: Wraps the node's ASGI application in the child.
        """
        reader, writer = os.pipe()

        def work() -> None:
            os.close(reader)
            _bound_life(self.path / f"{slug}.log")
            running.CHAIN_INTERVAL_S = running.RECEIVE_INTERVAL_S = TURN_S
            running.REUSE_INTERVAL_S = running.WATCH_INTERVAL_S = 2 * TURN_S
            running.MIRROR_INTERVAL_S = self.mirror_turn_s
            running.BACKOFF_S = 2 * TURN_S

            def open_wrapped(path: Path) -> Runtime:
                return wrap_runtime(open_runtime(path, migrated=True), self.faults(slug))

            running.open_runtime = open_wrapped  # type: ignore[assignment]
            if around is not None:
                running.build_app = lambda runtime: around(build_app(runtime))

            def announce(facts: dict[str, object]) -> None:
                os.write(writer, json.dumps(facts).encode())

            os._exit(running.run_node(self.path / slug, announce))

        self.pids[slug] = fork(work)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            assert pipe.read(1), f"{slug} did not start"

    def kill(self, slug: str) -> None:
        """SIGKILL, by the process id of this city."""
        pid = self.pids.pop(slug)
        os.kill(pid, signal.SIGKILL)
        assert wait(pid) == -signal.SIGKILL

    def stop(self, slug: str) -> None:
        """SIGTERM; the node ends in order."""
        pid = self.pids.pop(slug)
        os.kill(pid, signal.SIGTERM)
        status = wait(pid)
        assert status in (0, -signal.SIGTERM), status

    def wait_end(self, slug: str) -> int:
        """Exit status of a city that ends by itself."""
        return wait(self.pids.pop(slug))

    def act(self, slug: str, work: Callable[[Node], object], faults: Faults | None = None) -> int:
        """Run window work of a city in a process of its own; returns the process id."""

        def child() -> None:
            _bound_life(self.path / f"{slug}.window.log")
            node = open_runtime(self.path / slug, migrated=True).node
            work(node if faults is None else with_faults(node, faults))

        return fork(child)

    @contextmanager
    def opened(self, slug: str) -> Iterator[Node]:
        """A city's directory opened in this process; nothing is forked meanwhile."""
        runtime = open_runtime(self.path / slug, migrated=True)
        try:
            yield runtime.node
        finally:
            runtime.close()

    def wait_for(self, done: Callable[[], object], what: str, limit_s: float = WAIT_S) -> None:
        """Poll until `done()`.

        Raises:
            AssertionError: Not in time.
        """
        deadline = time.monotonic() + limit_s
        while not done():
            assert time.monotonic() < deadline, f"waited too long for {what}"
            time.sleep(POLL_S)

    def ask(self, method: str, *params: Any) -> Any:
        """Raw JSON-RPC."""
        return ask_chain(self.rpc, method, *params)

    def pass_time(self, seconds: int) -> None:
        """Move the chain's test clock and make a block; returns when clocks kept have followed."""
        self.ask("evm_increaseTime", seconds)
        self.ask("evm_mine")
        time.sleep(CLOCK_KEPT_S + TURN_S)

    def logs(self, kind: str, terms: bytes | None = None) -> list[dict[str, Any]]:
        """Raw event logs of one kind, of one grant or of all, in the chain's order."""
        topic = "0x" + keccak(EVENTS[kind].encode()).hex()
        topics = [topic, None if terms is None else "0x" + terms.hex()]
        found = self.ask("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "topics": topics})
        return sorted(found, key=place_of)

    def rows(self, slug: str, sql: str, *values: object) -> list[Any]:
        """Read a city's SQLite file with nothing of the node in between."""
        path = self.path / slug / "node.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
            found = connection.execute(sql, values).fetchall()
        connection.close()
        return found

    def release_states(self, slug: str) -> dict[bytes, tuple[str, str | None]]:
        """(state, problem) by request digest, of the side the city has."""
        sql = "select request_digest, state, problem_code from releases"
        return {digest: (state, code) for digest, state, code in self.rows(slug, sql)}

    def wait_ended(self, slug: str, digest: bytes) -> tuple[str, str | None]:
        """State in which a release to this city ended."""
        self.wait_for(
            lambda: self.release_states(slug).get(digest, ("",))[0] in ENDED, "the release to end"
        )
        return self.release_states(slug)[digest]

    def wait_grant(self, slug: str, terms: bytes) -> None:
        """Until a city followed the recording of a grant."""
        sql = "select count(*) from chain_grants where grant_id = ?"
        self.wait_for(lambda: self.rows(slug, sql, terms)[0][0], "the grant to be followed")


def place_of(log: dict[str, Any]) -> tuple[int, int]:
    """(block, log index) of a raw log."""
    return int(log["blockNumber"], 16), int(log["logIndex"], 16)


@contextmanager
def running_cities(stock: Stock, path: Path, clock: str = "test") -> Iterator[Cities]:
    """A copy of the stock with its chain running and no city started yet.

    Args:
        clock: `test` makes a block at once for every transaction, `wall` one a second.
    """
    shutil.copytree(stock.template.path, path, dirs_exist_ok=True)
    with ExitStack() as stack:
        rpc = stack.enter_context(
            running_chain(path / "chain", clock=clock, port=stock.template.rpc_port)
        )
        cities = Cities(path, rpc, stock)
        stack.callback(_end_all, cities)
        if clock == "test":
            cities.ask("evm_mine")  # a block of today: the stock may be old
        yield cities


def _end_all(cities: Cities) -> None:
    for slug in list(cities.pids):
        os.kill(cities.pids[slug], signal.SIGKILL)
        wait(cities.pids.pop(slug))


def _bound_life(log: Path) -> None:
    """The child ends with its time even if its test died; what it says goes to a file."""
    signal.alarm(LIFE_S)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    sys.stdout = sys.stderr = os.fdopen(target, "w", buffering=1)
