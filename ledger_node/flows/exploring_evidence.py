"""Evidence of one entry to take away: every event that touches it, as raw logs, and its proof.

Step 11. RFC 8785 bytes that depend on nothing but the ledger up to the block asked for: the same
question gives the same bytes for ever. Format: docs/spec/audit-bundle.md.
"""

from __future__ import annotations

from ledger_node.core.canonical import JsonObject, encode_canonical
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.chain_facts_format import encode_block
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.entry import encode_entry
from ledger_node.core.merkle import hash_leaf
from ledger_node.core.placement import encode_placement
from ledger_node.core.shapes import encode_address
from ledger_node.core.types import BlockNumber
from ledger_node.flows.exploring_histories import MaterialHistory, NothingFoundError
from ledger_node.flows.facts import NotYetAnchoredError
from ledger_node.flows.node import Node
from ledger_node.ports.chain import RawLog
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import Place

BUNDLE_VERSION = "tongban/audit-bundle/v1"


def load_final_number(node: Node) -> BlockNumber | None:
    """The newest final block: what a bundle made now speaks up to."""
    with node.database.read() as tx:
        tip = tx.chain.load_tip()
    return None if tip is None else tip.final_number


def build_evidence_bundle(node: Node, history: MaterialHistory, as_of: BlockNumber) -> bytes:
    """Bundle of an entry with a checked proof.

    Args:
        history: From `exploring_histories`.
        as_of: A final block; events behind it are left out.

    Raises:
        NotYetAnchoredError: No head anchored up to that block covers the entry, or the block is
            not final yet.
        LedgerError: The issuing city's log gave no usable proof.
    """
    if history.problem is not None:
        raise history.problem
    if history.placement is None or history.anchor is None:
        raise NotYetAnchoredError
    if history.anchor.place.block_number > as_of:
        raise NotYetAnchoredError
    with node.database.read() as tx:
        tip, block = tx.chain.load_tip(), tx.chain.find_block(as_of)
        if block is None:
            raise NothingFoundError
        if tip is None or as_of > tip.final_number:
            raise NotYetAnchoredError
        events = [_read_log(tx, place) for place in _list_places(history, as_of)]
    fact = BlockFact(block.number, block.hash, block.block_timestamp_s)
    return encode_canonical(_encode(node, history, events, fact))


def _list_places(history: MaterialHistory, as_of: BlockNumber) -> list[Place]:
    """Of the anchor, of every status, of every objection and of what ended it; in chain order."""
    places = [] if history.anchor is None else [history.anchor.place]
    places += [each.place for each in history.statuses]
    for each in history.objections:
        places.append(each.objection.place)
        places += [place for _, place in each.ends]
    known = [place for place in places if place.block_number <= as_of]
    return sorted(known, key=lambda place: (place.block_number, place.log_index))


def _read_log(tx: Transaction, place: Place) -> tuple[RawLog, int]:
    found = tx.explore.find_log(place.block_number, place.log_index)
    if found is None:  # rolled back since the history was read
        raise NothingFoundError
    return found


def _encode(
    node: Node, history: MaterialHistory, events: list[tuple[RawLog, int]], as_of: BlockFact
) -> JsonObject:
    assert history.kind is not None  # a history with a placement has its entry
    assert history.commitment is not None
    assert history.placement is not None
    entry = encode_entry(history.kind, history.commitment)
    return {
        "v": BUNDLE_VERSION,
        "origin": build_origin(node.domain, history.city, history.placement.generation),
        "chain_id": node.profile.chain_id,
        "genesis": node.profile.genesis_hash.hex(),
        "city": history.city,
        "entry": entry.hex(),
        "leaf_hash": hash_leaf(entry).hex(),
        "placement": encode_placement(history.placement),
        "as_of": encode_block(as_of),
        "events": [_encode_log(log, timestamp_s) for log, timestamp_s in events],
    }


def _encode_log(log: RawLog, timestamp_s: int) -> JsonObject:
    return {
        "contract": encode_address(log.address),
        "topics": [topic.hex() for topic in log.topics],
        "data": log.data.hex(),
        "block_number": log.block_number,
        "block_hash": log.block_hash.hex(),
        "block_timestamp": timestamp_s,
        "tx_hash": log.tx_hash.hex(),
        "log_index": log.log_index,
    }
