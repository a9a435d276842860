"""What an auditor keeps between two runs: a copy of the chain's blocks and logs, and how far.

Step 11. Nothing in it is trusted: blocks are linked and compared with their filters again whenever
they are read, and the fold begins anew from them. Spec: docs/spec/chain-copy.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ledger_node.core.types import BlockNumber
from ledger_node.ports.chain import BlockRef, ChainIdentity, RawLog

CopiedBlock = tuple[BlockRef, list[RawLog]]
"""A block with all its logs, numbered 0, 1, 2 …, whose addresses and topics make its filter."""


class AuditFolder(Protocol):
    """Promises: what a call saved is durable when it returns, whole or not at all; bytes that
    changed since are refused, never half read.

    Raises (every method): AuditFolderError; ChainCopyDamagedError for bytes that changed.
    """

    def load_identity(self) -> ChainIdentity | None:
        """Which chain is copied here; None in a folder that was never used."""
        ...

    def save_identity(self, identity: ChainIdentity) -> None: ...

    def load_blocks(self, first: BlockNumber) -> list[CopiedBlock] | None:
        """The portion that begins with block `first`; None if there is none."""
        ...

    def save_blocks(self, blocks: Sequence[CopiedBlock]) -> None:
        """Keep a portion of neighbouring blocks, each with all its logs."""
        ...

    def find_last_block(self) -> BlockRef | None:
        """The highest block copied."""
        ...

    def load_progress(self) -> bytes | None: ...

    def save_progress(self, data: bytes) -> None: ...
