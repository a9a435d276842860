"""A log's files brought into a tile store, each checked against the head before it is kept.

Step 10 of the data flow. Used to mirror other cities' logs (mirroring.py) and to take this city's
own log back from a mirror (recovering.py). Crash order: a batch of checked files durable -> the
next batch; what is there already is not fetched again.
"""

from __future__ import annotations

from typing import Final

from ledger_node.core.merkle import TreeHead
from ledger_node.core.mirror import (
    list_downwards,
    list_edge,
    read_partly,
    verify_below,
    verify_edge,
    verify_extends,
)
from ledger_node.core.tiles import ReadTile, Tile, overlay_tiles
from ledger_node.core.types import CityId
from ledger_node.flows.node import Node
from ledger_node.ports.peers import LogFileRefusedError
from ledger_node.ports.tiles import TileNotFoundError, TileStore

BATCH_FILES: Final = 64
MAX_TILE_BYTES: Final = 256 * (2 + 2**16)


def build_reader(node: Node, city: CityId, prefix: str) -> ReadTile:
    """Reads files of a log at a member's registered address.

    Args:
        prefix: Path of the log there, for example `/log/1/`.
    """

    def read(path: str) -> bytes:
        return node.peers.fetch_log_file(city, prefix + path, max_bytes=MAX_TILE_BYTES)

    return read


def copy_log(fetch: ReadTile, store: TileStore, old: TreeHead, head: TreeHead) -> int:
    """Bring a store from one head to a later one; returns how many files were fetched.

    Effects: only files that the head explains are stored, in batches, each durable. Idempotent.

    Args:
        fetch: Reads by path; may be anybody's, nothing is believed.
        old: Head up to which the store is whole.
        head: At least one leaf; what is believed (anchored).

    Raises:
        PeerUnavailableError: A file was not to be had.
        MalformedTileError: A file does not fit its name.
        TileContradictionError: A file leads to another root, or `head` does not continue `old`.
        TileConflictError: The store holds another file: it was damaged.
        TileStoreUnavailableError: The disk.
    """
    edge = {
        tile.path(): read_partly(tile, fetch, LogFileRefusedError) for tile in list_edge(head.size)
    }
    verify_edge(head, edge)
    store.put_all(edge)
    fetched, batch = len(edge), dict[str, bytes]()
    read_here = overlay_tiles(batch, store.read)
    for tile in list_downwards(old.size, head.size):
        if _is_there(store, tile):
            continue
        data = read_partly(tile, fetch, LogFileRefusedError)
        verify_below(tile, data, head.size, read_here)
        batch[tile.path()] = data
        fetched += 1
        if len(batch) >= BATCH_FILES:
            store.put_all(batch)
            batch.clear()
    store.put_all(batch)
    verify_extends(old, head, store.read)
    return fetched


def _is_there(store: TileStore, tile: Tile) -> bool:
    try:
        store.read(tile.path())
    except TileNotFoundError:
        return False
    return True
