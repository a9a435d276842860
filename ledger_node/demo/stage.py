"""The stage of the demonstration: a chain and five nodes as processes on this machine.

Every process listens on 127.0.0.1, is bounded in time by the demonstration, and is ended by its
own process id. The demonstration's own process opens the cities' directories as window staff would
through the command line.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ledger_node.core.errors import UnavailableError
from ledger_node.edges.clock import SystemClock, system_entropy
from ledger_node.flows.deploying import Deployment
from ledger_node.flows.following import resume_following
from ledger_node.founding import CityPlan, found_consortium, plan_five_cities
from ledger_node.wiring import Runtime, open_runtime

CHAIN_ID = 7107
DOMAIN = "tongban.example"
END_S = 15.0
WAIT_S = 30.0
POLL_S = 0.15
LOWEST_PORT, PORT_RANGE = 20_000, 12_000


class StageError(UnavailableError):
    """A process of the demonstration did not start or ended early."""

    code = "stage_failed"


@dataclass
class Stage:
    """Processes and opened cities of one run.

    Attributes:
        path: Everything the run writes.
        rpc: Address of the chain.
        plans: The five cities by slug.
        deployment: What founding gave.
        runtimes: Cities opened in this process, by slug.
        links: Pages beside the cities' own, by name.
    """

    path: Path
    clock: SystemClock = field(default_factory=SystemClock)
    rpc: str = ""
    plans: dict[str, CityPlan] = field(default_factory=dict)
    deployment: Deployment | None = None
    runtimes: dict[str, Runtime] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def start_chain(self) -> None:
        """Start the local chain."""
        arguments = ["-m", "ledger_node.localchain", "--data", str(self.path / "chain")]
        arguments += ["--chain-id", str(CHAIN_ID), "--port", "0"]
        self.rpc = str(self.start("chain", arguments)["rpc"])

    def found(self) -> Deployment:
        """Make five cities and register the contracts by their votes."""
        plans = plan_five_cities([find_free_port() for _ in range(5)])
        self.plans = {plan.slug: plan for plan in plans}
        self.deployment = found_consortium(self.path, self.rpc, DOMAIN, plans)
        return self.deployment

    def start_nodes(self) -> None:
        """Start the five nodes side by side and wait until each has opened its port."""
        waiting = [
            self._spawn(slug, ["-m", "ledger_node.cli", "node", "run", "--node", str(path)])
            for slug in self.plans
            if (path := self.path / slug)
        ]
        for name, process in zip(self.plans, waiting, strict=True):
            self._read_ready(name, process)

    def open(self, slug: str) -> Runtime:
        """A city's directory opened in this process."""
        runtime = self.runtimes.get(slug)
        if runtime is None:
            runtime = self.runtimes[slug] = open_runtime(self.path / slug)
        return runtime

    def wait(self, done: Callable[[], object], what: str, limit_s: float = WAIT_S) -> None:
        """Wait until `done()` is true.

        Raises:
            StageError: It did not become true in time, or a process ended.
        """
        ends_s = self.clock.monotonic_s() + limit_s
        while not done():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise StageError(f"进程 {name} 提前结束。", f"The process {name} ended early.")
            if self.clock.monotonic_s() > ends_s:
                raise StageError(f"等待超时：{what}。", f"Waited too long for: {what}.")
            self.clock.sleep(POLL_S)

    def keep(self, name: str, content: bytes) -> None:
        """Write a result; it speaks of a person, so only its owner may read it."""
        target = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(target, "wb") as file:
            file.write(content)

    def follow(self, slug: str) -> None:
        """Bring a city's followed chain up to now (its node does the same; whoever is first)."""
        resume_following(self.open(slug).node)

    def close_runtimes(self) -> None:
        """Close the cities opened in this process; their nodes run on."""
        for runtime in self.runtimes.values():
            runtime.close()
        self.runtimes.clear()

    def close(self) -> None:
        """Close what is open and end every process by its own id, nodes before the chain."""
        self.close_runtimes()
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in reversed(self.processes.values()):
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(END_S)
            if process.stdout is not None:
                process.stdout.close()

    def start(self, name: str, arguments: list[str]) -> dict[str, object]:
        """Start one of our programs; returns the line it announces itself with."""
        return self._read_ready(name, self._spawn(name, arguments))

    def _spawn(self, name: str, arguments: list[str]) -> subprocess.Popen[str]:
        log = os.open(self.path / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(  # noqa: S603 (our own program)
                [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=log, text=True
            )
        finally:
            os.close(log)
        self.processes[name] = process
        return process

    def _read_ready(self, name: str, process: subprocess.Popen[str]) -> dict[str, object]:
        assert process.stdout is not None  # a pipe was asked for
        line = process.stdout.readline()
        if not line:
            raise StageError(
                f"进程 {name} 没有启动，详见 {name}.log。",
                f"The process {name} did not start; see {name}.log.",
            )
        facts: dict[str, object] = json.loads(line)
        return facts


def find_free_port() -> int:
    """A port nobody listens on, below those the system hands to outgoing connections.

    A port from that range could be taken by any client while its node is down.
    """
    while True:
        port = LOWEST_PORT + int.from_bytes(system_entropy(2), "big") % PORT_RANGE
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
