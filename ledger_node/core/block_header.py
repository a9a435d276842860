"""Block headers as RLP: the fields a receipt needs, and the hash of headers without seals.

Step 9 of the data flow (no node at hand). Spec: Ethereum yellow paper, section 4.4.4, with the
further fields of later forks; docs/spec/receipt-v1.md, "Headers". Vectors: tests/vectors/qbft/.

Invariants:
    * Every byte is under the hash: further fields are kept as they stand, never dropped.
Not here: seals and the hash of sealed headers (qbft.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from ledger_node.core.canonical import MAX_INT
from ledger_node.core.rlp_items import (
    decode_rlp,
    demand_bytes,
    demand_items,
    demand_scalar,
    encode_rlp,
    refuse_rlp,
)
from ledger_node.core.shapes import MAX_TIME_S
from ledger_node.core.types import BlockHash, BlockNumber

MAX_HEADER_BYTES = 64 * 1024
MAX_FIELDS = 24  # 15 since the first block; base fee, withdrawals, blobs and the like behind them
EXTRA_FIELD = 12
_WHAT = "block header"
# Lengths of the first fifteen fields; None: a scalar or any bytes.
_LENGTHS: Sequence[int | None] = (
    *(32, 32, 20, 32, 32, 32, 256),  # parent, uncles, beneficiary, state, transactions, receipts
    *(None, None, None, None, None),  # difficulty, number, gas limit, gas used, timestamp
    *(None, 32, 8),  # extra data, mix hash, nonce
)
_DIFFICULTY, _NUMBER, _TIMESTAMP = 7, 8, 11


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """A header.

    Attributes:
        fields: All fields as bytes, in the order of the format.
        number: Block number.
        timestamp_s: Block time.
    """

    fields: tuple[bytes, ...]
    number: BlockNumber
    timestamp_s: int

    @property
    def parent_hash(self) -> BlockHash:
        """Hash of the block before, 32 bytes."""
        return BlockHash(self.fields[0])

    @property
    def state_root(self) -> bytes:
        """Root of the state trie after this block, 32 bytes."""
        return self.fields[3]

    @property
    def receipts_root(self) -> bytes:
        """Root of the trie of this block's transaction receipts, 32 bytes."""
        return self.fields[5]

    @property
    def extra_data(self) -> bytes:
        """What the engine keeps in the header: validators, round and seals under QBFT."""
        return self.fields[EXTRA_FIELD]

    @property
    def mix_hash(self) -> bytes:
        """Says which engine wrote the header, 32 bytes."""
        return self.fields[13]


def parse_block_header(data: bytes) -> BlockHeader:
    """Read a header.

    Raises:
        MalformedRlpError: Not a header in its one spelling.
    """
    if len(data) > MAX_HEADER_BYTES:
        raise refuse_rlp(_WHAT, f"超过 {MAX_HEADER_BYTES} 字节", "is too long")
    items = demand_items(decode_rlp(data, what=_WHAT), what=_WHAT)
    if not len(_LENGTHS) <= len(items) <= MAX_FIELDS:
        raise refuse_rlp(_WHAT, "字段数目不对", "has another number of fields")
    fields = tuple(demand_bytes(item, what=_WHAT) for item in items)
    for field, length_bytes in zip(fields, _LENGTHS, strict=False):
        demand_bytes(field, what=_WHAT, length_bytes=length_bytes)
    for at in range(_DIFFICULTY, EXTRA_FIELD):
        demand_scalar(fields[at], what=_WHAT, maximum=2**256 - 1)
    return BlockHeader(
        fields,
        BlockNumber(demand_scalar(fields[_NUMBER], what=_WHAT, maximum=MAX_INT)),
        demand_scalar(fields[_TIMESTAMP], what=_WHAT, maximum=MAX_TIME_S),
    )


def encode_block_header(header: BlockHeader) -> bytes:
    """Write a header."""
    return encode_rlp(header.fields)


def hash_header_with_extra(header: BlockHeader, extra_data: bytes) -> BlockHash:
    """keccak-256 of the header with other extra data: what engines with seals hash."""
    fields = (*header.fields[:EXTRA_FIELD], extra_data, *header.fields[EXTRA_FIELD + 1 :])
    return BlockHash(keccak(encode_rlp(fields)))
