"""Bodies of `credential` entries: officers' keys and citizens' passkeys, and how they are proven.

Steps 2 and 7 of the data flow. The enrolling city commits to the body, logs the entry and anchors
it; from then on the key may sign. Spec: docs/spec/evidence.md, section "Credentials".

Invariants:
    * A credential counts from the block time of the anchor on, and not after its withdrawal.
Not here: what the key signs (evidence_counter.py, evidence_passkey.py).
"""

from __future__ import annotations

import re

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64url,
    parse_base64url,
    require_members,
    require_text,
)
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.errors import VerificationError
from ledger_node.core.evidence_parts import (
    CredentialProof,
    OfficerCredential,
    OfficerRole,
    PasskeyCredential,
)
from ledger_node.core.merkle import hash_leaf
from ledger_node.core.placement import LogFacts, verify_placement
from ledger_node.core.shapes import (
    read_bytes32,
    read_choice,
    read_city,
    read_name,
    read_version,
    refuse_shape,
)
from ledger_node.core.types import CityId, Commitment, PublicKey

OFFICER_VERSION = "tongban/credential/officer/v1"
PASSKEY_VERSION = "tongban/credential/passkey/v1"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class CredentialTooYoungError(VerificationError):
    """The credential was not anchored before it was used."""

    code = "credential_too_young"


class CredentialWithdrawnError(VerificationError):
    """The city withdrew the credential."""

    code = "credential_withdrawn"


def encode_officer_credential(credential: OfficerCredential) -> JsonObject:
    """Body of an officer's entry."""
    return {
        "v": OFFICER_VERSION,
        "city": credential.city,
        "officer": credential.officer,
        "role": credential.role.value,
        "key": credential.key.hex(),
        "from": credential.valid_from,
    }


def read_officer_credential(value: JsonValue) -> OfficerCredential:
    """Read the body of an officer's entry.

    Raises:
        UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: Not such a body.
    """
    what = "officer credential"
    read_version(value, OFFICER_VERSION, what=what)
    m = require_members(value, ("v", "city", "officer", "role", "key", "from"), what=what)
    valid_from = require_text(m["from"], what=what)
    if _TIME.fullmatch(valid_from) is None:
        raise refuse_shape(what, "时间须写作 YYYY-MM-DDTHH:MM:SSZ", "a UTC time is expected")
    return OfficerCredential(
        read_city(m["city"], what=what),
        read_name(m["officer"], what=what),
        read_choice(m["role"], OfficerRole, what=what),
        PublicKey(read_bytes32(m["key"], what=what)),
        valid_from,
    )


def encode_passkey_credential(credential: PasskeyCredential) -> JsonObject:
    """Body of a citizen's entry."""
    return {
        "v": PASSKEY_VERSION,
        "city": credential.city,
        "credential_id": encode_base64url(credential.credential_id),
        "public_key": encode_base64url(credential.public_key),
        "rp_id": credential.rp_id,
        "subject": credential.subject.hex(),
    }


def read_passkey_credential(value: JsonValue) -> PasskeyCredential:
    """Read the body of a citizen's entry.

    Raises:
        UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: Not such a body.
    """
    what = "passkey credential"
    read_version(value, PASSKEY_VERSION, what=what)
    names = ("v", "city", "credential_id", "public_key", "rp_id", "subject")
    m = require_members(value, names, what=what)
    return PasskeyCredential(
        read_city(m["city"], what=what),
        parse_base64url(require_text(m["credential_id"], what=what), what=what),
        parse_base64url(require_text(m["public_key"], what=what), what=what),
        read_name(m["rp_id"], what=what),
        Commitment(read_bytes32(m["subject"], what=what)),
    )


def verify_credential_proof(
    city: CityId, proof: CredentialProof, used_at_s: int, as_of_s: int, facts: LogFacts
) -> None:
    """Check that a credential body stands in a city's log and counted when it was used.

    Args:
        city: City that must have enrolled it.
        proof: Opening and placement.
        used_at_s: Unix time it signed at, as claimed.
        as_of_s: Unix time by which the signature is known to exist (now, or a block time); a
            withdrawal by then ends it, since a claimed time could be set back.
        facts: What the chain says.

    Raises:
        RootMismatchError, MalformedProofError, NotAnchoredError: Not under an anchored head.
        CredentialTooYoungError: Anchored at or after its use.
        CredentialWithdrawnError: Withdrawn by then.
    """
    origin = build_origin(facts.domain, city, proof.placement.generation)
    opening = proof.opening
    commitment = compute_commitment(CommitmentKind.CREDENTIAL, origin, opening.salt, opening.body)
    anchored_at_s = verify_placement(city, EntryKind.CREDENTIAL, commitment, proof.placement, facts)
    if anchored_at_s >= used_at_s:
        raise CredentialTooYoungError(
            "该凭据在使用时尚未上链锚定。", "the credential was not anchored before it was used."
        )
    leaf_hash = hash_leaf(encode_entry(EntryKind.CREDENTIAL, commitment))
    withdrawn_at_s = facts.withdrawn_at_s(city, leaf_hash)
    if withdrawn_at_s is not None and withdrawn_at_s <= as_of_s:
        raise CredentialWithdrawnError("该凭据已被撤销。", "the credential was withdrawn.")
