"""The public files of a log in a directory."""

from ledger_node.edges.tiles.directory import TileDirectory

__all__ = ["TileDirectory"]
