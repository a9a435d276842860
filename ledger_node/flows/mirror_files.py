"""Reading what is mirrored here: checkpoints, and tiles of every width.

A mirror keeps the partial tiles of the heads it stopped at; narrower ones are the beginning of a
wider one and are cut from it.
"""

from __future__ import annotations

from ledger_node.core.checkpoint import build_origin
from ledger_node.core.cosignature import hash_origin
from ledger_node.core.mirror import cut_tile
from ledger_node.core.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, parse_tile_path
from ledger_node.flows.node import Node
from ledger_node.ports.database_mirrors import MirrorRow
from ledger_node.ports.tiles import TileNotFoundError, TileStore


def read_mirrored_checkpoint(node: Node, origin_hash: str) -> bytes:
    """The cosigned checkpoint of a mirrored log.

    Raises:
        TileNotFoundError: The log is not mirrored here, or not cosigned yet.
    """
    row = _find_mirror(node, origin_hash)
    if row.note is None:
        raise TileNotFoundError("checkpoint")
    return row.note


def read_mirrored_tile(node: Node, origin_hash: str, path: str) -> bytes:
    """A file of a mirrored log, of the asked width.

    Raises:
        MalformedTilePathError: It is no tile's path.
        TileNotFoundError: The mirror does not hold it.
    """
    tile = parse_tile_path(path)
    row = _find_mirror(node, origin_hash)
    return read_tile_at(node.mirrors.open(origin_of(node, row)), row.size, tile)


def read_tile_at(store: TileStore, size: int, tile: Tile) -> bytes:
    """A tile of a tree of `size` leaves, cut where a wider one is kept.

    Raises:
        TileNotFoundError: The tree has no such tile.
    """
    nodes = size >> TILE_HEIGHT * max(tile.level, 0)
    width = min(TILE_WIDTH, nodes - tile.index * TILE_WIDTH)
    if width < tile.width:
        raise TileNotFoundError(tile.path())
    kept = Tile(tile.level, tile.index, width)
    data = store.read(kept.path())
    return data if kept == tile else cut_tile(kept, data, tile.width)


def origin_of(node: Node, row: MirrorRow) -> str:
    """Origin of a mirrored log."""
    return build_origin(node.domain, row.city, row.generation)


def _find_mirror(node: Node, origin_hash: str) -> MirrorRow:
    with node.database.read() as tx:
        rows = tx.mirrors.list_mirrors()
    for row in rows:
        if row.size and hash_origin(origin_of(node, row)) == origin_hash:
            return row
    raise TileNotFoundError(f"{origin_hash[:16]}…")
