"""The document store of a directory, and sealing in the age format."""

from ledger_node.edges.documents.age_sealer import AgeSealer, remove_unfinished
from ledger_node.edges.documents.segments import SegmentStore

__all__ = ["AgeSealer", "SegmentStore", "remove_unfinished"]
