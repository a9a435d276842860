"""The public files of logs in directories."""

from ledger_node.edges.tiles.directory import TileDirectory
from ledger_node.edges.tiles.mirrors import MirrorDirectories

__all__ = ["MirrorDirectories", "TileDirectory"]
