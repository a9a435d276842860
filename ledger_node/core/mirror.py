"""A log's files checked against one head before any of them is kept.

Step 10 of the data flow (watch). From the head downwards: the partial tiles at the right edge
lead to the root; every full tile is a node of the tile above it; every entry bundle is the leaves
of its tile. So a mirror stores nothing that the head does not explain, can go on where it was
broken off, and needs memory for one batch only. Spec: docs/spec/mirror.md; C2SP tlog-tiles.

Not here: fetching and keeping (flows/mirroring.py), what a failure means (witness.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ledger_node.core.entry_bundle import encode_entry_bundle, parse_entry_bundle
from ledger_node.core.errors import VerificationError
from ledger_node.core.merkle import TreeHead, hash_leaves, hash_pairs
from ledger_node.core.proof_nodes import compute_root_of_nodes
from ledger_node.core.tiles import (
    ENTRIES,
    MAX_LEVEL,
    TILE_HEIGHT,
    TILE_WIDTH,
    MalformedTileError,
    ReadTile,
    Tile,
    list_tiles,
    read_nodes_of_tiles,
)
from ledger_node.core.types import HASH_BYTES


class TileContradictionError(VerificationError):
    """A file of a log does not lead to the head it is served for: another history. Fields: path."""

    code = "tile_contradiction"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"日志文件 {path} 与已锚定的树头不符。",
            f"The log's file {path} does not lead to the anchored head.",
            path=path,
        )


def list_edge(size: int) -> list[Tile]:
    """The partial hash tiles of a tree: all its peaks stand in them."""
    counts = [(level, size >> TILE_HEIGHT * level) for level in range(MAX_LEVEL + 1)]
    return [
        Tile(level, nodes // TILE_WIDTH, nodes % TILE_WIDTH)
        for level, nodes in counts
        if nodes % TILE_WIDTH
    ]


def list_downwards(old_size: int, new_size: int) -> Iterator[Tile]:
    """Files that are new since `old_size`, without the edge: parents first, bundles last."""
    for level in range(MAX_LEVEL, ENTRIES - 1, -1):
        for tile in list_tiles(new_size, level, old_size=old_size):
            if level == ENTRIES or tile.width == TILE_WIDTH:
                yield tile


def verify_edge(head: TreeHead, edge: Mapping[str, bytes]) -> None:
    """Check that the partial tiles of the edge lead to the head's root.

    Args:
        head: At least one leaf.
        edge: Every tile of `list_edge`, by path.

    Raises:
        MalformedTileError: A tile has another length than its name says.
        TileContradictionError: They lead to another root.
    """
    root = compute_root_of_nodes(
        lambda addresses: read_nodes_of_tiles(edge.__getitem__, head.size, addresses), head.size
    )
    if root != head.root:
        raise TileContradictionError(list_edge(head.size)[0].path())


def verify_below(tile: Tile, data: bytes, size: int, read_tile: ReadTile) -> None:
    """Check a file against the tile above it, which was checked before.

    Args:
        tile: A full hash tile, or an entry bundle of any width.
        size: Of the tree whose tiles `read_tile` reads.

    Raises:
        MalformedTileError: The bytes do not fit their name.
        TileContradictionError: They are not what the tile above says.
    """
    if tile.level == ENTRIES:
        above = Tile(0, tile.index, tile.width)
        found = hash_leaves(parse_entry_bundle(data, tile.width))
        expected = read_tile(above.path())
    else:
        if len(data) != TILE_WIDTH * HASH_BYTES:
            raise MalformedTileError("日志分块的长度不对。", "a full tile has 8,192 bytes.")
        index, offset = divmod(tile.index, TILE_WIDTH)
        nodes = size >> TILE_HEIGHT * (tile.level + 1)
        above = Tile(tile.level + 1, index, min(TILE_WIDTH, nodes - index * TILE_WIDTH))
        found = _hash_full(data)
        expected = read_tile(above.path())[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
    if found != expected:
        raise TileContradictionError(tile.path())


def verify_extends(old: TreeHead, new: TreeHead, read_tile: ReadTile) -> None:
    """Check that a tree, of which all tiles were checked, begins with an earlier one.

    Raises:
        TileContradictionError: It begins with something else.
    """
    if old.size == 0:
        return
    root = compute_root_of_nodes(
        lambda addresses: read_nodes_of_tiles(read_tile, new.size, addresses), old.size
    )
    if root != old.root:
        raise TileContradictionError(Tile(0, 0, min(TILE_WIDTH, old.size)).path())


def read_partly(tile: Tile, read_tile: ReadTile, is_missing: type[Exception]) -> bytes:
    """A tile, or the beginning of the full one that took its place.

    Args:
        read_tile: Reads by path and raises `is_missing` where there is no such file.

    Raises:
        MalformedTileError: The full tile does not fit its name.
    """
    try:
        return read_tile(tile.path())
    except is_missing:
        if tile.width == TILE_WIDTH:
            raise
        full = Tile(tile.level, tile.index)
        try:
            data = read_tile(full.path())
        except is_missing:
            data = None
        if data is None:
            raise
    return cut_tile(full, data, tile.width)


def cut_tile(tile: Tile, data: bytes, width: int) -> bytes:
    """The first `width` nodes or entries of a tile.

    Raises:
        MalformedTileError: The bytes do not fit the tile's name.
    """
    if tile.level == ENTRIES:
        return encode_entry_bundle(parse_entry_bundle(data, tile.width)[:width])
    if len(data) != tile.width * HASH_BYTES:
        raise MalformedTileError("日志分块的长度不对。", "a tile has another length than its name.")
    return data[: width * HASH_BYTES]


def read_entries(read_tile: ReadTile, first: int, last: int) -> list[bytes]:
    """Entries `first` to `last - 1` from the bundles of a tree of `last` leaves."""
    found: list[bytes] = []
    for index in range(first // TILE_WIDTH, -(-last // TILE_WIDTH)):
        begin = index * TILE_WIDTH
        tile = Tile(ENTRIES, index, min(TILE_WIDTH, last - begin))
        entries = parse_entry_bundle(read_tile(tile.path()), tile.width)
        found += entries[max(0, first - begin) :]
    return found


def _hash_full(data: bytes) -> bytes:
    """Node above the 256 nodes of a full tile."""
    while len(data) > HASH_BYTES:
        data = hash_pairs(data)
    return data
