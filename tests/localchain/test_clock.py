"""When blocks are made, and whose time they carry."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.clock import ClockMode
from ledger_node.localchain.settings import GenesisSettings
from ledger_node.localchain.store import Store
from tests.localchain.bytecode import words
from tests.localchain.support import Sender, rpc, running_chain, wait_until

pytestmark = pytest.mark.integration


def test_wall_clock_under_load_keeps_the_interval_and_takes_all_that_waits(tmp_path: Path) -> None:
    with running_chain(
        tmp_path / "data", "--block-interval", "0.4", "--empty-interval", "1.2"
    ) as chain:
        web3 = chain.web3()
        sender = Sender()
        probe = sender.deploy(web3)
        first, started_s = web3.eth.block_number, time.monotonic()
        while time.monotonic() - started_s < 1.5:
            web3.eth.send_raw_transaction(sender.sign(probe, words(sender.nonce)))
        wait_until(lambda: web3.eth.get_transaction_count(sender.account.address) == sender.nonce)
        made = web3.eth.block_number - first
        assert 2 <= made <= (time.monotonic() - started_s) / 0.4 + 1
        blocks = [web3.eth.get_block(number) for number in range(first, first + made + 1)]
        assert sum(len(block.transactions) for block in blocks[1:]) == sender.nonce - 1
        stamps = [block.timestamp for block in blocks]
        assert stamps == sorted(set(stamps))


def test_wall_clock_idle_makes_an_empty_block_in_time_and_not_sooner(tmp_path: Path) -> None:
    with running_chain(
        tmp_path / "data", "--block-interval", "0.1", "--empty-interval", "0.8"
    ) as chain:
        web3 = chain.web3()
        wait_until(lambda: web3.eth.block_number == 1)
        seen_s = time.monotonic()
        assert abs(web3.eth.get_block(1).timestamp - time.time()) <= 3
        time.sleep(0.4)
        assert web3.eth.block_number == 1
        wait_until(lambda: web3.eth.block_number == 2)
        assert 0.6 <= time.monotonic() - seen_s <= 2.5
        for method in ("evm_mine", "evm_increaseTime", "evm_setAutomine"):
            assert rpc(web3, method)["error"]["code"] == -32601
        assert rpc(web3, "tongban_clock")["result"]["offset_s"] == 0


def test_test_clock_offset_survives_a_restart_and_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_chain(data, "--clock", "test") as chain:
        web3 = chain.web3()
        assert rpc(web3, "evm_increaseTime", 86_400)["result"] > 86_000
        rpc(web3, "evm_mine")
        told = rpc(web3, "tongban_clock")["result"]
        head = web3.eth.get_block("latest").timestamp
        assert told["mode"] == "test"
        assert told["block_timestamp_s"] == head
        assert 86_400 <= told["now_s"] - time.time() + 2 <= 86_420
    with running_chain(data, "--clock", "test") as chain:
        again = rpc(chain.web3(), "tongban_clock")["result"]
        assert again["offset_s"] == told["offset_s"]
        assert again["now_s"] >= head


def test_test_clock_many_quick_blocks_rise_and_time_follows(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    try:
        chain = LocalChain(store, GenesisSettings(9), ClockMode.TEST)
        stamps = []
        for _ in range(30):
            chain.make_block()
            stamps.append(chain.head.timestamp)
        assert stamps == sorted(set(stamps))
        assert chain.clock.chain_time_s(chain.head.timestamp) >= stamps[-1]
        with pytest.raises(ValueError, match="timestamp must be after"):
            chain.set_next_timestamp(stamps[-1])
        chain.set_next_timestamp(stamps[-1] + 1)
        chain.make_block()
        assert chain.head.timestamp == stamps[-1] + 1
    finally:
        store.close()
