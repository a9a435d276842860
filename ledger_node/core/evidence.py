"""Whether evidence carries a grant: the checks every releasing city makes for itself.

Step 7 of the data flow, used by steps 6, 7, 8 and 9. Spec: design section 9, docs/spec/evidence.md,
where the checks are numbered as here. Vectors: tests/vectors/evidence/.

Not here: whether the grant allows what is asked (grant.py); what remains the recording city's word
(that the person stood there, that the article applies) cannot be checked by anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger_node.core.evidence_assertion import verify_assertion
from ledger_node.core.evidence_counter import verify_officer_count, verify_officers
from ledger_node.core.evidence_parts import (
    AssertionEvidence,
    Evidence,
    EvidenceError,
    PasskeyEvidence,
    VerifiedEvidence,
    get_evidence_basis,
)
from ledger_node.core.evidence_passkey import verify_passkey
from ledger_node.core.placement import LogFacts
from ledger_node.core.terms import Terms
from ledger_node.core.terms_format import compute_bundle_challenge, compute_grant_id
from ledger_node.core.types import GrantId

MAX_FUTURE_S = 30


@dataclass(frozen=True, slots=True)
class EvidenceRules:
    """What the verifying city brings to the checks.

    Attributes:
        sensitive_types: Type codes that need a second officer.
        ward_is_minor: Known from the opened subject: under 18, so that one officer is enough for
            a guardian.
        last_sign_count: For a passkey, at the recording city only.
    """

    sensitive_types: frozenset[str]
    ward_is_minor: bool = False
    last_sign_count: int = 0


def verify_evidence(
    evidence: Evidence,
    terms: Terms,
    bundle: Sequence[GrantId],
    as_of_s: int,
    facts: LogFacts,
    rules: EvidenceRules,
) -> VerifiedEvidence:
    """Check that evidence carries the terms.

    Args:
        evidence: As shown.
        terms: The grant it is shown for.
        bundle: The other grant ids confirmed in the same ceremony, without this one.
        as_of_s: Unix time by which the evidence is known to exist: now, or the block time of
            `GrantRecorded` when an old grant is looked at again.
        facts: What the chain says.
        rules: The verifying city's part.

    Raises:
        EvidenceError: (1) another basis, (2) another challenge, (3) made in the future or after
            the window; OfficerError, PasskeyError or ProviderError for (4) to (6).
        UnexpectedShapeError: The bundle names this grant, or one twice.
        VerificationError, MalformedInputError: A credential does not hold.
    """
    # (1) The evidence is of the kind the terms name.
    basis = get_evidence_basis(evidence)
    if basis is not terms.basis:
        raise EvidenceError("basis", "证据种类与条款不符", "another kind than the terms name")
    # (2) What was signed is exactly this bundle of terms.
    if evidence.challenge != compute_bundle_challenge([compute_grant_id(terms), *bundle]):
        raise EvidenceError("challenge", "签名的不是这些条款", "other terms were signed")
    # (3) It was made by now and before the window ended.
    if evidence.made_at_s > as_of_s + MAX_FUTURE_S:
        raise EvidenceError("from_the_future", "证据时间超前", "it is from the future")
    if evidence.made_at_s >= terms.not_after_s:
        raise EvidenceError("after_window", "证据晚于授权期限", "it was made after the window")
    # (4) The keys are enrolled by the recording city, anchored before, and not withdrawn;
    # (5) they signed; (6) there are enough officers, or the right person at the right page.
    if isinstance(evidence, PasskeyEvidence):
        count = verify_passkey(evidence, terms, as_of_s, facts, rules.last_sign_count)
        return VerifiedEvidence(basis, evidence.made_at_s, (), count)
    if isinstance(evidence, AssertionEvidence):
        verify_assertion(evidence, terms, as_of_s, facts)
        return VerifiedEvidence(basis, evidence.made_at_s, (), None)
    officers = verify_officers(evidence, terms, as_of_s, facts)
    verify_officer_count(evidence, terms, rules.sensitive_types, rules.ward_is_minor)
    return VerifiedEvidence(
        basis, evidence.made_at_s, tuple(each.officer for each in officers), None
    )
