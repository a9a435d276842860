"""Citizens' passkeys: enrolled as `credential` entries of this city, used to confirm ceremonies.

One assertion goes to every asked city, so all terms it covers name one subject commitment, the one
in the credential (docs/decisions/0011). A person's passkeys in one city share its opening.

Crash order. Enrolling: challenge used up -> key of the opening durable -> entry and passkey row in
one commit; it counts from the anchor of its entry on. Confirming: grants, ceremony's end and sign
count in one commit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from webauthn import generate_registration_options, options_to_json, verify_registration_response
from webauthn.helpers import parse_registration_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ledger_node.core.canonical import (
    encode_canonical,
    parse_base64url,
    parse_canonical,
    require_members,
    require_text,
)
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.credential import encode_passkey_credential
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import ConflictError, MalformedInputError, VerificationError
from ledger_node.core.evidence_parts import Assertion, PasskeyCredential, PasskeyEvidence
from ledger_node.core.sealed import Subject, encode_subject
from ledger_node.core.shapes import Opening, encode_opening, read_opening
from ledger_node.core.types import HASH_BYTES, Salt
from ledger_node.flows.consenting import (
    Ceremony,
    CeremonyMovedError,
    SignatureMissingError,
    finish_row,
    link_confirmed,
)
from ledger_node.flows.enrolling import build_credential_proof
from ledger_node.flows.entries import append_entry, prepare_entry
from ledger_node.flows.facts import NotYetAnchoredError, build_placement
from ledger_node.flows.granting import store_confirmed
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_consent import PasskeyRow

CHALLENGE_LIFE: Final = timedelta(minutes=5)
MAX_PASSKEYS: Final = 5
MAX_JSON_CHARS: Final = 32 * 1024
_ALGORITHMS: Final = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA]
_LIBRARY_ERRORS: Final = (WebAuthnException, LookupError, TypeError, ValueError)


class PasskeyRefusedError(VerificationError):
    """The device's answer does not enrol or confirm anything.

    Fields: reason (stable name).
    """

    code = "passkey_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "通行密钥验证未通过,请重试;仍不行可用城市统一身份认证或到窗口办理。",
            f"The passkey was not accepted ({reason}); try again, or use the provider or a window.",
            reason=reason,
        )
        self.reason = reason


class PasskeyEnrolledError(ConflictError):
    """This passkey is enrolled already, or the person has as many as can be."""

    code = "passkey_enrolled"

    def __init__(self) -> None:
        super().__init__(
            "这把通行密钥已登记,或已达到每人 5 把的上限。",
            "This passkey is enrolled already, or five of them are.",
        )


def begin_enrolment(node: Node, person: Subject, rp_id: str, rp_name: str) -> str:
    """Options for `navigator.credentials.create`, as JSON; the challenge is good for 5 minutes.

    The user handle is random: a device shows the name the person sees, never the number.
    """
    tag = _tag(node, person)
    challenge = node.entropy(HASH_BYTES)
    with node.database.transaction() as tx:
        rows = tx.consent.list_passkeys(tag)
        tx.consent.store_challenge(_hash(challenge), tag, node.clock.now() + CHALLENGE_LIFE)
    known = [_open(node, row)[0] for row in rows]
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name=rp_name,
        user_name=person.name,
        user_id=node.entropy(HASH_BYTES),
        user_display_name=person.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json(options)


def finish_enrolment(
    node: Node, person: Subject, rp_id: str, origin: str, answer: str
) -> PasskeyRow:
    """Take the device's answer and log the credential.

    Args:
        answer: JSON of the browser's `PublicKeyCredential`.

    Raises:
        PasskeyRefusedError: Another challenge, page or relying party, no user verification, or a
            key of another kind.
        PasskeyEnrolledError: It is enrolled, or five are.
    """
    tag = _tag(node, person)
    if len(answer) > MAX_JSON_CHARS:
        raise PasskeyRefusedError("too_long")
    try:
        credential = parse_registration_credential_json(answer)
        client = json.loads(credential.response.client_data_json)
        challenge = parse_base64url(str(client["challenge"]), what="challenge")
    except (*_LIBRARY_ERRORS, MalformedInputError) as error:
        raise PasskeyRefusedError("form") from error
    with node.database.transaction() as tx:
        known = tx.consent.take_challenge(_hash(challenge), tag, node.clock.now())
    if not known:
        raise PasskeyRefusedError("challenge")
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
    except _LIBRARY_ERRORS as error:
        raise PasskeyRefusedError("registration") from error
    if client.get("crossOrigin", False) is not False:
        raise PasskeyRefusedError("cross_origin")
    return _save(node, person, tag, rp_id, verified.credential_id, verified)


def list_passkeys(node: Node, person: Subject) -> list[tuple[bytes, PasskeyRow, bool]]:
    """(credential id, row, whether it may be used already), oldest first."""
    with node.database.read() as tx:
        rows = tx.consent.list_passkeys(_tag(node, person))
        ready = [_is_anchored(node, tx, row) for row in rows]
    return [(_open(node, row)[0], row, usable) for row, usable in zip(rows, ready, strict=True)]


def find_subject_opening(node: Node, person: Subject) -> Opening | None:
    """What opens the subject commitment of this person's passkeys; None without one."""
    with node.database.read() as tx:
        rows = tx.consent.list_passkeys(_tag(node, person))
    return _open(node, rows[0])[1] if rows else None


