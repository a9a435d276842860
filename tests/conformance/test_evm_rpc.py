"""The same client, the same expectations, on the local chain and on anvil.

Whatever a node may rely on in any EVM endpoint is stated here once.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from trie import HexaryTrie
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractCustomError, TransactionNotFound, Web3RPCError

from tests.localchain.bytecode import (
    CREATION,
    REFUSED_ARGUMENT,
    REFUSED_SELECTOR,
    RUNTIME,
    words,
)
from tests.localchain.support import CHAIN_ID, Sender, rpc, running_anvil, running_chain

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=["localchain", "anvil"])
def web3(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web3]:
    if request.param == "anvil":
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            pytest.skip("the toolchain pins anvil for linux on x86_64 only")
        with running_anvil() as url:
            yield Web3(HTTPProvider(url))
    else:
        with running_chain(tmp_path_factory.mktemp("chain") / "data", "--clock", "test") as chain:
            yield chain.web3()


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture(scope="module")
def probe(web3: Web3) -> str:
    return Sender().deploy(web3)


def test_identity_any_engine_answers_ids_and_free_gas(web3: Web3) -> None:
    assert web3.eth.chain_id == CHAIN_ID
    assert web3.net.version == str(CHAIN_ID)
    assert web3.client_version
    assert web3.eth.gas_price == 0
    assert web3.eth.syncing is False
    assert web3.eth.get_block("latest").baseFeePerGas == 0
    assert web3.eth.fee_history(1, "latest").baseFeePerGas[-1] == 0


def test_send_raw_transaction_creation_answers_receipt_and_code(web3: Web3, sender: Sender) -> None:
    receipt = sender.send(web3, None, CREATION)
    assert receipt.status == 1
    assert receipt.contractAddress == Web3.to_checksum_address(
        keccak(rlp.encode([bytes.fromhex(sender.account.address[2:]), 0]))[12:]
    )
    assert web3.eth.get_code(receipt.contractAddress) == RUNTIME
    assert web3.eth.get_code(receipt.contractAddress, receipt.blockNumber - 1) == b""


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_send_raw_transaction_each_type_is_mined_and_shown(
    web3: Web3, sender: Sender, probe: str, kind: int
) -> None:
    receipt = sender.send(web3, probe, words(5, 11), kind)
    assert (receipt.status, receipt.type) == (1, kind)
    assert receipt.effectiveGasPrice == 0
    shown = web3.eth.get_transaction(receipt.transactionHash)
    assert shown["from"] == sender.account.address
    assert (shown.type, shown.nonce, shown.to) == (kind, 0, probe)
    assert shown.input == words(5, 11)
    assert (shown.blockHash, shown.transactionIndex) == (receipt.blockHash, 0)
    block = web3.eth.get_block(receipt.blockNumber, full_transactions=True)
    assert block.hash == receipt.blockHash
    assert block.transactions[0].hash == receipt.transactionHash
    assert web3.eth.get_block(block.hash).transactions == [receipt.transactionHash]
    assert web3.eth.get_block_receipts(receipt.blockNumber)[0].logs == receipt.logs


def test_get_transaction_receipt_reverted_call_has_status_0(
    web3: Web3, sender: Sender, probe: str
) -> None:
    receipt = sender.send(web3, probe, b"")
    assert (receipt.status, receipt.logs) == (0, [])
    assert web3.eth.get_transaction_count(sender.account.address) == 1


def test_get_transaction_unknown_hash_is_not_found(web3: Web3) -> None:
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction(b"\x01" * 32)
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction_receipt(b"\x01" * 32)
    assert rpc(web3, "eth_getBlockByNumber", "0xffffff", False)["result"] is None
    assert rpc(web3, "eth_getBlockByHash", "0x" + "01" * 32, False)["result"] is None


def test_call_at_past_block_sees_past_state(web3: Web3, sender: Sender, probe: str) -> None:
    first = sender.send(web3, probe, words(1))
    second = sender.send(web3, probe, words(2))
    slot = [int.from_bytes(web3.eth.get_storage_at(probe, 0, at), "big")
            for at in (first.blockNumber, second.blockNumber, "latest")]  # fmt: skip
    assert slot == [1, 2, 2]
    number, timestamp, base_fee, gas_price, chain_id = _split(
        web3.eth.call({"to": probe, "data": bytes(160)}, first.blockNumber)
    )
    past = web3.eth.get_block(first.blockNumber)
    assert (number, timestamp) == (past.number, past.timestamp)
    assert (base_fee, gas_price, chain_id) == (0, 0, CHAIN_ID)


def test_call_custom_error_raises_with_data(web3: Web3, probe: str) -> None:
    wanted = "0x" + (REFUSED_SELECTOR + words(REFUSED_ARGUMENT)).hex()
    for method in (web3.eth.call, web3.eth.estimate_gas):
        with pytest.raises(ContractCustomError) as caught:
            method({"to": probe})
        assert caught.value.data == wanted
    raw = rpc(web3, "eth_call", {"to": probe}, "latest")["error"]
    assert (raw["code"], raw["data"]) == (3, wanted)


def test_call_invalid_opcode_is_an_error_without_revert_data(web3: Web3, probe: str) -> None:
    error = rpc(web3, "eth_call", {"to": probe, "data": "0x00"}, "latest")["error"]
    assert error["code"] < 0
    assert error.get("data") in (None, "0x")


def test_estimate_gas_plain_call_suffices_and_is_tight(
    web3: Web3, sender: Sender, probe: str
) -> None:
    message = {"from": sender.account.address, "to": probe, "data": words(99, 98, 97, 96)}
    estimate = web3.eth.estimate_gas(message)
    receipt = sender.send(web3, probe, words(99, 98, 97, 96), gas=estimate)
    assert receipt.status == 1
    assert receipt.gasUsed <= estimate <= receipt.gasUsed * 1.1


def test_get_logs_filters_by_address_topics_and_block(
    web3: Web3, sender: Sender, probe: str
) -> None:
    sent = [sender.send(web3, probe, words(value, *topics)) for value, topics in
            ((1, ()), (2, (0xA1,)), (3, (0xA1, 0xB1, 0xC1)), (4, (0xA2, 0xB1, 0xC2)))]  # fmt: skip
    first = sent[0].blockNumber

    def found(**more: Any) -> list[int]:
        logs = web3.eth.get_logs({"fromBlock": first, "toBlock": "latest", **more})
        return [int.from_bytes(log.data, "big") for log in logs]

    topic = {value: "0x" + words(value).hex() for value in (0xA1, 0xA2, 0xB1, 0xC2, 0xDD)}
    assert found() == [1, 2, 3, 4]
    assert found(address=probe) == [1, 2, 3, 4]
    assert found(address=["0x" + "11" * 20, probe]) == [1, 2, 3, 4]
    assert found(address="0x" + "11" * 20) == []
    assert found(topics=[topic[0xA1]]) == [2, 3]
    assert found(topics=[[topic[0xA1], topic[0xA2]]]) == [2, 3, 4]
    assert found(topics=[None, topic[0xB1]]) == [3, 4]
    assert found(topics=[None, topic[0xB1], topic[0xC2]]) == [4]
    assert found(topics=[topic[0xDD]]) == []
    by_hash = web3.eth.get_logs({"blockHash": sent[2].blockHash})
    assert by_hash == sent[2].logs


def test_get_transaction_count_pending_counts_what_waits(
    web3: Web3, sender: Sender, probe: str
) -> None:
    rpc(web3, "evm_setAutomine", False)
    try:
        hashes = [web3.eth.send_raw_transaction(sender.sign(probe, words(1))) for _ in range(3)]
        account = sender.account.address
        assert web3.eth.get_transaction_count(account, "latest") == 0
        assert web3.eth.get_transaction_count(account, "pending") == 3
        assert web3.eth.get_transaction(hashes[0])["blockNumber"] is None
        rpc(web3, "evm_mine")
        receipts = [web3.eth.wait_for_transaction_receipt(found) for found in hashes]
        assert {receipt.blockNumber for receipt in receipts} == {web3.eth.block_number}
        assert [receipt.transactionIndex for receipt in receipts] == [0, 1, 2]
        assert web3.eth.get_transaction_count(account, "latest") == 3
    finally:
        rpc(web3, "evm_setAutomine", True)


@pytest.mark.parametrize("damage", ["known", "used nonce", "garbage", "no gas"])
def test_send_raw_transaction_damaged_is_refused(
    web3: Web3, sender: Sender, probe: str, damage: str
) -> None:
    good = sender.sign(probe, words(1))
    web3.eth.send_raw_transaction(good)  # the twin that is taken
    sender.nonce = 0 if damage == "used nonce" else 1
    raw = {
        "known": lambda: good,
        "used nonce": lambda: sender.sign(probe, words(2)),
        "garbage": lambda: b"\xf8\x01\x02",
        "no gas": lambda: sender.sign(probe, words(1), gas=20_000),
    }[damage]()
    with pytest.raises((Web3RPCError, ValueError)):
        web3.eth.send_raw_transaction(raw)
    assert web3.eth.get_transaction_count(sender.account.address, "pending") == 1


def test_evm_increase_time_next_block_is_later(web3: Web3) -> None:
    before = web3.eth.get_block("latest").timestamp
    rpc(web3, "evm_increaseTime", 3_600)
    rpc(web3, "evm_mine")
    after = web3.eth.get_block("latest")
    assert 3_600 <= after.timestamp - before <= 3_700
    rpc(web3, "evm_setNextBlockTimestamp", after.timestamp + 50)
    rpc(web3, "evm_mine")
    assert web3.eth.get_block("latest").timestamp == after.timestamp + 50


def test_get_proof_verifies_against_state_root(web3: Web3, sender: Sender, probe: str) -> None:
    receipt = sender.send(web3, probe, words(0xABCDEF))
    proof = web3.eth.get_proof(
        probe, ["0x" + words(slot).hex() for slot in (0, 1)], receipt.blockNumber
    )
    block = web3.eth.get_block(receipt.blockNumber)
    key = keccak(bytes.fromhex(probe[2:]))
    nodes = [rlp.decode(bytes(node)) for node in proof.accountProof]
    leaf = rlp.decode(HexaryTrie.get_from_proof(bytes(block.stateRoot), key, nodes))
    assert leaf[2:] == [bytes(proof.storageHash), keccak(RUNTIME)]
    slot = [rlp.decode(bytes(node)) for node in proof.storageProof[0].proof]
    value = HexaryTrie.get_from_proof(leaf[2], keccak(words(0)), slot)
    assert int.from_bytes(rlp.decode(value), "big") == 0xABCDEF


def test_batch_mixed_answers_come_with_their_ids(web3: Web3) -> None:
    with web3.batch_requests() as batch:
        batch.add(web3.eth.get_block(0))
        batch.add(web3.eth.get_block("latest"))
        first, last = batch.execute()
    assert (first.number, last.number) == (0, web3.eth.block_number)


def _split(output: bytes) -> list[int]:
    return [int.from_bytes(output[at : at + 32], "big") for at in range(0, len(output), 32)]
