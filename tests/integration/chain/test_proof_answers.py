"""Headers, receipts and proofs as four GoQuorum validators answered them, turned into evidence.

Recorded: tests/vectors/qbft/four-validators.json.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ledger_node.core.block_header import parse_block_header
from ledger_node.core.log_proof import verify_log
from ledger_node.core.qbft import compute_block_hash
from ledger_node.core.types import Address
from ledger_node.edges.chain.answers import parse_block
from ledger_node.edges.chain.proofs import build_header, build_log_proof, read_account_proof
from ledger_node.ports.chain import ChainUnavailableError
from tests.reference.blocks import RECORDED, recorded_set, unhex

BLOCKS: list[Any] = RECORDED["blocks"]


def test_build_header_of_recorded_qbft_blocks_has_the_hash_the_node_gives() -> None:
    for block in BLOCKS:
        header = parse_block_header(build_header(block))
        assert compute_block_hash(header) == unhex(block["hash"])


def test_build_header_field_of_a_later_fork_that_the_hash_leaves_out_is_left_out() -> None:
    shown = BLOCKS[1] | {"baseFeePerGas": "0x0", "withdrawalsRoot": "0x" + "00" * 32}
    assert build_header(shown) == build_header(BLOCKS[1])


def test_build_header_that_does_not_lead_to_its_hash_is_no_answer() -> None:
    with pytest.raises(ChainUnavailableError):
        build_header(BLOCKS[1] | {"stateRoot": "0x" + "01" * 32})
    with pytest.raises(ChainUnavailableError):
        build_header({name: value for name, value in BLOCKS[1].items() if name != "mixHash"})


def test_parse_block_of_a_qbft_chain_names_its_validators() -> None:
    named = parse_block(BLOCKS[1] | {"transactions": []}).validators
    assert list(named) == sorted(recorded_set())
    plain = BLOCKS[1] | {"transactions": [], "mixHash": "0x" + "00" * 32}
    assert parse_block(plain).validators == ()
    with pytest.raises(ValueError, match="QBFT"):
        parse_block(BLOCKS[1] | {"transactions": [], "extraData": "0x01"})


def receipts_by_block() -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for receipt in RECORDED["receipts"]:
        found.setdefault(int(receipt["blockNumber"], 16), []).append(receipt)
    return {
        number: sorted(receipts, key=lambda each: int(each["transactionIndex"], 16))
        for number, receipts in found.items()
    }


def block_of(number: int) -> Any:
    return next(block for block in BLOCKS if int(block["number"], 16) == number)


def test_build_log_proof_of_recorded_receipts_leads_to_the_header() -> None:
    proven = 0
    for number, receipts in receipts_by_block().items():
        header = parse_block_header(build_header(block_of(number)))
        for receipt in receipts:
            for log in receipt["logs"]:
                found = build_log_proof(header, receipts, int(log["logIndex"], 16))
                assert found is not None
                read = verify_log(header.receipts_root, found.transaction, found.log, found.proof)
                assert (read.address, read.data) == (unhex(log["address"]), unhex(log["data"]))
                proven += 1
        assert build_log_proof(header, receipts, 99) is None
    assert proven


def test_build_log_proof_of_receipts_that_are_not_the_blocks_is_no_answer() -> None:
    number, receipts = next(
        (number, receipts)
        for number, receipts in receipts_by_block().items()
        if receipts[0]["logs"]
    )
    header = parse_block_header(build_header(block_of(number)))
    false = copy.deepcopy(receipts)
    false[0]["cumulativeGasUsed"] = "0x1"
    with pytest.raises(ChainUnavailableError):
        build_log_proof(header, false, int(receipts[0]["logs"][0]["logIndex"], 16))
    with pytest.raises(ChainUnavailableError):  # nor do they say that there is no such log
        build_log_proof(header, false, 99)


def test_read_account_proof_of_recorded_proofs_leads_to_the_header_or_is_no_answer() -> None:
    address = Address(unhex(RECORDED["contract"]))
    for recorded in RECORDED["proofs"]:
        answer = recorded["result"]
        header = parse_block_header(build_header(block_of(int(recorded["block"], 16))))
        slots = sorted(int(each["key"], 16).to_bytes(32) for each in answer["storageProof"])
        found = read_account_proof(header, address, slots, answer)
        assert [each.slot for each in found.slots] == slots
        with pytest.raises(ChainUnavailableError):
            read_account_proof(header, address, slots, answer | {"storageProof": []})
        other = parse_block_header(build_header(BLOCKS[1]))
        with pytest.raises(ChainUnavailableError):
            read_account_proof(other, address, slots, answer)
