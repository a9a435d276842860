"""Tiles and entry bundles: how a city's log is stored and served.

Step 3 of the data flow (entries -> tiles, tree head). Spec: C2SP tlog-tiles; docs/spec/log.md.
A tile of level L and index N holds the 256 nodes of tree level 8L from 256·N on; a partial tile
holds the first W of them. An entry bundle holds the 256 entries behind a tile of level 0, each
after its length as uint16. Vectors: tests/vectors/tiles/.

Invariants:
    * A full tile never changes; a partial tile is the beginning of every later one.
    * A tile read back must have exactly the length its name says.
Not here: files (edges/tiles), checkpoints (checkpoint.py). Readers are functions from path to
bytes; a reader that falls back from a partial to the full tile cuts it to the asked width.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger_node.core.errors import MalformedInputError
from ledger_node.core.merkle import MAX_TREE_SIZE, TreeHead, hash_pairs
from ledger_node.core.proof_nodes import (
    NodeAddress,
    build_consistency_proof_of_nodes,
    build_inclusion_proof_of_nodes,
    compute_root_of_nodes,
)
from ledger_node.core.types import HASH_BYTES, NodeHash, RootHash, TreeSize

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
ENTRIES = -1  # level of an entry bundle
MAX_LEVEL = 7  # higher tiles would need more than 2**64 leaves
MAX_ENTRY_BYTES = 2**16 - 1

_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)

ReadTile = Callable[[str], bytes]


class MalformedTilePathError(MalformedInputError):
    """The text is not the path of a tile or entry bundle."""

    code = "malformed_tile_path"


class MalformedTileError(MalformedInputError):
    """The bytes of a tile or entry bundle do not fit its name."""

    code = "malformed_tile"


@dataclass(frozen=True, slots=True)
class Tile:
    """Name of a tile or entry bundle.

    Attributes:
        level: 0 to 7, or `ENTRIES`.
        index: Position within the level, 0-based.
        width: Nodes or entries it holds, 1 to 256; below 256 it is partial.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """Path below the log's prefix, as in C2SP tlog-tiles."""
        return tile_path(self.level, self.index, self.width)


