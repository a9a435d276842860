"""State proofs, checked with nothing of the chain's own: header bytes, keccak, and a trie."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from trie import HexaryTrie
from trie.exceptions import BadTrieProof, ValidationError
from web3 import Web3

from tests.localchain.bytecode import RUNTIME, creation_of, words
from tests.localchain.support import Sender, rpc, running_chain

pytestmark = pytest.mark.integration

RICH = bytes.fromhex("22" * 20)
EMPTY_ROOT = keccak(rlp.encode(b""))

# For every pair of words in the call data: store the second under the first.
STORE_PAIRS = bytes.fromhex("60005b806020013581355560400136811060025700")


@pytest.fixture(scope="module")
def web3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web3]:
    data = tmp_path_factory.mktemp("proof") / "data"
    with running_chain(data, "--clock", "test", "--balance", f"0x{RICH.hex()}=12345") as chain:
        yield chain.web3()


def _header_hash(block: dict[str, Any]) -> bytes:
    """Hash of the header as the paris fork encodes it."""
    numbers = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
    order = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot",
             "logsBloom", *numbers, "extraData", "mixHash", "nonce", "baseFeePerGas")  # fmt: skip
    fields = [
        _minimal(int(block[name], 16))
        if name in (*numbers, "baseFeePerGas")
        else bytes.fromhex(block[name][2:])
        for name in order
    ]
    return keccak(rlp.encode(fields))


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _nodes(proof: list[str]) -> list[Any]:
    return [rlp.decode(bytes.fromhex(node[2:])) for node in proof]


def _prove_account(web3: Web3, address: bytes, slots: list[str], at: str = "latest") -> Any:
    """The proof and the account's leaf under the state root of a header we hash ourselves."""
    block = rpc(web3, "eth_getBlockByNumber", at, False)["result"]
    assert _header_hash(block) == bytes.fromhex(block["hash"][2:])
    proof = rpc(web3, "eth_getProof", "0x" + address.hex(), slots, block["number"])["result"]
    root = bytes.fromhex(block["stateRoot"][2:])
    leaf = HexaryTrie.get_from_proof(root, keccak(address), _nodes(proof["accountProof"]))
    return proof, rlp.decode(leaf) if leaf else None


def test_get_proof_account_with_balance_is_proven(web3: Web3) -> None:
    proof, leaf = _prove_account(web3, RICH, [])
    assert leaf == [b"", _minimal(12345), EMPTY_ROOT, keccak(b"")]
    assert (proof["balance"], proof["nonce"]) == (hex(12345), "0x0")
    assert web3.eth.get_balance(Web3.to_checksum_address(RICH)) == 12345


def test_get_proof_absent_account_is_proven_absent(web3: Web3) -> None:
    proof, leaf = _prove_account(web3, b"\x99" * 20, ["0x0"])
    assert leaf is None
    assert proof["codeHash"] == "0x" + keccak(b"").hex()
    assert proof["storageProof"] == [{"key": "0x0", "value": "0x0", "proof": []}]


def test_get_proof_flipped_bit_does_not_verify(web3: Web3) -> None:
    probe = bytes.fromhex(Sender().deploy(web3)[2:])
    proof, leaf = _prove_account(web3, probe, [])
    assert leaf[3] == keccak(RUNTIME)
    root = bytes.fromhex(
        rpc(web3, "eth_getBlockByNumber", "latest", False)["result"]["stateRoot"][2:]
    )
    generator = random.Random(3)
    for _ in range(40):
        nodes = [bytearray.fromhex(node[2:]) for node in proof["accountProof"]]
        chosen = generator.choice(nodes)
        chosen[generator.randrange(len(chosen))] ^= 1 << generator.randrange(8)
        with pytest.raises((BadTrieProof, ValidationError, rlp.DecodingError)):
            HexaryTrie.get_from_proof(
                root, keccak(probe), [rlp.decode(bytes(node)) for node in nodes]
            )


def test_get_proof_many_slots_each_verify_at_past_block(web3: Web3) -> None:
    sender = Sender()
    address = sender.send(web3, None, creation_of(STORE_PAIRS)).contractAddress
    generator = random.Random(4)
    stored = {slot: generator.choice([1, 0x7F, 0x80, 2**255]) for slot in range(60)}
    pairs = [value for pair in stored.items() for value in pair]
    receipt = sender.send(web3, address, words(*pairs), gas=3_000_000)
    assert receipt.status == 1
    later = sender.send(web3, address, words(0, 0xDEAD))
    assert (later.status, later.blockNumber) == (1, receipt.blockNumber + 1)
    asked = ["0x" + words(slot).hex() for slot in (*stored, 999)]
    proof, leaf = _prove_account(web3, bytes.fromhex(address[2:]), asked, hex(receipt.blockNumber))
    for slot, shown in zip((*stored, 999), proof["storageProof"], strict=True):
        value = HexaryTrie.get_from_proof(leaf[2], keccak(words(slot)), _nodes(shown["proof"]))
        found = int.from_bytes(rlp.decode(value), "big") if value else 0
        assert found == int(shown["value"], 16) == stored.get(slot, 0)
