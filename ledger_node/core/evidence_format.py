"""Evidence as canonical bytes, what officers sign, and the commitment recorded with the grant.

Step 7 of the data flow. Spec: docs/spec/evidence.md. Vectors: tests/vectors/evidence/.

Invariants:
    * An officer signs everything but the signatures: whoever else signs is part of it.
    * What `encode_evidence` wrote, `parse_evidence` reads back equal.
Not here: whether evidence holds (evidence.py).
"""

from __future__ import annotations

import hashlib
import re

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64,
    encode_base64url,
    encode_canonical,
    parse_base64,
    parse_base64url,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.digest import encode_digest, parse_digest
from ledger_node.core.evidence_parts import (
    Assertion,
    AssertionEvidence,
    CounterEvidence,
    CredentialProof,
    Evidence,
    OfficerSignature,
    PasskeyEvidence,
    SignatureMeans,
    StatutoryEvidence,
    get_evidence_basis,
)
from ledger_node.core.placement import PLACEMENT_MEMBERS, encode_placement, read_placement
from ledger_node.core.shapes import (
    MAX_TIME_S,
    Opening,
    encode_opening,
    read_bytes32,
    read_choice,
    read_flag,
    read_name,
    read_opening,
    read_short_text,
    read_version,
    refuse_shape,
)
from ledger_node.core.types import Commitment, Salt

EVIDENCE_VERSION = "tongban/evidence/v1"
MAX_EVIDENCE_BYTES = 128 * 1024
MAX_OFFICERS = 2
MAX_ASSERTION_BYTES = 4096
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,2000}\.[A-Za-z0-9_-]{1,12000}\.[A-Za-z0-9_-]{1,1400}")
_COMMON = ("v", "kind", "challenge", "made_at")
_WHAT = "evidence"


def encode_evidence_object(evidence: Evidence) -> JsonObject:
    """Write evidence as the JSON object that messages carry."""
    common: JsonObject = {
        "v": EVIDENCE_VERSION,
        "kind": get_evidence_basis(evidence).value,
        "challenge": evidence.challenge.hex(),
        "made_at": evidence.made_at_s,
    }
    if isinstance(evidence, PasskeyEvidence):
        return common | _encode_passkey(evidence)
    if isinstance(evidence, AssertionEvidence):
        provider = encode_credential_proof(evidence.provider)
        return common | {"provider": provider, "token": evidence.token}
    common |= {"officers": [_encode_officer(each) for each in evidence.officers]}
    if isinstance(evidence, StatutoryEvidence):
        return common | {"duty": {"law": evidence.law, "article": evidence.article}}
    return common | {
        "identity_document": {
            "scheme": evidence.document_scheme,
            "read_by_device": evidence.read_by_device,
        },
        "signature": {
            "digest": encode_digest(evidence.signature_digest),
            "how": evidence.signature_means.value,
        },
    }


def encode_evidence(evidence: Evidence) -> bytes:
    """Write evidence as RFC 8785 bytes."""
    return encode_canonical(encode_evidence_object(evidence))


def parse_evidence(data: bytes) -> Evidence:
    """Read evidence from its RFC 8785 bytes.

    Raises:
        NotCanonicalError: The bytes are not canonical JSON.
        UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: As `read_evidence`.
    """
    return read_evidence(parse_canonical(data, what=_WHAT, max_bytes=MAX_EVIDENCE_BYTES))


def read_evidence(value: JsonValue) -> Evidence:
    """Read evidence from an object that came in canonical bytes.

    Raises:
        UnknownVersionError: Another `v`.
        UnexpectedShapeError: An unknown kind; a member is missing, unknown or not well formed.
        MalformedEncodingError, UnknownDigestAlgorithmError: A hash or signature is misspelt.
    """
    read_version(value, EVIDENCE_VERSION, what=_WHAT)
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "counter":
        return _read_counter(value)
    if kind == "statutory":
        return _read_statutory(value)
    if kind == "passkey":
        return _read_passkey(value)
    if kind == "assertion":
        return _read_assertion(value)
    raise refuse_shape("evidence kind", "不支持的证据种类", "an unsupported kind of evidence")


def compute_officer_message(evidence: CounterEvidence | StatutoryEvidence) -> bytes:
    """Bytes each officer signs: `"tongban/evidence/v1\\n" || SHA-256(evidence without signatures)`.

    The member `signature` of every officer is left out; all credentials are in.
    """
    unsigned = encode_evidence_object(evidence)
    unsigned["officers"] = [
        {"credential": encode_credential_proof(each.credential)} for each in evidence.officers
    ]
    digest = hashlib.sha256(encode_canonical(unsigned)).digest()
    return f"{EVIDENCE_VERSION}\n".encode("ascii") + digest


def compute_evidence_commitment(origin: str, salt: Salt, evidence: Evidence) -> Commitment:
    """Salted commitment recorded on chain with the grant.

    Args:
        origin: Log origin of the recording city.
        salt: 32 secret bytes; travels with the release request.
        evidence: What is committed to.
    """
    return compute_commitment(
        CommitmentKind.EVIDENCE, origin, salt, encode_evidence_object(evidence)
    )


def encode_credential_proof(credential: CredentialProof) -> JsonObject:
    """Write an opened credential with its placement."""
    return encode_opening(credential.opening) | encode_placement(credential.placement)


