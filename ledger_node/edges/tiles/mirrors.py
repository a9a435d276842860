"""Mirrors of other cities' logs: one `TileDirectory` per origin, below one directory."""

from __future__ import annotations

from pathlib import Path

from ledger_node.core.checkpoint import parse_origin
from ledger_node.core.cosignature import hash_origin
from ledger_node.edges.tiles.directory import TileDirectory
from ledger_node.ports.tiles import TileStore


class MirrorDirectories:
    """`Mirrors`; a log's directory is named by the hash of its origin, as in C2SP tlog-mirror."""

    def __init__(self, root: Path) -> None:
        """Keep mirrors below `root`; nothing is made before the first is opened."""
        self._root = root
        self._open: dict[str, TileDirectory] = {}

    def open(self, origin: str) -> TileStore:
        """Store of one log."""
        found = self._open.get(origin)
        if found is None:
            parse_origin(origin)
            found = self._open[origin] = TileDirectory(self._root / hash_origin(origin))
        return found
