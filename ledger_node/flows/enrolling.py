"""Enrolling officers: their public key becomes a `credential` entry of this city's log.

Step 2 for entries that are not materials. An officer's key counts from the anchor of its entry
on; the private half stays with the officer's machine and never reaches the node.
Crash order: key of the opening durable -> entry and officer row in one commit.
"""

from __future__ import annotations

from ledger_node.core.canonical import encode_canonical
from ledger_node.core.credential import encode_officer_credential
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import ConflictError
from ledger_node.core.evidence_parts import CredentialProof, OfficerCredential, OfficerRole
from ledger_node.core.shapes import Opening
from ledger_node.core.types import Commitment, PublicKey
from ledger_node.flows.entries import append_entry, load_opening, prepare_entry
from ledger_node.flows.facts import build_placement
from ledger_node.flows.node import Node
from ledger_node.ports.database_exchange import OfficerRow


class OfficerEnrolledError(ConflictError):
    """An officer of that id, or with that key, is enrolled already."""

    code = "officer_enrolled"


def enrol_officer(node: Node, officer: str, role: OfficerRole, key: PublicKey) -> OfficerRow:
    """Commit to an officer's credential.

    Args:
        officer: Pseudonymous id inside the city; never a name.
        role: What the officer may do.
        key: Ed25519 public key of the officer's machine, 32 bytes.

    Raises:
        OfficerEnrolledError: Id or key are taken.
        UnexpectedShapeError: The id is not a short name of letters, digits and `._/-`.
    """
    with node.database.read() as tx:
        known = tx.officers.list_officers()
    if any(row.officer == officer or row.public_key == key for row in known):
        raise OfficerEnrolledError(
            f"经办人 {officer} 或其密钥已登记。", f"Officer {officer} or that key is enrolled."
        )
    enrolled_at = node.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    credential = OfficerCredential(node.city, officer, role, key, enrolled_at)
    body = encode_officer_credential(credential)
    prepared = prepare_entry(node, EntryKind.CREDENTIAL, body)
    with node.database.transaction() as tx:
        entry_id = append_entry(node, tx, prepared)
        row = OfficerRow(
            officer,
            role.value,
            key,
            encode_canonical(body),
            prepared.salt,
            prepared.commitment,
            entry_id,
        )
        tx.officers.save_officer(row)
    return row


def build_credential_proof(node: Node, commitment: Commitment) -> CredentialProof:
    """An enrolled credential, opened, with its proof to a final anchor.

    Raises:
        NotYetAnchoredError: It cannot be used yet.
    """
    opening = load_opening(node, commitment)
    with node.database.read() as tx:
        placement, _ = build_placement(node, tx, commitment)
    return CredentialProof(Opening(opening.salt, opening.body), placement)