def _encode_officer(officer: OfficerSignature) -> JsonObject:
    return {
        "credential": encode_credential_proof(officer.credential),
        "signature": encode_base64(officer.signature),
    }


def _encode_passkey(evidence: PasskeyEvidence) -> JsonObject:
    assertion = evidence.assertion
    return {
        "credential": encode_credential_proof(evidence.credential),
        "assertion": {
            "credentialId": encode_base64url(assertion.credential_id),
            "authenticatorData": encode_base64url(assertion.authenticator_data),
            "clientDataJSON": encode_base64url(assertion.client_data_json),
            "signature": encode_base64url(assertion.signature),
        },
        "rp_id": evidence.rp_id,
        "origin": evidence.origin,
    }


def _read_counter(value: JsonValue) -> CounterEvidence:
    m = require_members(value, (*_COMMON, "identity_document", "signature", "officers"), what=_WHAT)
    document = require_members(
        m["identity_document"], ("scheme", "read_by_device"), what="evidence identity_document"
    )
    signature = require_members(m["signature"], ("digest", "how"), what="evidence signature")
    return CounterEvidence(
        challenge=read_bytes32(m["challenge"], what="evidence challenge"),
        made_at_s=_read_time(m["made_at"]),
        document_scheme=read_name(document["scheme"], what="evidence identity_document scheme"),
        read_by_device=read_flag(
            document["read_by_device"], what="evidence identity_document read_by_device"
        ),
        signature_digest=parse_digest(
            require_text(signature["digest"], what="evidence signature digest")
        ),
        signature_means=read_choice(
            signature["how"], SignatureMeans, what="evidence signature how"
        ),
        officers=_read_officers(m["officers"]),
    )


def _read_statutory(value: JsonValue) -> StatutoryEvidence:
    m = require_members(value, (*_COMMON, "duty", "officers"), what=_WHAT)
    duty = require_members(m["duty"], ("law", "article"), what="evidence duty")
    return StatutoryEvidence(
        challenge=read_bytes32(m["challenge"], what="evidence challenge"),
        made_at_s=_read_time(m["made_at"]),
        law=read_short_text(duty["law"], what="evidence duty law"),
        article=read_short_text(duty["article"], what="evidence duty article"),
        officers=_read_officers(m["officers"]),
    )


def _read_passkey(value: JsonValue) -> PasskeyEvidence:
    m = require_members(value, (*_COMMON, "credential", "assertion", "rp_id", "origin"), what=_WHAT)
    names = ("credentialId", "authenticatorData", "clientDataJSON", "signature")
    parts = require_members(m["assertion"], names, what="evidence assertion")
    return PasskeyEvidence(
        challenge=read_bytes32(m["challenge"], what="evidence challenge"),
        made_at_s=_read_time(m["made_at"]),
        credential=_read_credential_proof(m["credential"]),
        assertion=Assertion(*(_read_assertion_part(parts[name], name) for name in names)),
        rp_id=read_name(m["rp_id"], what="evidence rp_id"),
        origin=read_short_text(m["origin"], what="evidence origin"),
    )


def _read_assertion(value: JsonValue) -> AssertionEvidence:
    m = require_members(value, (*_COMMON, "provider", "token"), what=_WHAT)
    token = require_text(m["token"], what="evidence token")
    if _TOKEN.fullmatch(token) is None:
        raise refuse_shape("evidence token", "不是令牌", "a JWS in compact form is expected")
    return AssertionEvidence(
        challenge=read_bytes32(m["challenge"], what="evidence challenge"),
        made_at_s=_read_time(m["made_at"]),
        provider=_read_credential_proof(m["provider"]),
        token=token,
    )


def _read_assertion_part(value: JsonValue, name: str) -> bytes:
    what = f"evidence assertion {name}"
    data = parse_base64url(require_text(value, what=what), what=what)
    if not 0 < len(data) <= MAX_ASSERTION_BYTES:
        raise refuse_shape(what, "长度不对", f"1 to {MAX_ASSERTION_BYTES} bytes are expected")
    return data


def _read_officers(value: JsonValue) -> tuple[OfficerSignature, ...]:
    what = "evidence officers"
    items = require_list(value, what=what)
    if not 0 < len(items) <= MAX_OFFICERS:
        raise refuse_shape(what, "须有一名或两名经办人", "one or two officers are expected")
    return tuple(_read_officer(item) for item in items)


def _read_officer(value: JsonValue) -> OfficerSignature:
    what = "evidence officer"
    m = require_members(value, ("credential", "signature"), what=what)
    signature = require_text(m["signature"], what=what)
    return OfficerSignature(
        _read_credential_proof(m["credential"]),
        parse_base64(signature, what=what, length_bytes=64),
    )


def _read_credential_proof(value: JsonValue) -> CredentialProof:
    what = "evidence credential"
    m = require_members(value, ("salt", "body", *PLACEMENT_MEMBERS), what=what)
    opening: Opening = read_opening({"salt": m["salt"], "body": m["body"]}, what=what)
    return CredentialProof(opening, read_placement(m, what=what))


def _read_time(value: JsonValue) -> int:
    return require_int(value, what="evidence made_at", maximum=MAX_TIME_S)
