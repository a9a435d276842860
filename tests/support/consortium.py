"""Five cities on a local chain: real chain process, real databases, real HTTP between nodes.

Founding takes seconds, so it is done once per test session and copied: `found_template` makes a
stopped chain store and the cities' directories, `Consortium` starts a copy of them on own ports.
Nodes run inside the test's process (each with its HTTP server in a thread) and their loops are
driven by `settle`, or as processes with `start_node_process`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from api.app import build_app
from ledger_node.config import CONFIG_NAME
from ledger_node.core.types import CityId
from ledger_node.flows.anchoring import resume_anchoring
from ledger_node.flows.following import resume_following
from ledger_node.flows.outbox import resume_outbox
from ledger_node.flows.receiving import resume_receiving
from ledger_node.flows.releasing import resume_releasing
from ledger_node.flows.sequencing import open_log, resume_sequencing, run_sequencing_round
from ledger_node.founding import FIVE_CITIES, CityPlan, found_consortium
from ledger_node.wiring import CLOCK_KEPT_S, Runtime, open_runtime
from tests.support.asking import ask_chain
from tests.support.ports import find_free_port

CHAIN_ID = 7107
DOMAIN = "tongban.example"
START_S = 30.0
TICK_S = 8.0


@contextmanager
def ticking(rpc: str) -> Iterator[None]:
    """Keep the head young, as a chain on the wall clock does by itself: nodes refuse to decide on
    a head that is more than 30 s old, and a slow machine can take that long between two blocks."""
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(TICK_S):
            with suppress(httpx2.HTTPError):
                ask_chain(rpc, "evm_mine")

    ask_chain(rpc, "evm_mine")  # a copied chain may be old when it starts
    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(15)


@contextmanager
def running_chain(data: Path, *, clock: str = "test", port: int = 0) -> Iterator[str]:
    """A local chain process over `data`; yields its RPC URL and ends it by its own pid."""
    command = [sys.executable, "-m", "ledger_node.localchain", "--data", str(data)]
    command += ["--port", str(port), "--chain-id", str(CHAIN_ID), "--clock", clock]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the chain did not start: exit {process.wait(10)}"
        rpc = str(json.loads(line)["rpc"])
        with ticking(rpc) if clock == "test" else nullcontext():
            yield rpc
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close() if process.stdout else None


@dataclass(frozen=True)
class Template:
    """A founded, stopped consortium to copy from; ports are fixed at founding."""

    path: Path
    cities: tuple[CityPlan, ...]
    rpc_port: int


def found_template(path: Path, count: int = 5, clock: str = "test") -> Template:
    """Found `count` cities once. Their registered URLs stand in the contract, so copies of one
    template do not run at the same time in one process group."""
    rpc_port = find_free_port()
    plans = tuple(
        CityPlan(CityId(code), zh, en, slug, f"http://127.0.0.1:{find_free_port()}")
        for code, zh, en, slug in FIVE_CITIES[:count]
    )
    with running_chain(path / "chain", clock=clock, port=rpc_port) as rpc:
        found_consortium(
            path, rpc, DOMAIN, plans, key_change_delay_s=60, follow_chain_clock=clock == "test"
        )
    return Template(path, plans, rpc_port)


@dataclass
class Consortium:
    """A running copy."""

    path: Path
    rpc: str
    cities: tuple[CityPlan, ...]
    runtimes: dict[str, Runtime] = field(default_factory=dict)

    def __getitem__(self, slug: str) -> Runtime:
        return self.runtimes[slug]

    def turn(self, slugs: Sequence[str] = ()) -> None:
        """One turn of every loop of the cities (all by default), as `running` runs them."""
        for slug in slugs or list(self.runtimes):
            node = self.runtimes[slug].node
            resume_following(node)
            run_sequencing_round(node)
            resume_outbox(node)
            resume_anchoring(node)
            resume_following(node)
            resume_outbox(node)
            resume_releasing(node)
            resume_receiving(node)

    def ask(self, method: str, *params: Any) -> Any:
        """Ask the chain process directly."""
        return ask_chain(self.rpc, method, *params)

    def pass_time(self, seconds: int) -> None:
        """Move the chain's clock (test clock only) and make a block, so that nodes follow."""
        self.ask("evm_increaseTime", seconds)
        self.ask("evm_mine")
        time.sleep(CLOCK_KEPT_S)  # the nodes' clocks keep the offset that long

    def settle(
        self, done: Callable[[], object], slugs: Sequence[str] = (), limit_s: float = 30.0
    ) -> None:
        """Turn until `done()` is true.

        Raises:
            AssertionError: It does not become true in time.
        """
        deadline = time.monotonic() + limit_s
        while not done():
            assert time.monotonic() < deadline, "the consortium did not settle"
            self.turn(slugs)


@contextmanager
def serving(runtime: Runtime) -> Iterator[None]:
    """The node's HTTP application in a thread, at its registered port."""
    config = uvicorn.Config(
        build_app(runtime),
        host="127.0.0.1",
        port=runtime.settings.listen_port,
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_S
    while not server.started:
        assert thread.is_alive(), "the HTTP server ended"
        assert time.monotonic() < deadline, "the HTTP server did not start"
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def running_consortium(
    template: Template, path: Path, slugs: Sequence[str] = (), *, clock: str = "test"
) -> Iterator[Consortium]:
    """Copy a template to `path`, start its chain and open its cities (all by default)."""
    shutil.copytree(template.path, path, dirs_exist_ok=True)
    with ExitStack() as stack:
        rpc = stack.enter_context(
            running_chain(path / "chain", clock=clock, port=template.rpc_port)
        )
        consortium = Consortium(path, rpc, template.cities)
        for plan in template.cities:
            if slugs and plan.slug not in slugs:
                continue
            runtime = open_runtime(path / plan.slug)
            stack.callback(runtime.close)
            open_log(runtime.node)
            resume_following(runtime.node)
            resume_sequencing(runtime.node)
            stack.enter_context(serving(runtime))
            consortium.runtimes[plan.slug] = runtime
        yield consortium


def settings_path(consortium: Consortium, slug: str) -> Path:
    """`node.toml` of a city."""
    return consortium.path / slug / CONFIG_NAME
