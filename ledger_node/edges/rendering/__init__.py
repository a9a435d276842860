"""Documents of strangers: looked at, and drawn as pictures, by processes of their own."""

from ledger_node.edges.rendering.capped import CappedRenderer
from ledger_node.edges.rendering.inspector import CappedInspector

__all__ = ["CappedInspector", "CappedRenderer"]
