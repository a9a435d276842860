"""Evidence that a grant was given: its kinds, their parts, and what can be wrong with them.

Step 7 of the data flow. Spec: design section 9, docs/spec/evidence.md.

A person who stands at the counter signs on the pad or a slip and officers sign for it; a person
with a passkey signs the challenge; for a statutory duty two officers name the article of law.
Not here: bytes (evidence_format.py), checks (evidence.py, evidence_counter.py,
evidence_passkey.py, evidence_assertion.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from ledger_node.core.errors import VerificationError
from ledger_node.core.placement import Placement
from ledger_node.core.shapes import Opening
from ledger_node.core.terms import GrantBasis
from ledger_node.core.types import CityId, Commitment, Digest, PublicKey


class EvidenceError(VerificationError):
    """Evidence does not hold.

    Fields: reason (stable name).
    """

    code = "evidence_invalid"

    def __init__(self, reason: str, message_zh: str, message_en: str) -> None:
        super().__init__(
            f"授权证据不成立：{message_zh}。",
            f"the evidence of the grant does not hold: {message_en}.",
            reason=reason,
        )
        self.reason = reason


class OfficerError(EvidenceError):
    """An officer's signature, credential or the number of officers does not suffice."""

    code = "evidence_officer"


class PasskeyError(EvidenceError):
    """The passkey assertion or its credential does not hold."""

    code = "evidence_passkey"


class ProviderError(EvidenceError):
    """The identity provider's token or its credential does not hold."""

    code = "evidence_assertion"


class SignatureMeans(StrEnum):
    """How the person at the counter signed."""

    PAD = "pad"
    SLIP = "slip"


class OfficerRole(StrEnum):
    """Roles of officers (registrar 登记员, reviewer 审批员, supervisor 主管)."""

    REGISTRAR = "registrar"
    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class CredentialProof:
    """An enrolled key, opened: its entry's commitment, where it stands, and what it commits to."""

    opening: Opening
    placement: Placement


@dataclass(frozen=True, slots=True)
class OfficerCredential:
    """Body of an officer's `credential` entry.

    Attributes:
        city: Enrolling city.
        officer: Pseudonymous id inside that city.
        role: What the officer may do.
        key: Ed25519 public key.
        valid_from: ISO 8601 time of enrolment, as printed; the anchor decides.
    """

    city: CityId
    officer: str
    role: OfficerRole
    key: PublicKey
    valid_from: str


@dataclass(frozen=True, slots=True)
class PasskeyCredential:
    """Body of a citizen's `credential` entry.

    Attributes:
        city: Enrolling city.
        credential_id: As the authenticator names it.
        public_key: COSE key.
        rp_id: Relying party the passkey belongs to.
        subject: Commitment to the person; the terms must name the same.
    """

    city: CityId
    credential_id: bytes
    public_key: bytes
    rp_id: str
    subject: Commitment


@dataclass(frozen=True, slots=True)
class OfficerSignature:
    """An officer's credential and Ed25519 signature, 64 bytes."""

    credential: CredentialProof
    signature: bytes


@dataclass(frozen=True, slots=True)
class CounterEvidence:
    """A person identified and signing at a window.

    Attributes:
        challenge: Bundle challenge of all terms confirmed together, 32 bytes.
        made_at_s: Unix time, as the officers say.
        document_scheme: Kind of identity document shown.
        read_by_device: Whether a card reader read it; if not, a second officer signs.
        signature_digest: Digest of the pad image or scanned slip, kept by the recording city.
        signature_means: Pad or slip.
        officers: One or two, in signing order.
    """

    challenge: bytes
    made_at_s: int
    document_scheme: str
    read_by_device: bool
    signature_digest: Digest
    signature_means: SignatureMeans
    officers: tuple[OfficerSignature, ...]


@dataclass(frozen=True, slots=True)
class StatutoryEvidence:
    """Two officers who name the article of law that obliges them.

    Attributes:
        challenge, made_at_s, officers: As in counter evidence.
        law, article: Where the duty stands.
    """

    challenge: bytes
    made_at_s: int
    law: str
    article: str
    officers: tuple[OfficerSignature, ...]


@dataclass(frozen=True, slots=True)
class Assertion:
    """A WebAuthn assertion as the browser returned it, raw bytes."""

    credential_id: bytes
    authenticator_data: bytes
    client_data_json: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class PasskeyEvidence:
    """A passkey assertion over the challenge.

    Attributes:
        challenge: Bundle challenge, 32 bytes.
        made_at_s: Unix time, as the recording city says.
        credential: The enrolled passkey.
        assertion: Signature and what it covers.
        rp_id, origin: Relying party and page the ceremony took place on.
    """

    challenge: bytes
    made_at_s: int
    credential: CredentialProof
    assertion: Assertion
    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class AssertionEvidence:
    """A member city's identity provider vouches for the person.

    Attributes:
        challenge: Bundle challenge, 32 bytes; the token's nonce.
        made_at_s: Unix time, as the recording city says.
        provider: The enrolled key set.
        token: ID token, JWS compact serialisation; names the subject commitment, no person.
    """

    challenge: bytes
    made_at_s: int
    provider: CredentialProof
    token: str


Evidence: TypeAlias = CounterEvidence | StatutoryEvidence | PasskeyEvidence | AssertionEvidence


def get_evidence_basis(evidence: Evidence) -> GrantBasis:
    """Basis that evidence of this kind supports."""
    if isinstance(evidence, CounterEvidence):
        return GrantBasis.COUNTER
    if isinstance(evidence, StatutoryEvidence):
        return GrantBasis.STATUTORY
    if isinstance(evidence, AssertionEvidence):
        return GrantBasis.ASSERTION
    return GrantBasis.PASSKEY


@dataclass(frozen=True, slots=True)
class VerifiedEvidence:
    """What holds.

    Attributes:
        basis: Kind of evidence.
        made_at_s: Unix time claimed, bounded by the checks.
        officers: Pseudonymous ids of those who signed; none for a passkey.
        sign_count: Counter the authenticator reported; None unless a passkey.
    """

    basis: GrantBasis
    made_at_s: int
    officers: tuple[str, ...]
    sign_count: int | None
