"""One portion of a chain copy: neighbouring blocks with all their logs as bytes.

Step 11. Spec: docs/spec/chain-copy.md; vectors: tests/vectors/chain_copy/.

Invariants:
    * One spelling: what is read is what `encode_portion` writes, and the digest at the end is that
      of everything before it, so a flipped bit is refused.
    * Logs are sliced, not decoded; number, hash and log index come from the block and the place.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from ledger_node.core.errors import MalformedInputError
from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash
from ledger_node.ports.audit import CopiedBlock
from ledger_node.ports.chain import BlockRef, RawLog

MAGIC = b"tongban/chain-copy/v1\n"
MAX_TOPICS = 4
BLOOM_BYTES = 256
DIGEST_BYTES = 32
_HEAD = struct.Struct(">QI")  # number of the first block, blocks
_BLOCK = struct.Struct(">32s32sQI")  # hash, parent hash, timestamp in seconds, logs
_LOG = struct.Struct(">20s32sB")  # address, transaction, topics
_LENGTH = struct.Struct(">I")  # bytes of data


class ChainCopyDamagedError(MalformedInputError):
    """A file of a chain copy is not what was written: cut, changed, or of another format.

    Fields: file.
    """

    code = "chain_copy_damaged"

    def __init__(self, file: str) -> None:
        super().__init__(
            f"链副本文件 {file} 已损坏。请删除它，或重新取得副本。",
            f"The file {file} of the chain copy is damaged; remove it or get the copy again.",
            file=file,
        )


def encode_portion(blocks: Sequence[CopiedBlock]) -> bytes:
    """Write neighbouring blocks, at least one, with all their logs."""
    first = blocks[0][0].number
    parts = [MAGIC, _HEAD.pack(first, len(blocks))]
    for block, logs in blocks:
        parts.append(_BLOCK.pack(block.hash, block.parent_hash, block.block_timestamp_s, len(logs)))
        if logs:
            parts.append(block.logs_bloom)
        for log in logs:
            parts.append(_LOG.pack(log.address, log.tx_hash, len(log.topics)))
            parts += log.topics
            parts.append(_LENGTH.pack(len(log.data)))
            parts.append(log.data)
    data = b"".join(parts)
    return data + hashlib.sha256(data).digest()


def parse_portion(data: bytes, file: str) -> list[CopiedBlock]:
    """Read a portion; its digest is checked before anything else.

    Args:
        data: Of the file.
        file: Its name, for the error.

    Raises:
        ChainCopyDamagedError: Not exactly such a file.
    """
    end = len(data) - DIGEST_BYTES
    if not data.startswith(MAGIC) or hashlib.sha256(data[:end]).digest() != data[end:]:
        raise ChainCopyDamagedError(file)
    try:
        first, count = _HEAD.unpack_from(data, len(MAGIC))
        at = len(MAGIC) + _HEAD.size
        blocks: list[CopiedBlock] = []
        for number in range(first, first + count):
            block, at = _read_block(data, at, BlockNumber(number))
            blocks.append(block)
    except struct.error as error:
        raise ChainCopyDamagedError(file) from error
    if at != end or not blocks:
        raise ChainCopyDamagedError(file)
    return blocks


def _read_block(data: bytes, at: int, number: BlockNumber) -> tuple[CopiedBlock, int]:
    block_hash, parent_hash, timestamp_s, count = _BLOCK.unpack_from(data, at)
    at += _BLOCK.size
    bloom = bytes(BLOOM_BYTES)
    if count:
        bloom = data[at : at + BLOOM_BYTES]
        at += BLOOM_BYTES
    block = BlockRef(number, BlockHash(block_hash), BlockHash(parent_hash), timestamp_s, bloom)
    logs = []
    for index in range(count):
        address, tx_hash, topics = _LOG.unpack_from(data, at)
        at += _LOG.size
        if topics > MAX_TOPICS:
            raise struct.error("too many topics")
        words = tuple(data[at + 32 * each : at + 32 * each + 32] for each in range(topics))
        at += 32 * topics
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size + length
        if at > len(data) - DIGEST_BYTES:
            raise struct.error("data goes on behind the end")
        logs.append(
            RawLog(
                Address(address),
                words,
                data[at - length : at],
                number,
                block.hash,
                TxHash(tx_hash),
                index,
            )
        )
    return (block, logs), at
