"""Citizens' passkeys: enrolled as `credential` entries of this city, used to confirm ceremonies.

One assertion goes to every asked city, so all terms it covers name one subject commitment, the one
in the credential (docs/decisions/0011). A person's passkeys in one city share its opening.

Crash order. Enrolling: challenge used up -> key of the opening durable -> entry and passkey row in
one commit; it counts from the anchor of its entry on. Confirming: grants, ceremony's end and sign
count in one commit.
"""

from __future__ import annotations

from dataclasses import replace

from ledger_node.core.canonical import (
    encode_canonical,
    parse_canonical,
    require_members,
    require_text,
)
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.credential import encode_passkey_credential
from ledger_node.core.entry import EntryKind
from ledger_node.core.evidence_parts import Assertion, PasskeyCredential, PasskeyEvidence
from ledger_node.core.evidence_passkey import PasskeyPage
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
from ledger_node.flows.passkey_devices import (
    MAX_PASSKEYS,
    NewPasskey,
    PasskeyEnrolledError,
    PasskeyRefusedError,
    accept_creation,
    build_creation_options,
    hash_bytes,
    read_count,
)
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_consent import PasskeyRow


def begin_enrolment(node: Node, person: Subject, rp_id: str, rp_name: str) -> str:
    """Options for `navigator.credentials.create`, as JSON; the challenge is good for 5 minutes.

    The user handle is random: a device shows the name the person sees, never the number.
    """
    tag = _tag(node, person)
    with node.database.read() as tx:
        rows = tx.consent.list_passkeys(tag)
    known = [_open(node, row)[0] for row in rows]
    page = PasskeyPage(rp_id, "")
    return build_creation_options(node, tag, page, rp_name, person.name, known)


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
    made = accept_creation(node, tag, PasskeyPage(rp_id, origin), answer)
    return _save(node, person, tag, rp_id, made)


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
    credential_hash = hash_bytes(assertion.credential_id)
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
    count = read_count(assertion)

    def link(tx: Transaction) -> None:
        finish(tx)
        if not tx.consent.set_sign_count(credential_hash, row.sign_count, count):
            raise CeremonyMovedError

    store_confirmed(node, ceremony.drafts, evidence, link, row.sign_count)
    return Ceremony(replace(after, revision=ceremony.row.revision + 1), ceremony.body)


def _save(node: Node, person: Subject, tag: bytes, rp_id: str, made: NewPasskey) -> PasskeyRow:
    opening = find_subject_opening(node, person) or Opening(
        Salt(node.entropy(HASH_BYTES)), encode_subject(_normalised(node, person))
    )
    subject = compute_commitment(CommitmentKind.SUBJECT, node.origin, opening.salt, opening.body)
    body = encode_passkey_credential(
        PasskeyCredential(node.city, made.credential_id, made.public_key, rp_id, subject)
    )
    prepared = prepare_entry(node, EntryKind.CREDENTIAL, body)
    credential_hash = hash_bytes(made.credential_id)
    sealed = encode_canonical({"id": made.credential_id.hex(), "opening": encode_opening(opening)})
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
            made.sign_count,
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


def _record_name(credential_hash: bytes) -> str:
    return f"passkey/{credential_hash.hex()}"
