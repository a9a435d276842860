"""Proofs about other cities' entries, built from the mirrors here: the issuer need not answer.

Steps 9 and 10, promise P9. A receipt that was given before its entry was anchored is completed
from the mirror of the issuing city's log.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.entry_bundle import parse_entry_bundle
from ledger_node.core.placement import Placement
from ledger_node.core.tiles import (
    ENTRIES,
    TILE_WIDTH,
    Tile,
    build_inclusion_proof,
    parse_tile_path,
)
from ledger_node.core.types import CityId, Commitment, LeafIndex
from ledger_node.flows.facts import NotYetAnchoredError, build_placement
from ledger_node.flows.mirror_files import origin_of, read_tile_at
from ledger_node.flows.node import Node
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import AnchoredHead


def find_placement(
    node: Node, tx: Transaction, city: CityId, generation: int, commitment: Commitment
) -> tuple[Placement, AnchoredHead] | None:
    """Where a material stands in a log at a final anchor; None if nothing here shows it.

    Args:
        city: This city itself included.
    """
    if city == node.city:
        try:
            return build_placement(node, tx, commitment)
        except NotYetAnchoredError:
            return None
    row = tx.mirrors.load_mirror(city, generation)
    if row is None or row.size == 0:
        return None
    store = node.mirrors.open(origin_of(node, row))

    def read(path: str) -> bytes:
        return read_tile_at(store, row.size, parse_tile_path(path))

    index = _find_entry(read, row.size, encode_entry(EntryKind.MATERIAL, commitment))
    if index is None:
        return None
    head = tx.chain.find_covering_head(city, generation, index + 1)
    if head is None or head.tree_head.size > row.size:
        return None
    proof = build_inclusion_proof(read, index, head.tree_head.size)
    return Placement(generation, LeafIndex(index), head.tree_head, tuple(proof)), head


def _find_entry(read: Callable[[str], bytes], size: int, entry: bytes) -> int | None:
    """First index of an entry; of equal entries in one log only the first counts."""
    for number in range(-(-size // TILE_WIDTH)):
        width = min(TILE_WIDTH, size - number * TILE_WIDTH)
        data = read(Tile(ENTRIES, number, width).path())
        if entry in data:
            entries = parse_entry_bundle(data, width)
            if entry in entries:
                return number * TILE_WIDTH + entries.index(entry)
    return None
