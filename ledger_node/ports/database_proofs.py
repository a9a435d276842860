"""Database group `proofs`: what this node took of the chain while it could still be had (step 9).

Engines keep old state for some blocks only, so not every row can be made again: they are backed
up. They hold what stands in public blocks, of final ones only. Spec: docs/spec/receipt-v1.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ledger_node.core.types import BlockHash, BlockNumber, GrantId
from ledger_node.ports.database_chain import Place


class ProofKind(StrEnum):
    """What is proven of a place: the log there, or what the status contract held after its block
    of the credentials behind the grant recorded there."""

    LOG = "log"
    CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True)
class ProofRow:
    """A proof with the header it leads to.

    Attributes:
        block_number, log_index: The event it belongs to.
        kind: What is proven.
        block_hash: Of the header, 32 bytes.
        evidence: `ChainEvidence` as receipts carry it, RFC 8785 bytes.
    """

    block_number: BlockNumber
    log_index: int
    kind: ProofKind
    block_hash: BlockHash
    evidence: bytes


class ProofGroup(Protocol):
    """Proofs by the event they belong to."""

    def save_proof(self, row: ProofRow) -> None:
        """Keep a proof; who comes second changes nothing."""
        ...

    def find_proof(self, place: Place, kind: ProofKind) -> bytes | None:
        """Evidence kept of exactly this place."""
        ...

    def list_unproven_anchors(self, limit: int) -> list[Place]:
        """Final anchors of all cities whose log is not proven here, oldest first."""
        ...

    def list_unproven_grants(
        self, first_block: BlockNumber, limit: int
    ) -> list[tuple[GrantId, Place]]:
        """Grants held here and finally recorded from a block on, whose credentials are not."""
        ...
