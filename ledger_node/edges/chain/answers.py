"""JSON-RPC answers sliced into the port's values; strict, and without contract objects.

A shape that does not fit raises `ChainUnavailableError`: such an endpoint knows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ledger_node.core.qbft import QBFT_MIX_HASH, parse_qbft_extra
from ledger_node.core.rlp_items import MalformedRlpError
from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash
from ledger_node.ports.chain import BlockRef, ChainUnavailableError, RawLog, TxOutcome

_HASH_BYTES = 32
_ADDRESS_BYTES = 20
_BLOOM_BYTES = 256
_MAX_TOPICS = 4


@contextmanager
def expected_shape(what: str) -> Iterator[None]:
    """Turn whatever a wrong shape raises into `ChainUnavailableError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ChainUnavailableError(f"malformed {what}") from error


def parse_quantity(text: Any) -> int:
    """A JSON-RPC quantity: `0x` and hex digits, no sign."""
    if not isinstance(text, str) or not text.startswith("0x") or not text[2:].isalnum():
        raise ValueError("not a quantity")
    return int(text, 16)


def parse_bytes(text: Any, size_bytes: int | None = None) -> bytes:
    """JSON-RPC data, of `size_bytes` when given."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("not data")
    data = bytes.fromhex(text[2:])
    if size_bytes is not None and len(data) != size_bytes:
        raise ValueError("wrong length")
    return data


def parse_block(block: Any) -> BlockRef:
    if not isinstance(block["transactions"], list):
        raise TypeError("no list of transactions")
    return BlockRef(
        number=BlockNumber(parse_quantity(block["number"])),
        hash=BlockHash(parse_bytes(block["hash"], _HASH_BYTES)),
        parent_hash=BlockHash(parse_bytes(block["parentHash"], _HASH_BYTES)),
        block_timestamp_s=parse_quantity(block["timestamp"]),
        logs_bloom=parse_bytes(block["logsBloom"], _BLOOM_BYTES),
        tx_hashes=tuple(
            TxHash(parse_bytes(tx_hash, _HASH_BYTES)) for tx_hash in block["transactions"]
        ),
        validators=_parse_validators(block),
    )


def _parse_validators(block: Any) -> tuple[Address, ...]:
    """Who may seal the block, as a QBFT header names them; none on other engines."""
    if block.get("mixHash") != "0x" + QBFT_MIX_HASH.hex():
        return ()
    try:
        return tuple(sorted(parse_qbft_extra(parse_bytes(block["extraData"])).validators))
    except MalformedRlpError as error:
        raise ValueError("extra data that is not of QBFT") from error


def parse_log(log: Any) -> RawLog:
    if log.get("removed"):
        raise ValueError("log of an orphaned block")
    topics = tuple(parse_bytes(topic, _HASH_BYTES) for topic in log["topics"])
    if len(topics) > _MAX_TOPICS:
        raise ValueError("too many topics")
    return RawLog(
        address=Address(parse_bytes(log["address"], _ADDRESS_BYTES)),
        topics=topics,
        data=parse_bytes(log["data"]),
        block_number=BlockNumber(parse_quantity(log["blockNumber"])),
        block_hash=BlockHash(parse_bytes(log["blockHash"], _HASH_BYTES)),
        tx_hash=TxHash(parse_bytes(log["transactionHash"], _HASH_BYTES)),
        log_index=parse_quantity(log["logIndex"]),
    )


def parse_outcome(receipt: Any) -> TxOutcome:
    return TxOutcome(
        tx_hash=TxHash(parse_bytes(receipt["transactionHash"], _HASH_BYTES)),
        block_number=BlockNumber(parse_quantity(receipt["blockNumber"])),
        block_hash=BlockHash(parse_bytes(receipt["blockHash"], _HASH_BYTES)),
        succeeded=parse_quantity(receipt["status"]) == 1,
        gas_used=parse_quantity(receipt["gasUsed"]),
        log_count=len(receipt["logs"]),
    )


def order_logs(logs: list[RawLog]) -> list[RawLog]:
    """Chain order, each log once.

    Raises:
        ChainUnavailableError: Two different logs claim one place.
    """
    placed: dict[tuple[int, int], RawLog] = {}
    for log in logs:
        if placed.setdefault((log.block_number, log.log_index), log) != log:
            raise ChainUnavailableError("two logs at one place")
    return [placed[place] for place in sorted(placed)]
