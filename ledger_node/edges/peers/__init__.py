"""Edge to other member cities: signed HTTP messages, nothing else on the wire."""

from ledger_node.edges.peers.client import HttpPeers

__all__ = ["HttpPeers"]