def confirm_ceremony_by_passkey(
    node: Node, ceremony: Ceremony, assertion: Assertion, rp_id: str, origin: str
) -> Ceremony:
    """The person confirms everything ticked with a passkey; the grants stand. Idempotent.

    Raises:
        SignatureMissingError: Nothing is ticked.
        PasskeyRefusedError: Not a passkey of this person.
        PasskeyError, CredentialTooYoungError, NotYetAnchoredError: It does not hold.
        CeremonyMovedError, IllegalTransitionError: It went on meanwhile, or is over.
    """
    if ceremony.grants:
        return ceremony
    challenge = ceremony.challenge
    if challenge is None:
        raise SignatureMissingError
    credential_hash = _hash(assertion.credential_id)
    with node.database.read() as tx:
        row = tx.consent.find_passkey(credential_hash)
    if row is None or row.subject_tag != ceremony.row.subject_tag:
        raise PasskeyRefusedError("unknown")
    evidence = PasskeyEvidence(
        challenge,
        int(node.clock.now().timestamp()),
        build_credential_proof(node, row.commitment),
        assertion,
        rp_id,
        origin,
    )
    after = finish_row(node, ceremony)
    finish = link_confirmed(node, ceremony, after)
    count = _read_count(assertion)

    def link(tx: Transaction) -> None:
        finish(tx)
        if not tx.consent.set_sign_count(credential_hash, row.sign_count, count):
            raise CeremonyMovedError

    store_confirmed(node, ceremony.drafts, evidence, link, row.sign_count)
    return Ceremony(replace(after, revision=ceremony.row.revision + 1), ceremony.body)


def read_assertion(answer: str) -> Assertion:
    """The browser's answer to `navigator.credentials.get`, as JSON with base64url parts.

    Raises:
        PasskeyRefusedError: Not such an answer.
    """
    names = ("credentialId", "authenticatorData", "clientDataJSON", "signature")
    if len(answer) > MAX_JSON_CHARS:
        raise PasskeyRefusedError("too_long")
    try:
        members = require_members(json.loads(answer), names, what="assertion")
        return Assertion(
            *(parse_base64url(require_text(members[name], what=name), what=name) for name in names)
        )
    except (ValueError, RecursionError, MalformedInputError) as error:
        raise PasskeyRefusedError("form") from error


def _save(
    node: Node, person: Subject, tag: bytes, rp_id: str, credential_id: bytes, verified: Any
) -> PasskeyRow:
    opening = find_subject_opening(node, person) or Opening(
        Salt(node.entropy(HASH_BYTES)), encode_subject(_normalised(node, person))
    )
    subject = compute_commitment(CommitmentKind.SUBJECT, node.origin, opening.salt, opening.body)
    body = encode_passkey_credential(
        PasskeyCredential(node.city, credential_id, verified.credential_public_key, rp_id, subject)
    )
    prepared = prepare_entry(node, EntryKind.CREDENTIAL, body)
    credential_hash = _hash(credential_id)
    sealed = encode_canonical({"id": credential_id.hex(), "opening": encode_opening(opening)})
    sealed_body = seal_record(node, _record_name(credential_hash), "body", sealed)
    with node.database.transaction() as tx:
        taken = tx.consent.find_passkey(credential_hash) is not None
        if taken or len(tx.consent.list_passkeys(tag)) >= MAX_PASSKEYS:
            raise PasskeyEnrolledError
        row = PasskeyRow(
            credential_hash,
            tag,
            prepared.commitment,
            append_entry(node, tx, prepared),
            sealed_body,
            verified.sign_count,
            node.clock.now(),
        )
        tx.consent.save_passkey(row)
    return row


def _open(node: Node, row: PasskeyRow) -> tuple[bytes, Opening]:
    data = open_record(node, _record_name(row.credential_hash), "body", row.sealed_body)
    m = require_members(parse_canonical(data, what="passkey"), ("id", "opening"), what="passkey")
    return (
        bytes.fromhex(require_text(m["id"], what="passkey")),
        read_opening(m["opening"], what="passkey"),
    )


def _is_anchored(node: Node, tx: Transaction, row: PasskeyRow) -> bool:
    try:
        build_placement(node, tx, row.commitment)
    except NotYetAnchoredError:
        return False
    return True


def _normalised(node: Node, person: Subject) -> Subject:
    number = node.normalise_identifier(person.scheme, person.number)
    return Subject(person.scheme, number, person.name)


def _tag(node: Node, person: Subject) -> bytes:
    normalised = _normalised(node, person)
    return compute_subject_tag(node, normalised.scheme, normalised.number)


def _read_count(assertion: Assertion) -> int:
    return int.from_bytes(assertion.authenticator_data[33:37], "big")


def _hash(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _record_name(credential_hash: bytes) -> str:
    return f"passkey/{credential_hash.hex()}"
