"""Database group `proofs`: what this node took of the chain while it could still be had (step 9).

An engine keeps old state for some blocks only, so rows here cannot be made again: they are backed
up. They hold what stands in public blocks and nothing else. Spec: docs/spec/receipt-v1.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from ledger_node.core.types import BlockHash, BlockNumber
from ledger_node.ports.database_chain import Place


@dataclass(frozen=True, slots=True)
class ProofRow:
    """A proof with the header it leads to.

    Attributes:
        block_number, block_hash: Of the header.
        subject: What is proven in that block (`flows/proving.py` names it), at most 64 bytes.
        evidence: `ChainEvidence` as receipts carry it, RFC 8785 bytes.
    """

    block_number: BlockNumber
    block_hash: BlockHash
    subject: bytes
    evidence: bytes


class ProofGroup(Protocol):
    """Proofs by block and subject."""

    def save_proof(self, row: ProofRow) -> None:
        """Keep a proof; whoever comes second with the same one changes nothing."""
        ...

    def find_proof(self, block_hash: BlockHash, subject: bytes) -> ProofRow | None: ...

    def list_unproven_anchors(self, prefix: bytes, limit: int) -> list[Place]:
        """Final anchors without a proof, oldest first.

        Args:
            prefix: A log's subject is this and the index of the log in its block, four bytes.
        """
        ...

    def count_proofs(self, block_hashes: Collection[BlockHash]) -> int: ...
