"""SIGKILL of node, chain and registering processes in the middle of their work.

The oracle reads entry bundles over HTTP and events over raw RPC; it shares no code with the node.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from eth_utils import keccak

from tests.support.asking import ask_chain
from tests.support.consortium import CHAIN_ID, Template, found_template

pytestmark = [pytest.mark.e2e]
LIMIT_S = 60.0
ANCHORED = "0x" + keccak(text="CheckpointAnchored(uint32,uint32,uint64,bytes32)").hex()


class Processes:
    """Processes of one test, each ended by its own id whatever happens."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.running: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, *arguments: str) -> str:
        """Start a program and return its first line."""
        log = self.template.path / f"{name}.log"
        with log.open("a") as errors:
            self.running[name] = process = subprocess.Popen(
                [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"{name} did not start: {log.read_text('utf-8')[-2000:]}"
        return line

    def start_chain(self) -> None:
        data, port = str(self.template.path / "chain"), str(self.template.rpc_port)
        arguments = ("--data", data, "--port", port, "--chain-id", str(CHAIN_ID))
        self.start("chain", "-m", "ledger_node.localchain", *arguments)

    def start_node(self, slug: str) -> None:
        directory = str(self.template.path / slug)
        self.start(slug, "-m", "ledger_node.cli", "node", "run", "--node", directory)

    def kill(self, name: str) -> list[str]:
        """SIGKILL; returns the rest of what the process had printed."""
        process = self.running.pop(name)
        assert process.poll() is None, f"{name} had ended by itself"
        process.kill()
        rest, _ = process.communicate(timeout=20)
        assert process.returncode == -signal.SIGKILL
        return rest.splitlines()

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.communicate(timeout=20)


@contextmanager
def processes_of(path: Path) -> Iterator[Processes]:
    processes = Processes(found_template(path, 2, clock="wall"))
    try:
        yield processes
    finally:
        processes.end()


def read_entries(url: str, size: int) -> list[bytes]:
    """All entries of a log from its served bundles (C2SP: u16 length before each)."""
    entries: list[bytes] = []
    for index in range((size + 255) // 256):
        width = min(256, size - index * 256)
        suffix = "" if width == 256 else f".p/{width}"
        data = httpx2.get(f"{url}/log/tile/entries/{index:03d}{suffix}", timeout=10).content
        while data:
            length = int.from_bytes(data[:2], "big")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
    assert len(entries) == size
    return entries


def wait_for(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.2)


def anchored_sizes(rpc: str, city: int) -> list[int]:
    topics = [ANCHORED, "0x" + city.to_bytes(32, "big").hex()]
    logs = ask_chain(
        rpc, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "topics": topics}
    )
    return [int(log["data"][2:66], 16) for log in logs]


@pytest.mark.slow
@pytest.mark.parametrize(
    "rounds",
    [
        [["chain", "wuhou"]],
        [["wuhou"], ["chain"], ["chain", "wuhou"]] * 3,
    ],
    ids=["once", "often"],
)
def test_registrations_survive_sigkill_of_every_process(
    tmp_path: Path, rounds: list[list[str]]
) -> None:
    receipted: list[str] = []
    with processes_of(tmp_path) as processes:
        rpc = f"http://127.0.0.1:{processes.template.rpc_port}"
        url = processes.template.cities[0].url
        for round_number, victims in enumerate(rounds):
            if "chain" not in processes.running:
                processes.start_chain()
            if "wuhou" not in processes.running:
                processes.start_node("wuhou")
            script = str(Path(__file__).with_name("registering_city.py"))
            directory = str(tmp_path / "wuhou")
            first = processes.start("writer", script, directory, str(round_number * 100_000))
            time.sleep(1.5)
            for victim in victims:
                processes.kill(victim)
            time.sleep(0.4)
            lines = [first.strip(), *processes.kill("writer")]
            # The last line may have been cut by the kill; a whole one was acknowledged.
            receipted += [line for line in lines if len(line) == 64]
        for name in {"chain", "wuhou"} - processes.running.keys():
            processes.start_chain() if name == "chain" else processes.start_node(name)

        def all_anchored() -> bool:
            health = json.loads(httpx2.get(f"{url}/healthz", timeout=10).content)
            assert health["halts"] == []
            return 0 < health["log"]["size"] == health["anchored_size"]

        wait_for(all_anchored, "the last anchor")
        sizes = anchored_sizes(rpc, 510107)
        entries = read_entries(url, sizes[-1])
    assert len(receipted) > 30
    assert sizes == sorted(set(sizes))  # the log only grew, no head twice
    materials = [entry[2:].hex() for entry in entries if entry[1] == 1]
    assert len(materials) == len(set(materials))  # anchored once
    assert set(receipted) <= set(materials)  # what was receipted is there
