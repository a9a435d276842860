"""Where an event stands, by what a proof can hold: block, transaction and log by their index.

Step 9 of the data flow: receipts of version 1 name events so. Spec: docs/spec/receipt-v1.md,
"Places".

Invariants:
    * Every member is under the block's hash, or is the block's hash; nothing is a mere pointer.
Not here: positions with a transaction hash (chain_facts_format.py).
"""

from __future__ import annotations

from ledger_node.core.canonical import JsonObject, JsonValue, require_int, require_members
from ledger_node.core.chain_facts import NO_TX_HASH
from ledger_node.core.event_types import Position
from ledger_node.core.shapes import MAX_TIME_S, encode_address, read_address, read_bytes32
from ledger_node.core.types import BlockHash, BlockNumber

PLACE_MEMBERS = ("contract", "block_number", "block_hash", "block_timestamp", "transaction", "log")
MAX_INDEX = 2**20 - 1  # of a transaction in its block, of a log in its transaction


def place_index(transaction: int, log: int) -> int:
    """Log index of a place: rises as the logs of a block do."""
    return transaction * (MAX_INDEX + 1) + log


def encode_place(position: Position) -> JsonObject:
    """Write where an event stands, by what a proof can hold: block, transaction and log."""
    transaction, log = divmod(position.log_index, MAX_INDEX + 1)
    return {
        "contract": encode_address(position.address),
        "block_number": position.block_number,
        "block_hash": position.block_hash.hex(),
        "block_timestamp": position.block_timestamp_s,
        "transaction": transaction,
        "log": log,
    }


def read_place(value: JsonValue, *, what: str) -> Position:
    """Read a place; the position has no transaction hash, and an index within its block.

    Raises:
        UnexpectedShapeError, MalformedEncodingError: A member is missing, unknown or misspelt.
    """
    m = require_members(value, PLACE_MEMBERS, what=what)
    return Position(
        block_number=BlockNumber(require_int(m["block_number"], what=f"{what} block_number")),
        log_index=place_index(
            require_int(m["transaction"], what=f"{what} transaction", maximum=MAX_INDEX),
            require_int(m["log"], what=f"{what} log", maximum=MAX_INDEX),
        ),
        tx_hash=NO_TX_HASH,
        block_hash=BlockHash(read_bytes32(m["block_hash"], what=f"{what} block_hash")),
        block_timestamp_s=require_int(
            m["block_timestamp"], what=f"{what} block_timestamp", maximum=MAX_TIME_S
        ),
        address=read_address(m["contract"], what=f"{what} contract"),
    )
