"""Pages of documents as pictures, drawn by a process of its own."""

from ledger_node.edges.rendering.capped import CappedRenderer

__all__ = ["CappedRenderer"]
