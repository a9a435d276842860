"""The log index against a scan of every receipt."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from ledger_node.localchain import logs as logs_module
from ledger_node.localchain.logs import LogQuery, TooManyLogsError, select_logs
from ledger_node.localchain.store import BlockWrite, LogRow, Store
from tests.localchain.bytecode import words
from tests.localchain.support import Sender, rpc, running_chain

pytestmark = pytest.mark.integration
BLOCKS, PER_BLOCK, QUERIES = 12, 8, 150
TOPICS = [0xA1, 0xA2, 0xA3]


@pytest.fixture(scope="module")
def web3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web3]:
    with running_chain(tmp_path_factory.mktemp("logs") / "data", "--clock", "test") as chain:
        web3 = chain.web3()
        _fill(web3)
        yield web3


def _fill(web3: Web3) -> None:
    generator, sender = random.Random(1), Sender()
    probes = [sender.deploy(web3) for _ in range(3)]
    rpc(web3, "evm_setAutomine", False)
    for number in range(BLOCKS):
        for value in range(PER_BLOCK):
            topics = generator.choices(TOPICS, k=generator.choice([0, 1, 3]))
            raw = sender.sign(generator.choice(probes), words(number * 100 + value, *topics))
            web3.eth.send_raw_transaction(raw)
        rpc(web3, "evm_mine")


@pytest.fixture(scope="module")
def everything(web3: Web3) -> list[dict[str, Any]]:
    """Every log of the chain, from receipts alone."""
    found = [
        log
        for number in range(web3.eth.block_number + 1)
        for receipt in rpc(web3, "eth_getBlockReceipts", hex(number))["result"]
        for log in receipt["logs"]
    ]
    assert len(found) == BLOCKS * PER_BLOCK
    return found


def _matches(log: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if (
        not int(wanted["fromBlock"], 16)
        <= int(log["blockNumber"], 16)
        <= int(wanted["toBlock"], 16)
    ):
        return False
    if wanted["address"] and log["address"] not in wanted["address"]:
        return False
    topics = wanted["topics"]
    return len(topics) <= len(log["topics"]) and all(
        choice is None or log["topics"][position] in choice
        for position, choice in enumerate(topics)
    )


def test_get_logs_random_filters_equal_a_scan_of_receipts(
    web3: Web3, everything: list[dict[str, Any]]
) -> None:
    generator = random.Random(2)
    addresses = sorted({log["address"] for log in everything})
    topics = ["0x" + words(topic).hex() for topic in TOPICS]
    hits = 0
    for _ in range(QUERIES):
        bounds = sorted(generator.choices(range(web3.eth.block_number + 1), k=2))
        wanted = {
            "fromBlock": hex(bounds[0]),
            "toBlock": hex(bounds[1]),
            "address": generator.sample(addresses, generator.randrange(3)),
            "topics": [
                generator.choice([None, generator.sample(topics, generator.randrange(1, 3))])
                for _ in range(generator.choice([0, 0, 1, 2, 3]))
            ],
        }
        expected = [log for log in everything if _matches(log, wanted)]
        assert rpc(web3, "eth_getLogs", wanted)["result"] == expected
        hits += bool(expected)
    assert hits > QUERIES // 3


def test_get_logs_by_block_hash_is_that_block_only(
    web3: Web3, everything: list[dict[str, Any]]
) -> None:
    wanted = everything[20]["blockHash"]
    found = rpc(web3, "eth_getLogs", {"blockHash": wanted})["result"]
    assert found == [log for log in everything if log["blockHash"] == wanted]
    assert rpc(web3, "eth_getLogs", {"blockHash": "0x" + "77" * 32})["error"]["code"] == -32000


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"fromBlock": "0x5", "toBlock": "0x4"}, -32602),
        ({"topics": [None] * 5}, -32602),
        ({"topics": ["0x01"]}, -32602),
        ({"address": "0x01"}, -32602),
        ({"blockHash": "0x" + "11" * 32, "fromBlock": "0x1"}, -32602),
        ([], -32602),
        ({"topics": [["0x" + "11" * 32] * 1001]}, -32602),
    ],
)
def test_get_logs_malformed_filter_is_refused(web3: Web3, wanted: object, code: int) -> None:
    assert rpc(web3, "eth_getLogs", wanted)["error"]["code"] == code


def test_get_logs_beyond_head_is_empty(web3: Web3) -> None:
    assert rpc(web3, "eth_getLogs", {"fromBlock": "0xfffff", "toBlock": "0xffffff"})["result"] == []


def test_get_logs_range_over_cap_names_the_cap(
    web3: Web3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from ledger_node.localchain.chain import LocalChain
    from ledger_node.localchain.clock import ClockMode
    from ledger_node.localchain.rpc import methods_chain
    from ledger_node.localchain.rpc.errors import RpcError
    from ledger_node.localchain.settings import GenesisSettings

    monkeypatch.setattr(methods_chain, "MAX_BLOCKS", 3)
    store = Store(tmp_path / "data")
    try:
        chain = LocalChain(store, GenesisSettings(7), ClockMode.TEST)
        for _ in range(3):
            chain.make_block()
        methods = methods_chain.ChainMethods(chain)
        assert methods.logs({"fromBlock": "0x1", "toBlock": "latest"}) == []
        with pytest.raises(RpcError, match="block range exceeds 3 blocks") as caught:
            methods.logs({"fromBlock": "0x0", "toBlock": "latest"})
        assert caught.value.code == -32005
    finally:
        store.close()


def test_select_logs_more_than_cap_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "MAX_LOGS", 4)
    store = Store(tmp_path / "data")
    try:
        rows = [LogRow(1, index, 0, b"t" * 32, b"a" * 20, (), b"") for index in range(5)]
        store.commit_block(BlockWrite(1, b"h" * 32, 1, {}, rows[:4], ()))
        assert len(select_logs(store, LogQuery(0, 9, (), ()))) == 4
        store.commit_block(
            BlockWrite(2, b"i" * 32, 2, {}, [LogRow(2, 0, 0, b"t" * 32, b"a" * 20, (), b"")], ())
        )
        with pytest.raises(TooManyLogsError):
            select_logs(store, LogQuery(0, 9, (), ()))
    finally:
        store.close()


@pytest.mark.parametrize(
    ("addresses", "topics"),
    [((b"a" * 20,), ()), ((b"a" * 20,), ((b"t" * 32,),)), ((), ((b"t" * 32,),)),
     ((), ((), (b"t" * 32,)))],
)  # fmt: skip
def test_select_logs_filtered_query_uses_an_index(
    tmp_path: Path, addresses: tuple[bytes, ...], topics: tuple[tuple[bytes, ...], ...]
) -> None:
    store = Store(tmp_path / "data")
    try:
        with store.reading() as connection:
            plans: list[str] = []
            connection.set_trace_callback(plans.append)
            store._readers.append(connection)
            select_logs(store, LogQuery(0, 5_000, addresses, topics))
            store._readers.remove(connection)
            connection.set_trace_callback(None)
            (statement,) = [text for text in plans if text.startswith("SELECT")]
            plan = " ".join(
                row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement).fetchall()
            )
        assert "SEARCH log USING INDEX log_" in plan
        assert "SCAN" not in plan
    finally:
        store.close()
