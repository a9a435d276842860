"""What a client was told is there after SIGKILL, once and under the same hash."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests.exceptions import RequestException
from web3 import HTTPProvider, Web3
from web3.exceptions import TransactionNotFound

from ledger_node.localchain.store import Store
from tests.localchain.bytecode import words
from tests.localchain.support import (
    ROOT,
    Sender,
    rpc,
    running_chain,
    spawn_chain,
    wait_until,
)

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

QUICK_BLOCKS = ("--block-interval", "0.05", "--empty-interval", "0.4")
KILLS = 5
PRESIGNED = 100
FLOOR = 20


class Load:
    """Writers and one reader; remembers what the chain acknowledged."""

    def __init__(self, url: str, batches: list[list[bytes]]) -> None:
        self.seen: dict[int, str] = {}
        self.acknowledged: list[str] = []
        self._url, self._ended = urlsplit(url), threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[raws]) for raws in batches]
        self._threads.append(threading.Thread(target=self._read))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()

    def _post(self, connection: HTTPConnection, method: str, *params: object) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())["result"]

    def _write(self, raws: list[bytes]) -> None:
        connection = HTTPConnection(self._url.netloc, timeout=20)
        with suppress(HTTPException, OSError), closing(connection):
            for raw in raws:
                found = self._post(connection, "eth_sendRawTransaction", "0x" + raw.hex())
                self.acknowledged.append(found)

    def _read(self) -> None:
        connection = HTTPConnection(self._url.netloc, timeout=20)
        with suppress(HTTPException, OSError), closing(connection):
            while not self._ended.is_set():
                block = self._post(connection, "eth_getBlockByNumber", "latest", False)
                self.seen[int(block["number"], 16)] = block["hash"]


def test_chain_sigkill_under_load_keeps_everything_acknowledged(tmp_path: Path) -> None:
    generator = random.Random(20261122)
    data = tmp_path / "data"
    seen: dict[int, str] = {}
    acknowledged: list[str] = []
    waited = 0
    chain = spawn_chain(data, *QUICK_BLOCKS)
    probe = Sender().deploy(chain.web3())
    for _ in range(KILLS):
        with Load(chain.url, [_presign(Sender(), probe) for _ in range(4)]) as load:
            wait_until(lambda: len(load.acknowledged) >= FLOOR and load.seen)
            time.sleep(generator.uniform(0.0, 0.15))
            chain.kill()
        assert len(load.acknowledged) < 4 * PRESIGNED, "the kill came after the load"
        seen |= load.seen
        acknowledged += load.acknowledged
        waited += _count_pending(data)
        chain = spawn_chain(data, *QUICK_BLOCKS)
        web3 = chain.web3()
        assert web3.eth.block_number >= max(seen)
        for number, block_hash in seen.items():
            assert web3.eth.get_block(number).hash.to_0x_hex() == block_hash
    assert waited > 0, "no kill met a transaction that was acknowledged and not yet mined"
    wait_until(lambda: all(_is_mined(web3, tx_hash) for tx_hash in acknowledged))
    assert chain.stop() == 0
    _check_file(data, acknowledged, seen)


def _presign(sender: Sender, probe: str) -> list[bytes]:
    return [sender.sign(probe, words(nonce, 7)) for nonce in range(PRESIGNED)]


def _is_mined(web3: Web3, tx_hash: str) -> bool:
    with suppress(TransactionNotFound):
        return web3.eth.get_transaction_receipt(tx_hash)["status"] == 1
    return False


def _count_pending(data: Path) -> int:
    with sqlite3.connect(data / "chain.sqlite3") as connection:
        found = connection.execute("SELECT count(*) FROM pending").fetchone()[0]
    connection.close()
    return int(found)


def _check_file(data: Path, acknowledged: list[str], seen: dict[int, str]) -> None:
    """Read the file itself: every probe call logged once, blocks without a gap."""
    connection = sqlite3.connect(data / "chain.sqlite3")
    rows = connection.execute("SELECT number, hash FROM block").fetchall()
    blocks = {number: "0x" + block_hash.hex() for number, block_hash in rows}
    logged = ["0x" + row[0].hex() for row in connection.execute("SELECT tx_hash FROM log")]
    connection.close()
    assert sorted(blocks) == list(range(max(blocks) + 1))
    assert seen.items() <= blocks.items()
    assert len(logged) == len(set(logged))
    assert set(acknowledged) <= set(logged)


@pytest.mark.parametrize("when", ["before", "after"])
def test_make_block_killed_at_commit_takes_the_transaction_once(tmp_path: Path, when: str) -> None:
    data, sender = tmp_path / "data", Sender()
    clock = ("--clock", "test")
    with running_chain(data, *clock, fault=(when, 3)) as chain:
        web3 = chain.web3()
        probe = sender.deploy(web3)
        sender.send(web3, probe, words(1, 7))
        known = web3.eth.get_block("latest")
        lost = sender.sign(probe, words(2, 7))
        with pytest.raises(RequestException):
            web3.eth.send_raw_transaction(lost)
        assert chain.wait() == -9
    with running_chain(data, *clock) as chain:
        web3 = chain.web3()
        assert web3.eth.get_block(2) == known
        assert web3.eth.block_number == (2 if when == "before" else 3)
        assert _count_pending(data) == (1 if when == "before" else 0)
        rpc(web3, "evm_mine")
        receipt = web3.eth.get_transaction_receipt(Web3.keccak(lost))
        assert (receipt["blockNumber"], receipt["status"]) == (3, 1)
        assert web3.eth.get_transaction_count(sender.account.address) == 3
        assert len(web3.eth.get_logs({"fromBlock": 0, "address": probe})) == 2


def test_make_block_commit_failed_but_persisted_stops_and_recovers(tmp_path: Path) -> None:
    data, sender = tmp_path / "data", Sender()
    with running_chain(data, "--clock", "test", fault=("raise-after", 2)) as chain:
        probe = sender.deploy(chain.web3())
        raw = sender.sign(probe, words(1))
        answer = rpc(chain.web3(), "eth_sendRawTransaction", "0x" + raw.hex())
        assert answer["error"] == {"code": -32603, "message": "internal error"}
        assert chain.wait() == 3
        assert "FailedCommitError" in chain.log.read_text()
    with running_chain(data, "--clock", "test") as chain:
        web3 = chain.web3()
        assert web3.eth.get_transaction_receipt(Web3.keccak(raw))["blockNumber"] == 2
        assert sender.send(web3, probe, words(2)).blockNumber == 3


@pytest.mark.parametrize(
    ("twin", "chain_id", "options", "code"),
    [
        ("stopped", 5102, (), "store_mismatch"),
        ("stopped", 5101, ("--balance", "0x" + "11" * 20 + "=5"), "store_mismatch"),
        ("running", 5101, (), "store_locked"),
    ],
)
def test_start_foreign_or_used_store_is_refused(
    tmp_path: Path, twin: str, chain_id: int, options: tuple[str, ...], code: str
) -> None:
    data = tmp_path / "data"
    chain = spawn_chain(data)
    if twin == "stopped":
        assert chain.stop() == 0
    refused = spawn_chain(data, *options, chain_id=chain_id)
    assert refused.facts == {}
    assert refused.wait() == 2
    assert f'"code": "{code}"' in refused.log.read_text()
    assert "Traceback" not in refused.log.read_text()
    if twin == "running":
        assert chain.web3().eth.chain_id == chain_id
        assert chain.stop() == 0
    with running_chain(data) as again:
        assert again.facts["genesis"] == chain.facts["genesis"]


def test_module_run_as_users_do_announces_itself_and_ends_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ledger_node.localchain", "--chain-id", "7"]
    process = subprocess.Popen(
        [*command, "--data", str(tmp_path / "data")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    assert Web3(HTTPProvider(facts["rpc"])).eth.get_block(0).hash.to_0x_hex() == facts["genesis"]
    process.terminate()
    out, log = process.communicate(timeout=15)
    assert (process.returncode, out) == (0, "")
    assert [json.loads(line)["event"] for line in log.splitlines()][-1] == "stopped"


def test_store_connections_sync_every_commit(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    try:
        with store.reading() as reader:
            modes: list[Any] = [
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for connection in (store._writer, reader)
                for name in ("journal_mode", "synchronous")
            ]
        assert modes == ["wal", 2, "wal", 2]
    finally:
        store.close()


def test_add_pending_concurrent_writers_share_commits_and_lose_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    commits: list[str] = []
    store._writer.set_trace_callback(lambda text: commits.append(text))
    gate = threading.Barrier(16)

    def write(first: int) -> None:
        gate.wait()
        for number in range(first, first + 10):
            store.add_pending(number.to_bytes(32, "big"), b"raw%d" % number)

    threads = [threading.Thread(target=write, args=[start * 10]) for start in range(16)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(store.load_pending()) == sorted(b"raw%d" % number for number in range(160))
        assert 1 <= commits.count("COMMIT") <= 160
    finally:
        store.close()
