"""Officers' part of evidence: who signed, whether their keys count, whether one is enough.

Step 7 of the data flow. Spec: design section 9, docs/spec/evidence.md.

Invariants:
    * Two officers are two persons with two keys; one person with two credentials is one.
    * One officer is enough only for an ordinary consent: card read by a device, no sensitive type,
      the person itself (or the guardian of a minor).
Not here: challenge, window and basis (evidence.py).
"""

from __future__ import annotations

from collections.abc import Collection

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger_node.core.credential import read_officer_credential, verify_credential_proof
from ledger_node.core.evidence_format import compute_officer_message
from ledger_node.core.evidence_parts import (
    CounterEvidence,
    OfficerCredential,
    OfficerError,
    OfficerSignature,
    StatutoryEvidence,
)
from ledger_node.core.placement import LogFacts
from ledger_node.core.terms import GrantorKind, Terms
from ledger_node.core.types import PublicKey


def verify_officers(
    evidence: CounterEvidence | StatutoryEvidence, terms: Terms, as_of_s: int, facts: LogFacts
) -> tuple[OfficerCredential, ...]:
    """Check every officer's credential and signature.

    Args:
        evidence: Counter or statutory.
        terms: Names the recording city, which must have enrolled them.
        as_of_s: Unix time by which the evidence is known to exist.
        facts: What the chain says.

    Raises:
        OfficerError: Of another city, not distinct, or a signature does not hold.
        CredentialTooYoungError, CredentialWithdrawnError, NotAnchoredError, RootMismatchError,
        MalformedInputError: A credential does not hold.
    """
    message = compute_officer_message(evidence)
    officers = tuple(
        _verify_officer(each, message, evidence.made_at_s, terms, as_of_s, facts)
        for each in evidence.officers
    )
    if len({each.officer for each in officers}) != len(officers):
        raise OfficerError("same_person", "两名经办人是同一人", "both officers are one person")
    if len({each.key for each in officers}) != len(officers):
        raise OfficerError("same_key", "两名经办人用同一把密钥", "both officers use one key")
    return officers


def verify_officer_count(
    evidence: CounterEvidence | StatutoryEvidence,
    terms: Terms,
    sensitive_types: frozenset[str],
    ward_is_minor: bool,
) -> None:
    """Check that a second officer signed where one is not enough.

    Args:
        evidence: Counter or statutory.
        terms: Whose grantor and types decide.
        sensitive_types: Type codes the catalogue marks.
        ward_is_minor: The releasing city knows the subject to be under 18.

    Raises:
        OfficerError: One signed where two are needed; `reason` says why.
    """
    if len(evidence.officers) > 1:
        return
    if isinstance(evidence, StatutoryEvidence):
        reason: str | None = "statutory"
    else:
        codes = [granted.code for granted in terms.types]
        kind = terms.grantor.kind if terms.grantor else None
        reason = find_need_of_second(
            evidence.read_by_device, codes, kind, sensitive_types, ward_is_minor
        )
    if reason is not None:
        raise OfficerError(
            f"second_officer_{reason}",
            "此类授权须有第二名经办人",
            f"a second officer is needed ({reason})",
        )


def find_need_of_second(
    read_by_device: bool,
    types: Collection[str],
    grantor: GrantorKind | None,
    sensitive_types: frozenset[str],
    ward_is_minor: bool,
) -> str | None:
    """Why one officer is not enough for a consent at the counter; None where one is.

    Used before anybody signs, and by every releasing city afterwards.

    Args:
        read_by_device: Whether a reader read the identity document.
        types: Type codes consented to.
        grantor: Who consents.
        sensitive_types, ward_is_minor: As in `EvidenceRules`.
    """
    if not read_by_device:
        return "unread_card"
    if not sensitive_types.isdisjoint(types):
        return "sensitive_type"
    if grantor is GrantorKind.AGENT:
        return "agent"
    if grantor is GrantorKind.GUARDIAN and not ward_is_minor:
        return "adult_guardianship"
    return None


def _verify_officer(
    officer: OfficerSignature,
    message: bytes,
    made_at_s: int,
    terms: Terms,
    as_of_s: int,
    facts: LogFacts,
) -> OfficerCredential:
    credential = read_officer_credential(officer.credential.opening.body)
    if credential.city != terms.recording:
        raise OfficerError(
            "foreign_officer", "经办人不属于记录城市", "an officer of another city signed"
        )
    verify_credential_proof(terms.recording, officer.credential, made_at_s, as_of_s, facts)
    _verify_signature(credential.key, officer.signature, message)
    return credential


def _verify_signature(key: PublicKey, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise OfficerError(
            "signature", "经办人签名不成立", "an officer's signature does not hold"
        ) from error
