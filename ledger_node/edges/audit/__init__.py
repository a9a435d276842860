"""An auditor's own folder: copied blocks and logs of the chain, progress of an audit."""

from ledger_node.edges.audit.folder import AuditDirectory, AuditFolderError
from ledger_node.edges.audit.portions import ChainCopyDamagedError, encode_portion, parse_portion
from ledger_node.edges.audit.tile_files import DirectoryLogFiles

__all__ = [
    "AuditDirectory",
    "AuditFolderError",
    "ChainCopyDamagedError",
    "DirectoryLogFiles",
    "encode_portion",
    "parse_portion",
]
