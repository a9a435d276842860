"""`python -m tests.localchain.bench`: the local chain beside its yardsticks, one interleaved run.

Prints minimum and median of the repeats. Load and chain share the machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import rlp
from eth_hash.auto import keccak
from web3 import Web3

from ledger_node.localchain.block import build_block
from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.clock import ClockMode
from ledger_node.localchain.overlay import OverlayDB
from ledger_node.localchain.rules import build_chain_class
from ledger_node.localchain.settings import GenesisSettings
from ledger_node.localchain.store import Store
from ledger_node.localchain.transaction import PoolTransaction, parse_transaction
from tests.localchain.bytecode import CREATION, words
from tests.localchain.support import CHAIN_ID, ROOT, Sender, running_chain

REPEATS, BATCH = 7, 50
_HEADERS = {"Content-Type": "application/json"}


class _MemoryOverlay(OverlayDB):
    """The same blocks with nothing underneath but a dictionary."""

    def __init__(self, nodes: dict[bytes, bytes]) -> None:
        self.changes = {}
        self._below = nodes

    def __getitem__(self, key: bytes) -> bytes:
        found = self.changes.get(key)
        return self._below[key] if found is None else found


def _blocks(directory: Path) -> dict[str, list[float]]:
    """Seconds for a block of 50 contract calls: kept durably, and in memory only."""
    store = Store(directory / "blocks")
    chain = LocalChain(store, GenesisSettings(CHAIN_ID), ClockMode.TEST)
    chain.automine = False
    senders = [Sender() for _ in range(BATCH)]
    chain.submit(senders[0].sign(None, CREATION))
    chain.make_block()
    creator = bytes.fromhex(senders[0].account.address[2:])
    probe = Web3.to_checksum_address(keccak(rlp.encode([creator, 0]))[12:])
    with store.reading() as connection:
        nodes = dict(connection.execute("SELECT key, value FROM node").fetchall())
    durable, memory = [], []
    for _ in range(REPEATS):
        raws = [sender.sign(probe, words(sender.nonce, 7, 8, 9)) for sender in senders]
        for raw in raws:
            chain.submit(raw)
        durable.append(_time(chain.make_block))
        offered = [parse_transaction(raw, CHAIN_ID, 10**8) for raw in raws]
        memory.append(_time(lambda: _memory_block(nodes, offered)))  # noqa: B023
    store.close()
    return {"block of 50, durable": durable, "block of 50, py-evm in memory": memory}


def _memory_block(nodes: dict[bytes, bytes], offered: list[PoolTransaction]) -> None:
    overlay = _MemoryOverlay(nodes)
    build_block(build_chain_class(CHAIN_ID), overlay, int(time.time()) + len(nodes), offered)
    nodes.update(overlay.changes)


def _sync(directory: Path) -> Callable[[], None]:
    """One durable row: what every acknowledgement must cost at least."""
    connection = sqlite3.connect(directory / "yardstick.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE row (raw BLOB)")
    return lambda: connection.execute("INSERT INTO row VALUES (?)", (bytes(200),)) and None


def _ask(url: str, method: str, *params: object) -> Callable[[], None]:
    connection = HTTPConnection(urlsplit(url).netloc)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

    def ask() -> None:
        connection.request("POST", "/", body, _HEADERS)
        assert b"result" in connection.getresponse().read()

    return ask


async def _echo(
    scope: dict[str, object], receive: Callable[..., object], send: Callable[..., object]
) -> None:
    if scope["type"] != "http":
        return
    await receive()
    head = [(b"content-type", b"application/json"), (b"content-length", b"40")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b'{"jsonrpc":"2.0","id":1,"result":"0x1"}\n'})


def _serve_echo() -> None:
    import uvicorn

    config = uvicorn.Config(_echo, port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)

    async def run() -> None:
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        sys.stdout.write(f"http://127.0.0.1:{port}\n")
        sys.stdout.flush()
        await task

    asyncio.run(run())


def _submissions(url: str, threads: int) -> float:
    """Transactions a second, acknowledged."""
    batches = [[s.sign("0x" + "11" * 20, words(1)) for _ in range(100)]
               for s in (Sender() for _ in range(threads))]  # fmt: skip

    def run(raws: list[bytes]) -> None:
        for raw in raws:
            ask(raw)

    def ask(raw: bytes) -> None:
        local.connection.request("POST", "/", json.dumps({
            "jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction",
            "params": ["0x" + raw.hex()]}), _HEADERS)  # fmt: skip
        assert b"result" in local.connection.getresponse().read()

    local = threading.local()

    def start(raws: list[bytes]) -> None:
        local.connection = HTTPConnection(urlsplit(url).netloc)
        run(raws)

    workers = [threading.Thread(target=start, args=[raws]) for raws in batches]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return threads * 100 / (time.perf_counter() - began)


def _time(action: Callable[[], object], times: int = 1) -> float:
    began = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - began) / times


def _show(name: str, values: list[float], unit: str = "ms", scale: float = 1e3) -> None:
    low, middle = min(values) * scale, statistics.median(values) * scale
    sys.stdout.write(f"{name:42} min {low:8.2f}  median {middle:8.2f} {unit}\n")


def _start_times(directory: Path) -> None:
    for name, code in (
        ("import of the chain", "import ledger_node.localchain.service"),
        ("bare interpreter", "pass"),
    ):
        values = [_time(lambda: subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT))  # noqa: B023
                  for _ in range(REPEATS)]  # fmt: skip
        _show(name, values)
    ready = []
    for number in range(5):
        command = [sys.executable, "-m", "ledger_node.localchain", "--chain-id", "1", "--data"]
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, str(directory / f"start{number}")], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        ready.append(time.perf_counter() - began)
        process.terminate()
        process.communicate()
    _show("process until ready", ready)


def main() -> None:
    directory = Path(tempfile.mkdtemp())
    sys.stdout.write(f"load average {os.getloadavg()[0]:.1f}, {REPEATS} repeats\n")
    _start_times(directory)
    for name, values in _blocks(directory).items():
        _show(name, values)
    sync = _sync(directory)
    _show("yardstick: one SQLite commit", [_time(sync, 50) for _ in range(REPEATS)])
    echo = subprocess.Popen(
        [sys.executable, "-m", "tests.localchain.bench", "echo"], stdout=subprocess.PIPE, text=True
    )
    assert echo.stdout is not None
    echo_url = echo.stdout.readline().strip()
    with running_chain(directory / "served") as chain:
        probe = Sender().deploy(chain.web3())
        call = {"to": probe, "data": "0x" + words(1, 2).hex()}
        asks = {
            "yardstick: no-op on uvicorn": _ask(echo_url, "x"),
            "eth_chainId": _ask(chain.url, "eth_chainId"),
            "eth_getBlockByNumber": _ask(chain.url, "eth_getBlockByNumber", "latest", False),
            "eth_call": _ask(chain.url, "eth_call", call, "latest"),
            "eth_estimateGas": _ask(chain.url, "eth_estimateGas", call, "latest"),
            "eth_getProof": _ask(chain.url, "eth_getProof", probe, ["0x0"], "latest"),
        }
        found: dict[str, list[float]] = {name: [] for name in asks}
        for _ in range(REPEATS):
            for name, ask in asks.items():
                found[name].append(_time(ask, 100))
        for name, values in found.items():
            _show(name, values)
        for threads in (1, 8):
            rates = [_submissions(chain.url, threads) for _ in range(5)]
            _show(f"acknowledged, {threads} senders", rates, "/s", 1)
    echo.terminate()
    echo.communicate()


if __name__ == "__main__":
    if sys.argv[1:] == ["echo"]:
        _serve_echo()
    else:
        main()
