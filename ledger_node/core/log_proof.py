"""A log inside a block: the transaction receipt that holds it, proven against the receipts root.

Step 9 of the data flow (no node at hand). Spec: Ethereum yellow paper, section 4.4.1, EIP-2718;
docs/spec/receipt-v1.md, "Logs". Vectors: tests/vectors/qbft/ (recorded receipts).

Invariants:
    * Only a transaction that succeeded has logs that count.
Not here: which event a log is (events.py), whose receipts root it is (qbft.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger_node.core.rlp_items import (
    RlpItem,
    decode_rlp,
    demand_bytes,
    demand_items,
    encode_rlp,
    refuse_rlp,
)
from ledger_node.core.trie_proof import TrieProofError, verify_trie_proof
from ledger_node.core.types import HASH_BYTES, Address

_RECEIPT, _LOG = "transaction receipt", "log"
_SUCCEEDED = b"\x01"
_FIRST_LIST_BYTE = 0xC0
_MAX_TYPE = 0x7F


@dataclass(frozen=True, slots=True)
class RawLog:
    """A log as the contract wrote it."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


def verify_log(
    receipts_root: bytes, transaction_index: int, log: int, nodes: Sequence[bytes]
) -> RawLog:
    """The log at a place of a block.

    Args:
        receipts_root: Of the block, 32 bytes.
        transaction_index: Of the transaction in the block, from 0.
        log: Which log of that transaction, from 0.
        nodes: Of the receipts trie, from the root on.

    Raises:
        TrieProofError: The nodes do not lead to a receipt, or it has no such log.
        MalformedRlpError: A node or the receipt is not readable, or the transaction failed.
    """
    key = encode_rlp(transaction_index.to_bytes((transaction_index.bit_length() + 7) // 8, "big"))
    value = verify_trie_proof(receipts_root, key, nodes)
    if value is None:
        raise TrieProofError("the block has no such transaction")
    logs = _read_logs(value)
    if log >= len(logs):
        raise TrieProofError("the transaction has no such log")
    return _read_log(logs[log])


def _read_logs(value: bytes) -> Sequence[RlpItem]:
    typed = value[0] <= _MAX_TYPE
    if not typed and value[0] < _FIRST_LIST_BYTE:
        raise refuse_rlp(_RECEIPT, "读不出", "is not readable")
    items = demand_items(decode_rlp(value[1:] if typed else value, what=_RECEIPT), what=_RECEIPT)
    if len(items) != 4:
        raise refuse_rlp(_RECEIPT, "应有四项", "should have four items")
    if items[0] != _SUCCEEDED:
        raise refuse_rlp(_RECEIPT, "交易没有成功", "is of a transaction that failed")
    return demand_items(items[3], what=_RECEIPT)


def _read_log(item: RlpItem) -> RawLog:
    parts = demand_items(item, what=_LOG)
    if len(parts) != 3:
        raise refuse_rlp(_LOG, "应有三项", "should have three items")
    address, topics, data = parts
    return RawLog(
        Address(demand_bytes(address, what=_LOG, length_bytes=20)),
        tuple(
            demand_bytes(each, what=_LOG, length_bytes=HASH_BYTES)
            for each in demand_items(topics, what=_LOG)
        ),
        demand_bytes(data, what=_LOG),
    )
