"""Edge to other member cities: signed HTTP messages, and the public files of their logs."""

from ledger_node.edges.peers.client import HttpPeers
from ledger_node.edges.peers.log_files import HttpLogFiles, MirrorLogFiles

__all__ = ["HttpLogFiles", "HttpPeers", "MirrorLogFiles"]
