"""Headers, receipts and state of a block as an EVM node answers them, turned into proofs.

Every proof is checked here against the header it is for: an endpoint that answers what does not
fit together knows nothing. Spec: Ethereum yellow paper, sections 4.4.1 and 4.4.4, EIP-1186,
EIP-2718; docs/spec/receipt-v1.md. Tries are built by the `trie` library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import rlp  # type: ignore[import-untyped]
from trie.hexary import HexaryTrie

from ledger_node.core.block_header import BlockHeader, parse_block_header
from ledger_node.core.errors import LedgerError
from ledger_node.core.log_proof import verify_log
from ledger_node.core.qbft import compute_block_hash
from ledger_node.core.receipt_chain import AccountEvidence, LogEvidence, SlotEvidence
from ledger_node.core.storage_proof import verify_account, verify_slot
from ledger_node.core.types import HASH_BYTES, Address, BlockHash
from ledger_node.edges.chain.answers import expected_shape, parse_bytes, parse_quantity
from ledger_node.ports.chain import ChainUnavailableError

_SCALARS: Final = frozenset(
    name
    for names in (
        ("difficulty", "number", "gasLimit", "gasUsed", "timestamp"),
        ("baseFeePerGas", "blobGasUsed", "excessBlobGas"),
    )
    for name in names
)
_FIELDS: Final = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot"),
    *("logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData"),
    *("mixHash", "nonce"),
)
# Each fork added its fields behind those before; a header has a first part of them, or none.
_LATER_FIELDS: Final = (
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas"),
    *("parentBeaconBlockRoot", "requestsHash"),
)
_EMPTY_NODE: Final = b"\x80"


def build_header(block: Any) -> bytes:
    """RLP of a header from `eth_getBlockByNumber`, with its seals.

    Engines show fields of later forks that their headers do not have yet: the header is the one
    whose hash is the block's.

    Raises:
        ChainUnavailableError: No such header has the block's hash.
    """
    with expected_shape("block header"):
        block_hash = BlockHash(parse_bytes(block["hash"], HASH_BYTES))
        fields = [_encode_field(block, name) for name in _FIELDS]
        later = []
        for name in _LATER_FIELDS:
            if block.get(name) is None:
                break
            later.append(_encode_field(block, name))
    for count in range(len(later), -1, -1):
        encoded: bytes = rlp.encode([*fields, *later[:count]])
        if _is_of(encoded, block_hash):
            return encoded
    raise ChainUnavailableError("a header that does not lead to its hash")


def build_log_proof(
    header: BlockHeader, receipts: Sequence[Any], log_index: int
) -> LogEvidence | None:
    """Proof of a log of a block; None if the block has no log of that index.

    Args:
        receipts: Of all its transactions, in their order, as JSON.
        log_index: In the block.

    Raises:
        ChainUnavailableError: The receipts are not those of the header.
    """
    with expected_shape("receipts"):
        place = _find_place(receipts, log_index)
        trie = HexaryTrie({})
        for index, receipt in enumerate(receipts):
            trie[rlp.encode(index)] = _encode_receipt(receipt)
    if trie.root_hash != header.receipts_root:
        raise ChainUnavailableError("receipts that do not lead to their block")
    if place is None:
        return None
    transaction, log = place
    path = [rlp.encode(node) for node in trie.get_proof(rlp.encode(transaction))]  # type: ignore[no-untyped-call]
    # A node that stands in its parent is no node of the proof.
    nodes = (path[0], *(node for node in path[1:] if len(node) >= HASH_BYTES))
    _demand_proven(lambda: verify_log(header.receipts_root, transaction, log, nodes))
    return LogEvidence(header.number, transaction, log, nodes)


def read_account_proof(
    header: BlockHeader, address: Address, slots: Sequence[bytes], answer: Any
) -> AccountEvidence:
    """Proof of an account and of some of its slots from `eth_getProof`.

    Args:
        slots: As asked for, ascending.

    Raises:
        ChainUnavailableError: It does not lead to the header, or another slot was proven.
    """
    with expected_shape("proof"):
        nodes = _read_nodes(answer["accountProof"])
        proven = {
            parse_quantity(item["key"]): _read_nodes(item["proof"])
            for item in answer["storageProof"]
        }
        found = tuple(SlotEvidence(slot, proven[int.from_bytes(slot)]) for slot in slots)

    def verify() -> None:
        account = verify_account(header.state_root, address, nodes)
        for each in found:
            if account is not None:
                verify_slot(account.storage_root, each.slot, each.proof)

    _demand_proven(verify)
    return AccountEvidence(header.number, address, nodes, found)


def _encode_field(block: Any, name: str) -> bytes:
    if name not in _SCALARS:
        return parse_bytes(block[name])
    value = parse_quantity(block[name])
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _is_of(encoded: bytes, block_hash: BlockHash) -> bool:
    try:
        return compute_block_hash(parse_block_header(encoded)) == block_hash
    except LedgerError:
        return False


def _find_place(receipts: Sequence[Any], log_index: int) -> tuple[int, int] | None:
    """Transaction, and log in it, of a log by its index in the block."""
    for transaction, receipt in enumerate(receipts):
        if parse_quantity(receipt["transactionIndex"]) != transaction:
            raise ValueError("receipts out of order")
        for log, item in enumerate(receipt["logs"]):
            if parse_quantity(item["logIndex"]) == log_index:
                return transaction, log
    return None


def _encode_receipt(receipt: Any) -> bytes:
    kind = parse_quantity(receipt.get("type", "0x0"))
    logs = [
        [
            parse_bytes(log["address"]),
            [parse_bytes(topic) for topic in log["topics"]],
            parse_bytes(log["data"]),
        ]
        for log in receipt["logs"]
    ]
    status = b"\x01" if parse_quantity(receipt["status"]) else b""
    gas, bloom = parse_quantity(receipt["cumulativeGasUsed"]), parse_bytes(receipt["logsBloom"])
    encoded: bytes = rlp.encode([status, gas, bloom, logs])
    return bytes([kind]) + encoded if kind else encoded


def _read_nodes(nodes: Any) -> tuple[bytes, ...]:
    """Nodes of a path; some engines answer the empty trie as one empty node."""
    found = tuple(parse_bytes(node) for node in nodes)
    return () if found == (_EMPTY_NODE,) else found


def _demand_proven(verify: Any) -> None:
    try:
        verify()
    except LedgerError as error:
        raise ChainUnavailableError("a proof that does not lead to its block") from error
