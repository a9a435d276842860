"""Verifying a reliance receipt: every link from the person's grant to the clerk's decision.

Step 9 of the data flow. The checks are numbered as in docs/spec/receipt.md. Vectors:
tests/vectors/receipt/. Messages: verify_messages.py; grant, evidence and person: verify_grant.py.

Invariants:
    * Signatures are judged at the block that anchors the `reliance` entry: its commitment covers
      the body, and the body holds everything that was signed.
    * Each link has its own code; one line ends at its first failing link, the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.core.chain_facts import BlockFact, ChainFacts
from ledger_node.core.chain_proofs import block_of
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.errors import LedgerError
from ledger_node.core.merkle import hash_leaf, verify_inclusion
from ledger_node.core.receipt import ReceiptFile, verify_receipt_signature
from ledger_node.core.receipt_needs import list_credential_leaves, list_material_leaves
from ledger_node.core.receipt_reliance import RelianceBody, ReliedMaterial
from ledger_node.core.receipt_reliance_format import read_reliance_body
from ledger_node.core.release_answer import ReleasedMaterial
from ledger_node.core.signed_body import SignedBodyError
from ledger_node.core.statement import Showing
from ledger_node.core.trust import Trust
from ledger_node.core.types import Digest, LeafHash
from ledger_node.core.verdict import Judgement, Question, RestsOn, Verdict, judge
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.core.verify_chain import check_carried, gather_facts
from ledger_node.core.verify_grant import (
    check_decision_times,
    check_grant,
    check_permit,
    check_person,
)
from ledger_node.core.verify_messages import check_message_keys, check_messages
from ledger_node.core.verify_parts import (
    MAX_SKEW_S,
    FactCodes,
    check_anchor,
    check_anchoring_city,
    check_document,
    check_flags,
    check_inclusion,
    check_showing,
    check_validity,
    rest_on_facts,
)

_RELIANCE_CODES = FactCodes(
    VerdictCode.RELIANCE_ANCHOR_UNKNOWN,
    VerdictCode.RELIANCE_ANCHOR_MISMATCH,
    VerdictCode.ANCHOR_UNCONFIRMED,
)


@dataclass(frozen=True, slots=True)
class _Case:
    """All there is to check one receipt."""

    receipt: ReceiptFile
    body: RelianceBody
    trust: Trust
    facts: ChainFacts | None
    problem: VerdictCode | None  # of what the file carries of the chain
    document: Digest | None
    sensitive_types: frozenset[str]


def verify_reliance(
    receipt: ReceiptFile,
    trust: Trust,
    facts: ChainFacts | None,
    document: Digest | None,
    sensitive_types: frozenset[str],
) -> Verdict:
    """Verdict on a reliance receipt; arguments as `verify.verify_receipt`.

    Raises:
        NotAReceiptError: The body is not one.
    """
    body = read_reliance_body(receipt.body, receipt.version)
    leaves = [*list_material_leaves(body), *list_credential_leaves(body, trust.domain)]
    facts, problem = gather_facts(receipt, trust, facts, _list_claimed(receipt, body), leaves)
    case = _Case(receipt, body, trust, facts, problem, document, sensitive_types)
    lines = (
        judge(Question.UNCHANGED, lambda j: _check_unchanged(j, case)),
        judge(Question.ISSUER_ENTITLED, lambda j: _check_issuer(j, case)),
        judge(Question.VALID_AS_OF, lambda j: _check_valid(j, case)),
        judge(
            Question.RIGHT_PERSON,
            lambda j: check_person(
                j, body, trust, facts, _check_showings(j, case), sensitive_types
            ),
        ),
    )
    as_of = facts.reach if facts else None
    return Verdict(receipt.kind, body.city, body.receipt_id, lines, as_of)


def _list_claimed(receipt: ReceiptFile, body: RelianceBody) -> list[BlockFact]:
    """Every block the receipt names."""
    events = [body.recorded, body.consumed, *(each.anchored for each in body.materials)]
    if receipt.seal is not None:
        events.append(receipt.seal.anchored)
    return [body.state_block, *(block_of(event) for event in events)]


def _check_unchanged(judgement: Judgement, case: _Case) -> None:
    body = case.body
    # (1) The named key signed exactly this body, and what the file carries of the chain holds.
    try:
        verify_receipt_signature(case.receipt)
    except SignedBodyError:
        judgement.fail(VerdictCode.RECEIPT_SIGNATURE_INVALID)
    check_carried(judgement, case.problem)
    # (2) The materials are in the issuing city's log, under heads the chain took there, and
    # (3) the fields shown are those of the committed statements; (4) the file is one of them.
    for material in body.materials:
        released = _find_released(judgement, body, material)
        check_inclusion(judgement, _leaf_of(material), released.placement)
        check_anchor(
            judgement,
            case.facts,
            body.request.terms.releasing,
            released.placement,
            material.anchored,
        )
    check_document(judgement, _check_showings(judgement, case), case.document)
    # (5) Request, answer and acknowledgement are as they were signed, and fit together;
    # (6) the chain consumed the grant for exactly them.
    check_messages(judgement, body)
    check_permit(judgement, body, case.facts)
    # (7) A `reliance` entry that commits to the body is in the relying city's log, anchored there.
    _check_seal(judgement, case)


def _find_released(
    judgement: Judgement, body: RelianceBody, material: ReliedMaterial
) -> ReleasedMaterial:
    for released in body.answer.materials:
        if released.commitment == material.commitment:
            break
    else:
        judgement.fail(VerdictCode.MATERIAL_NOT_RELEASED)
    return released


def _leaf_of(material: ReliedMaterial) -> LeafHash:
    return hash_leaf(encode_entry(EntryKind.MATERIAL, material.commitment))


def _check_showings(judgement: Judgement, case: _Case) -> list[Showing]:
    """Fields shown of all materials, checked."""
    body = case.body
    showings: list[Showing] = []
    for material in body.materials:
        released = _find_released(judgement, body, material)
        city, generation = body.request.terms.releasing, released.placement.generation
        origin = build_origin(case.trust.domain, city, generation)
        showing = check_showing(
            judgement, origin, material.commitment, released.digests, material.disclosed
        )
        granted = body.request.terms.find_type(showing.statement_type.code)
        judgement.demand(granted is not None, VerdictCode.TYPE_NOT_GRANTED)
        showings.append(showing)
    return showings


def _check_seal(judgement: Judgement, case: _Case) -> None:
    body, seal = case.body, case.receipt.seal
    if seal is None or seal.salt is None:
        judgement.wait(VerdictCode.RECEIPT_PENDING)
        return
    judgement.demand(seal.placement.generation == body.generation, VerdictCode.GENERATION_MISMATCH)
    origin = build_origin(case.trust.domain, body.city, body.generation)
    commitment = compute_commitment(CommitmentKind.RELIANCE, origin, seal.salt, case.receipt.body)
    leaf_hash = hash_leaf(encode_entry(EntryKind.RELIANCE, commitment))
    placement = seal.placement
    try:
        verify_inclusion(leaf_hash, placement.leaf_index, placement.proof, placement.tree_head)
    except LedgerError:
        judgement.fail(VerdictCode.RELIANCE_INCLUSION_MISMATCH)
    check_anchor(judgement, case.facts, body.city, placement, seal.anchored, _RELIANCE_CODES)


def _check_issuer(judgement: Judgement, case: _Case) -> None:
    body, terms, seal = case.body, case.body.request.terms, case.receipt.seal
    # (8) The relying city signed, and is the receiver the terms name.
    judgement.demand(case.receipt.key_id.city == body.city, VerdictCode.RECEIPT_SIGNER_MISMATCH)
    judgement.demand(body.city == terms.receiving, VerdictCode.RECEIVER_MISMATCH)
    # (9) The issuing city could anchor, in the contract of that block.
    for material in body.materials:
        check_anchoring_city(judgement, case.trust, terms.releasing, material.anchored)
    # (10) Every message key was its city's, valid and trusted when the receipt was anchored.
    check_message_keys(judgement, case.receipt, body, case.trust)
    if seal is None:
        judgement.wait(VerdictCode.RECEIPT_PENDING)
        return
    # (11) The relying city could anchor, and decided before it did.
    check_anchoring_city(judgement, case.trust, body.city, seal.anchored)
    judgement.demand(
        body.decided_at_s <= seal.anchored.block_timestamp_s + MAX_SKEW_S,
        VerdictCode.RECEIPT_TIME_IMPOSSIBLE,
    )


def _check_valid(judgement: Judgement, case: _Case) -> None:
    body, facts = case.body, case.facts
    # (12) The grant is recorded as the terms say, unrevoked and in its window when consumed.
    check_grant(judgement, body, case.trust, facts)
    # (13) Permit, state and decision follow each other.
    check_decision_times(judgement, body)
    # (14) The state claimed is the chain's at that block, and nothing speaks against the material.
    for material in body.materials:
        _check_state(judgement, case, material)
    # (15) The dates shown hold when it was decided.
    for showing in _check_showings(judgement, case):
        check_validity(judgement, showing, body.decided_at_s)


def _check_state(judgement: Judgement, case: _Case, material: ReliedMaterial) -> None:
    block, facts = case.body.state_block.number, case.facts
    issuer = case.body.request.terms.releasing
    flags = facts.flags_at(issuer, _leaf_of(material), block) if facts else None
    if facts is None or flags is None:
        judgement.wait(VerdictCode.STATUS_UNCONFIRMED)
    else:
        judgement.demand(flags == material.status, VerdictCode.STATUS_MISMATCH)
        rest_on_facts(judgement, facts, block)
    check_flags(judgement, material.status)
    judgement.rest_on(RestsOn.RELYING_CITY)  # for the number of open objections
    if material.open_objections:
        judgement.wait(VerdictCode.STATUS_DISPUTED)