def _fits(level: int, index: int) -> bool:
    shift = TILE_HEIGHT * max(level, 0)
    return 0 <= index <= MAX_TREE_SIZE >> shift + TILE_HEIGHT and level <= MAX_LEVEL


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Path of a tile: `tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last with x.

    Raises:
        MalformedTilePathError: Level, index or width out of range.
    """
    if level < ENTRIES or not _fits(level, index) or not 1 <= width <= TILE_WIDTH:
        raise _bad_path(f"{level}, {index}, {width}")
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    name = "entries" if level == ENTRIES else str(level)
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{name}/{'/'.join(groups)}{partial}"


def parse_tile_path(path: str) -> Tile:
    """Read a tile path; exactly the spelling `tile_path` writes.

    Raises:
        MalformedTilePathError: Anything else, leading zero groups and width 256 included.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise _bad_path(path)
    name, groups, width = match.groups()
    tile = Tile(
        ENTRIES if name == "entries" else int(name),
        int(groups.replace("/", "").replace("x", "")),
        TILE_WIDTH if width is None else int(width),
    )
    if tile.path() != path:
        raise _bad_path(path)
    return tile


def _bad_path(path: str) -> MalformedTilePathError:
    return MalformedTilePathError(
        "不是日志分块的路径。", f"not the path of a tile: {path[:80]!r}.", path=path[:80]
    )


def list_tiles(tree_size: int, level: int, *, old_size: int = 0) -> Iterator[Tile]:
    """Tiles of one level that are new or wider at `tree_size` than at `old_size`."""
    shift = TILE_HEIGHT * max(level, 0)
    nodes, old_nodes = tree_size >> shift, old_size >> shift
    if nodes == old_nodes:
        return
    for index in range(old_nodes // TILE_WIDTH, -(-nodes // TILE_WIDTH)):
        yield Tile(level, index, min(TILE_WIDTH, nodes - index * TILE_WIDTH))


def list_changed_tiles(old_size: int, new_size: int) -> list[Tile]:
    """Every tile and entry bundle that a log growing from old to new size has to write."""
    levels = range(ENTRIES, MAX_LEVEL + 1)
    return [tile for level in levels for tile in list_tiles(new_size, level, old_size=old_size)]


def list_all_tiles(tree_size: int) -> list[Tile]:
    """Every tile and entry bundle of a log of this size, the partial ones of this size included."""
    return list_changed_tiles(0, tree_size)


def build_tiles(
    old_size: int, leaf_hashes: bytes, read_tile: ReadTile
) -> Iterator[tuple[str, bytes]]:
    """Tiles that change when leaf hashes are appended.

    Args:
        old_size: Leaves before.
        leaf_hashes: New leaf hashes, 32 bytes each, one after the other.
        read_tile: Reads the partial tiles at the right edge of the old tree.

    Yields:
        Path and bytes, level by level, left to right; full tiles and the last partial one.

    Raises:
        MalformedTileError: An old tile has another length than its name says.
    """
    level, old_nodes, nodes = 0, old_size, leaf_hashes
    while nodes:
        first, width = divmod(old_nodes, TILE_WIDTH)
        if width:
            nodes = _read_checked(read_tile, Tile(level, first, width)) + nodes
        roots = []
        for number, at in enumerate(range(0, len(nodes), TILE_WIDTH * HASH_BYTES)):
            data = nodes[at : at + TILE_WIDTH * HASH_BYTES]
            yield tile_path(level, first + number, len(data) // HASH_BYTES), data
            if len(data) == TILE_WIDTH * HASH_BYTES:
                roots.append(_hash_tile(data))
        level, old_nodes, nodes = level + 1, first, b"".join(roots)


def _hash_tile(data: bytes) -> bytes:
    while len(data) > HASH_BYTES:
        data = hash_pairs(data)
    return data


def _read_checked(read_tile: ReadTile, tile: Tile) -> bytes:
    data = read_tile(tile.path())
    if len(data) != tile.width * HASH_BYTES:
        raise MalformedTileError(
            "日志分块的长度与其名称不符。",
            f"{tile.path()} should have {tile.width * HASH_BYTES} bytes, has {len(data)}.",
            path=tile.path(),
        )
    return data


def read_nodes_of_tiles(
    read_tile: ReadTile, tree_size: int, addresses: Sequence[NodeAddress]
) -> list[NodeHash]:
    """Nodes of a tree, from its tiles; every tile is read once.

    Args:
        read_tile: Reads a tile by path, of the width it has at `tree_size`.
        tree_size: Size of the tree the tiles belong to.
        addresses: Perfect subtrees that lie inside the tree.

    Raises:
        MalformedTileError: A tile has another length than its name says.
    """
    tiles: dict[Tile, bytes] = {}
    hashes = []
    for level, index in addresses:
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile_index, offset = divmod(index << height, TILE_WIDTH)
        width = min(TILE_WIDTH, (tree_size >> tile_level * TILE_HEIGHT) - tile_index * TILE_WIDTH)
        tile = Tile(tile_level, tile_index, width)
        if tile not in tiles:
            tiles[tile] = _read_checked(read_tile, tile)
        begin, end = offset * HASH_BYTES, (offset + (1 << height)) * HASH_BYTES
        hashes.append(NodeHash(_hash_tile(tiles[tile][begin:end])))
    return hashes


def build_inclusion_proof(
    read_tile: ReadTile, leaf_index: int, tree_size: int
) -> tuple[NodeHash, ...]:
    """Inclusion proof from the tiles of a tree of `tree_size` leaves.

    Raises:
        LeafOutOfRangeError: Unless 0 <= leaf_index < tree_size.
        MalformedTileError: A tile has another length than its name says.
    """
    return build_inclusion_proof_of_nodes(
        lambda addresses: read_nodes_of_tiles(read_tile, tree_size, addresses),
        leaf_index,
        tree_size,
    )


def build_consistency_proof(
    read_tile: ReadTile, old_size: int, new_size: int
) -> tuple[NodeHash, ...]:
    """Consistency proof from the tiles of a tree of `new_size` leaves.

    Raises:
        LeafOutOfRangeError: Unless 0 <= old_size <= new_size.
        MalformedTileError: A tile has another length than its name says.
    """
    return build_consistency_proof_of_nodes(
        lambda addresses: read_nodes_of_tiles(read_tile, new_size, addresses), old_size, new_size
    )


def compute_root_from_tiles(read_tile: ReadTile, tree_size: int) -> RootHash:
    """Root of a tree from the tiles at its right edge (one per level).

    Trusts full tiles below the edge: to check a log, rebuild it from entry bundles instead.

    Raises:
        MalformedTileError: A tile has another length than its name says.
    """
    return compute_root_of_nodes(
        lambda addresses: read_nodes_of_tiles(read_tile, tree_size, addresses), tree_size
    )


def overlay_tiles(tiles: Mapping[str, bytes], read_tile: ReadTile) -> ReadTile:
    """A reader that finds `tiles` first: tiles that are built but not yet stored."""

    def read(path: str) -> bytes:
        found = tiles.get(path)
        return read_tile(path) if found is None else found

    return read


def extend_tiles(
    old_size: int, leaf_hashes: bytes, read_tile: ReadTile
) -> tuple[dict[str, bytes], TreeHead]:
    """Tiles to write and the new tree head, in one go.

    Raises:
        MalformedTileError: An old tile has another length than its name says.
    """
    tiles = dict(build_tiles(old_size, leaf_hashes, read_tile))
    new_size = TreeSize(old_size + len(leaf_hashes) // HASH_BYTES)
    root = compute_root_from_tiles(overlay_tiles(tiles, read_tile), new_size)
    return tiles, TreeHead(new_size, root)
