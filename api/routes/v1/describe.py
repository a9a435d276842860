"""Shared parts of answers."""

from __future__ import annotations

from datetime import UTC, datetime

from api.schemas.common import Block
from ledger_node.ports.database_chain import Place


def describe_time(seconds: int) -> datetime:
    """Block time as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


def describe_block(place: Place) -> Block:
    """Where something stands on the chain."""
    return Block(
        number=place.block_number,
        hash=place.block_hash.hex(),
        time=describe_time(place.block_timestamp_s),
        transaction=place.tx_hash.hex(),
    )
