"""Grant, permit, evidence and person inside a reliance receipt.

Step 9 of the data flow, checks (6), (12), (13) and (16) to (19) of docs/spec/receipt.md.

Invariants:
    * Every field the chain recorded must equal the terms; the permit must be the consumption of
      exactly this grant for exactly these bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger_node.core.canonical import JsonValue
from ledger_node.core.chain_facts import (
    ChainFacts,
    FactUnknownError,
    GrantFact,
    is_same_place,
)
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.commitment import CommitmentKind
from ledger_node.core.errors import LedgerError
from ledger_node.core.event_types import ContractRole, Position
from ledger_node.core.evidence import EvidenceRules, verify_evidence
from ledger_node.core.evidence_format import compute_evidence_commitment
from ledger_node.core.evidence_parts import EvidenceError, OfficerError, PasskeyError
from ledger_node.core.receipt_reliance import RelianceBody
from ledger_node.core.release import (
    compute_answer_digest,
    compute_release_commitment,
    compute_request_digest,
)
from ledger_node.core.sealed import Subject, read_subject
from ledger_node.core.shapes import Opening, verify_opening
from ledger_node.core.statement import Showing
from ledger_node.core.terms import Terms
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.trust import Trust
from ledger_node.core.types import Commitment
from ledger_node.core.verdict import Judgement, RestsOn
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.core.verify_parts import MAX_SKEW_S, FactCodes, check_fact, rest_on_facts

_GRANT_CODES = FactCodes(
    VerdictCode.GRANT_UNKNOWN, VerdictCode.GRANT_MISMATCH, VerdictCode.GRANT_UNCONFIRMED
)
_PERMIT_CODES = FactCodes(
    VerdictCode.PERMIT_UNKNOWN, VerdictCode.PERMIT_MISMATCH, VerdictCode.PERMIT_UNCONFIRMED
)


def check_permit(judgement: Judgement, body: RelianceBody, facts: ChainFacts | None) -> None:
    """(6) The chain consumed this grant for exactly this request and answer."""
    release = compute_release_commitment(
        body.release_salt,
        compute_request_digest(body.request_bytes),
        compute_answer_digest(body.answer_bytes),
    )
    terms = body.request.terms
    found = facts.consumptions.get((terms.grants, release)) if facts else None
    if facts is not None and found is None:
        there = any(
            is_same_place(each.consumed, body.consumed) for each in facts.consumptions.values()
        )
        judgement.demand(not there, VerdictCode.PERMIT_MISMATCH)  # a permit, but of other bytes
    check_fact(judgement, facts, found.consumed if found else None, body.consumed, _PERMIT_CODES)
    if found is not None:
        judgement.demand(found.grant_id == compute_grant_id(terms), VerdictCode.PERMIT_MISMATCH)


def check_grant(
    judgement: Judgement, body: RelianceBody, trust: Trust, facts: ChainFacts | None
) -> None:
    """(12) The grant is recorded as the terms say, unrevoked and in its window when consumed."""
    terms, consumed = body.request.terms, body.consumed
    current = trust.contract_at(ContractRole.GRANTS, consumed.block_number)
    judgement.demand(
        terms.chain_id == trust.chain_id
        and terms.grants == current == consumed.address == body.recorded.address,
        VerdictCode.CHAIN_MISMATCH,
    )
    fact = _find_grant(facts, terms)
    if facts is not None and fact is None:
        there = any(is_same_place(each.recorded, body.recorded) for each in facts.grants.values())
        judgement.demand(not there, VerdictCode.TERMS_COMMITMENT_MISMATCH)  # of other terms
    check_fact(judgement, facts, fact.recorded if fact else None, body.recorded, _GRANT_CODES)
    if fact is not None:
        judgement.demand(_equals_terms(fact, terms), VerdictCode.TERMS_COMMITMENT_MISMATCH)
        judgement.demand(
            fact.revoked is None or _comes_before(consumed, fact.revoked),
            VerdictCode.GRANT_REVOKED,
        )
    judgement.demand(
        terms.not_before_s <= consumed.block_timestamp_s < terms.not_after_s,
        VerdictCode.GRANT_OUTSIDE_WINDOW,
    )


def check_decision_times(judgement: Judgement, body: RelianceBody) -> None:
    """(13) Recorded, consumed, state read, decided: in this order."""
    state, consumed = body.state_block, body.consumed
    judgement.demand(_comes_before(body.recorded, consumed), VerdictCode.PERMIT_MISMATCH)
    judgement.demand(
        state.number >= consumed.block_number
        and state.block_timestamp_s <= body.decided_at_s + MAX_SKEW_S,
        VerdictCode.STATE_BLOCK_IMPOSSIBLE,
    )
    judgement.demand(
        consumed.block_timestamp_s <= body.decided_at_s + MAX_SKEW_S,
        VerdictCode.DECISION_BEFORE_PERMIT,
    )


def check_person(
    judgement: Judgement,
    body: RelianceBody,
    trust: Trust,
    facts: ChainFacts | None,
    showings: Sequence[Showing],
    sensitive_types: frozenset[str],
) -> None:
    """(16) to (19): evidence, subject, purpose."""
    terms = body.request.terms
    origin = build_origin(trust.domain, terms.recording, body.request.generation)
    # (16) Subject and purpose shown are those the terms commit to.
    _check_opening(
        judgement,
        CommitmentKind.SUBJECT,
        origin,
        body.subject,
        terms.subject,
        VerdictCode.SUBJECT_MISMATCH,
    )
    for kind, opening, expected in (
        (CommitmentKind.ITEM, body.item, terms.item),
        (CommitmentKind.CASE, body.case, terms.case),
    ):
        _check_opening(judgement, kind, origin, opening, expected, VerdictCode.PURPOSE_MISMATCH)
    # (17) The person is among the subjects of every material that shows them.
    for showing in showings:
        _check_subject(judgement, body.subject.body, showing.values.get("subjects"))
    # (18) The evidence is the one recorded with the grant, and (19) it holds.
    _check_evidence(judgement, body, trust, facts, origin, sensitive_types)


def _check_evidence(
    judgement: Judgement,
    body: RelianceBody,
    trust: Trust,
    facts: ChainFacts | None,
    origin: str,
    sensitive_types: frozenset[str],
) -> None:
    request = body.request
    fact = _find_grant(facts, request.terms)
    if facts is None or fact is None:
        judgement.wait(VerdictCode.EVIDENCE_UNCONFIRMED)
        return
    commitment = compute_evidence_commitment(origin, request.evidence_salt, request.evidence)
    judgement.demand(commitment == fact.evidence, VerdictCode.EVIDENCE_COMMITMENT_MISMATCH)
    try:
        verify_evidence(
            request.evidence,
            request.terms,
            request.bundle,
            fact.recorded.block_timestamp_s,
            facts.log_facts(trust.domain, fact.recorded.block_number),
            EvidenceRules(sensitive_types),
        )
    except FactUnknownError:
        judgement.wait(VerdictCode.EVIDENCE_UNCONFIRMED)
    except OfficerError:
        judgement.fail(VerdictCode.EVIDENCE_OFFICER)
    except PasskeyError:
        judgement.fail(VerdictCode.EVIDENCE_PASSKEY)
    except EvidenceError:
        judgement.fail(VerdictCode.EVIDENCE_INVALID)
    except LedgerError:
        judgement.fail(VerdictCode.EVIDENCE_CREDENTIAL)
    rest_on_facts(judgement, facts, fact.recorded.block_number)
    judgement.rest_on(RestsOn.RECORDING_CITY)  # that the person stood there


def _find_grant(facts: ChainFacts | None, terms: Terms) -> GrantFact | None:
    return facts.grants.get((terms.grants, compute_grant_id(terms))) if facts else None


def _equals_terms(fact: GrantFact, terms: Terms) -> bool:
    recorded = (
        fact.releasing,
        fact.receiving,
        fact.recorder,
        fact.not_before_s,
        fact.not_after_s,
        fact.uses,
        fact.basis,
    )
    return recorded == (
        terms.releasing,
        terms.receiving,
        terms.recording,
        terms.not_before_s,
        terms.not_after_s,
        terms.uses,
        terms.basis.on_chain,
    )


def _comes_before(first: Position, second: Position) -> bool:
    if first.block_number == second.block_number and bool(first.tx_hash) != bool(second.tx_hash):
        return True  # their indexes are of two kinds; the contract refuses the other order
    return (first.block_number, first.log_index) < (second.block_number, second.log_index)


def _check_opening(
    judgement: Judgement,
    kind: CommitmentKind,
    origin: str,
    opening: Opening,
    expected: Commitment,
    code: VerdictCode,
) -> None:
    try:
        verify_opening(kind, origin, opening, expected)
    except LedgerError:
        judgement.fail(code)


def _check_subject(judgement: Judgement, subject: JsonValue, subjects: JsonValue) -> None:
    if subjects is None:
        judgement.rest_on(RestsOn.ISSUING_CITY)  # it matched the person before it released
        return
    try:
        wanted = read_subject(subject)
    except LedgerError:
        judgement.fail(VerdictCode.SUBJECT_MISMATCH)
    listed = subjects if isinstance(subjects, list) else []
    judgement.demand(
        any(_is_person(each, wanted) for each in listed), VerdictCode.SUBJECT_NOT_IN_MATERIAL
    )


def _is_person(value: JsonValue, person: Subject) -> bool:
    """Whether an item of a material's `subjects` is this person, by scheme and number."""
    return isinstance(value, dict) and (value.get("scheme"), value.get("number")) == (
        person.scheme,
        person.number,
    )
