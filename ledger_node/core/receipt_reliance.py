"""Reliance receipt (采信凭证): everything a clerk relied on, signed as one by the relying city.

Step 9 of the data flow. Spec: design section 10, docs/spec/receipt.md.

Request, answer and acknowledgement stand in the body as the JSON they were sent as, sealed parts
included: their canonical bytes are what was signed and what the permit commits to.

Invariants:
    * Nothing is said twice: terms, evidence and bundle are the request's, proofs and digests the
      answer's.
Not here: bytes (receipt_reliance_format.py), envelope and seal (receipt.py), checks
(verify_reliance.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.event_types import Position, StatusFlag
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.release_answer import ReleaseAnswer
from ledger_node.core.release_request import ReleaseRequest
from ledger_node.core.shapes import Opening
from ledger_node.core.signed_head import SignedAnswerHead, SignedHead
from ledger_node.core.types import CityId, Commitment, Salt


@dataclass(frozen=True, slots=True)
class ReliedMaterial:
    """One material as the clerk saw it.

    Attributes:
        commitment: Which of the answer's materials.
        disclosed: Disclosure texts by position.
        anchored: The `CheckpointAnchored` event of the head its proof ends in.
        status: Flags on chain at the block the state was read at.
        open_objections: Open objections at that block.
    """

    commitment: Commitment
    disclosed: Mapping[int, str]
    anchored: Position
    status: StatusFlag
    open_objections: int


@dataclass(frozen=True, slots=True)
class RelianceDecision:
    """Who decided, in which role, and how."""

    officer: str
    role: OfficerRole
    outcome: str


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A line of the verdict as the clerk saw it: question, state, code if it did not hold."""

    question: str
    state: str
    code: str | None


@dataclass(frozen=True, slots=True)
class RelianceBody:
    """Everything relied on.

    Attributes:
        receipt_id: Id inside the relying city.
        city, generation: Relying city, and the generation of its log the entry is made for.
        decided_at_s: Unix time of the decision, as the city says; block time bounds it.
        decision: Who and how.
        catalogue: Version of the catalogue the decision was made under.
        request, request_bytes: As sent; the bytes are what was signed.
        request_head: Its signature.
        answer, answer_bytes: As received.
        answer_head: Its signature.
        acknowledgement_bytes: The signed file that was sent back.
        release_salt: Opens the release commitment.
        materials: As relied on, in the answer's order.
        subject, item, case: Openings of the terms' commitments.
        recorded, consumed: The events `GrantRecorded` and `GrantConsumed`.
        state_block: Block the materials' state was read at.
        verdicts: The four lines as the clerk saw them (version 1); the relying city's word.
    """

    receipt_id: str
    city: CityId
    generation: int
    decided_at_s: int
    decision: RelianceDecision
    catalogue: str
    request: ReleaseRequest
    request_bytes: bytes
    request_head: SignedHead
    answer: ReleaseAnswer
    answer_bytes: bytes
    answer_head: SignedAnswerHead
    acknowledgement_bytes: bytes
    release_salt: Salt
    materials: tuple[ReliedMaterial, ...]
    subject: Opening
    item: Opening
    case: Opening
    recorded: Position
    consumed: Position
    state_block: BlockFact
    verdicts: tuple[SeenLine, ...] = ()
