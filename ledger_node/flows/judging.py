"""Step 9 before the decision: a verdict on each material that came, as its receipt would get it.

The same checks that `relying` makes before it files and everybody makes later, one material at a
time and without refusing: what fails is a red line with its reason. Bad news counts as soon as it
is seen, final or not. Reading only: nothing signed here is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger_node.core.canonical import JsonValue
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.entry import EntryKind
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.receipt_reliance import RelianceDecision, ReliedMaterial
from ledger_node.core.release_check import ReceivedMaterial
from ledger_node.core.statement_parts import DocumentPart
from ledger_node.core.status import Standing, decide_standing
from ledger_node.core.types import CityId, Commitment
from ledger_node.core.verdict import LineState, Question, VerdictLine, before_filing, judge
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.core.verify_reliance import verify_reliance
from ledger_node.flows.facts import leaf_hash_of, read_status_flags
from ledger_node.flows.granting import HeldGrant, load_grant
from ledger_node.flows.node import Node
from ledger_node.flows.receipt_facts import load_receipt_facts
from ledger_node.flows.receiving import ReceivedRelease, load_incoming, open_release
from ledger_node.flows.relying import build_body, load_permit, read_materials, sign_preview
from ledger_node.flows.trusting import load_final_block, load_trust
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import Consumption, RecordedGrant

_BAD_NEWS: Mapping[Standing, VerdictCode] = {
    Standing.WITHDRAWN: VerdictCode.STATUS_WITHDRAWN,
    Standing.SUPERSEDED: VerdictCode.STATUS_SUPERSEDED,
    Standing.SPENT: VerdictCode.STATUS_SPENT,
    Standing.ERASED: VerdictCode.STATUS_ERASED,
}


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A document that came with a material: its index there, and what it is."""

    index: int
    part: DocumentPart


@dataclass(frozen=True, slots=True)
class JudgedMaterial:
    """A material that came, with the verdict it would be relied on under.

    Attributes:
        city: That released it.
        values: Disclosed fields by name.
        lines: One per question, in order.
        as_of_s: Block time the state was read at, Unix seconds.
    """

    city: CityId
    request_digest: bytes
    commitment: Commitment
    type_code: str
    values: Mapping[str, JsonValue]
    documents: tuple[JudgedDocument, ...]
    lines: tuple[VerdictLine, ...]
    as_of_s: int

    @property
    def state(self) -> LineState:
        """Fails if a line fails, else pending if one is, else holds."""
        states = {line.state for line in self.lines}
        return next(
            (each for each in (LineState.FAILS, LineState.PENDING) if each in states),
            LineState.HOLDS,
        )

    @property
    def codes(self) -> tuple[VerdictCode, ...]:
        """Codes of the lines that do not hold."""
        return tuple(line.code for line in self.lines if line.code is not None)


def judge_release(
    node: Node, request_digest: bytes, officer: str, role: OfficerRole
) -> tuple[JudgedMaterial, ...]:
    """Verdict on every material of an acknowledged release, as decided now by this officer.

    Raises:
        ReleaseNotFoundError, ReleaseNotCompleteError: Nothing whole to look at.
        PermitNotFinalError, NotFollowedError: Not yet.
        VerificationError: What is stored does not hold any more.
    """
    received = open_release(node, load_incoming(node, request_digest))
    held = load_grant(node, received.row.grant_id)
    decision = RelianceDecision(officer, role, "preview")
    with node.database.read() as tx:
        permit = _load_permit_or_revoked(tx, received)
        block = load_final_block(tx)
        chosen = [each.material.commitment for each in received.materials]
        relied = read_materials(tx, received, chosen, demand_reliable=False)
        return tuple(
            _judge(node, tx, received, held, decision, permit, block, material)
            for material in relied
        )


@dataclass(frozen=True, slots=True)
class _Permit:
    recorded: RecordedGrant
    consumed: Consumption
    revoked: bool


def _load_permit_or_revoked(tx: Transaction, received: ReceivedRelease) -> _Permit:
    """As `load_permit`; a revocation is noted instead of raised."""
    row = received.row
    revoked = tx.chain.find_revocation(row.grant_id) is not None
    if not revoked:
        return _Permit(*load_permit(tx, received), revoked=False)
    recorded = tx.chain.find_grant(row.grant_id)
    assert row.release_commitment is not None  # `open_release` found its consumption
    consumed = tx.chain.find_consumption(row.release_commitment)
    assert recorded is not None
    assert consumed is not None
    return _Permit(recorded, consumed, revoked=True)


def _judge(
    node: Node,
    tx: Transaction,
    received: ReceivedRelease,
    held: HeldGrant,
    decision: RelianceDecision,
    permit: _Permit,
    block: BlockFact,
    material: ReliedMaterial,
) -> JudgedMaterial:
    pair = (permit.recorded, permit.consumed)
    body = build_body(node, received, held, decision, pair, block, [material])
    facts = load_receipt_facts(tx, node.domain, body, *pair)
    trust = load_trust(tx, node.domain, facts, {})
    verdict = verify_reliance(sign_preview(node, body), trust, facts, None, node.sensitive_types)
    city = received.request.terms.releasing
    news = _find_bad_news(tx, city, material, permit)
    lines = tuple(_apply_news(before_filing(line), news) for line in verdict.lines)
    return _describe(received, material, lines, block)


def _find_bad_news(
    tx: Transaction, city: CityId, material: ReliedMaterial, permit: _Permit
) -> VerdictCode | None:
    """What was seen and is perhaps not final yet; it forbids reliance all the same."""
    if permit.revoked:
        return VerdictCode.GRANT_REVOKED
    leaf_hash = leaf_hash_of(EntryKind.MATERIAL, material.commitment)
    return _BAD_NEWS.get(decide_standing(read_status_flags(tx, city, leaf_hash), 0))


def _apply_news(line: VerdictLine, news: VerdictCode | None) -> VerdictLine:
    if news is None or line.question is not Question.VALID_AS_OF:
        return line
    return judge(Question.VALID_AS_OF, lambda judgement: judgement.fail(news))


def _describe(
    received: ReceivedRelease,
    material: ReliedMaterial,
    lines: Sequence[VerdictLine],
    block: BlockFact,
) -> JudgedMaterial:
    came: ReceivedMaterial = next(
        each for each in received.materials if each.material.commitment == material.commitment
    )
    return JudgedMaterial(
        received.request.terms.releasing,
        received.row.request_digest,
        material.commitment,
        came.showing.statement_type.code,
        dict(came.showing.values),
        tuple(JudgedDocument(each.document.index, each.part) for each in came.documents),
        tuple(lines),
        block.block_timestamp_s,
    )
