"""Enrolling officers: their public key becomes a `credential` entry of this city's log.

Step 2 for entries that are not materials. An officer's key counts from the anchor of its entry
on; the private half stays with the officer's machine and never reaches the node.
Crash order: key of the opening durable -> entry and officer row in one commit. A credential is
withdrawn by a status of its leaf on chain: signed transaction stored -> broadcast -> final.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger_node.core.anchor import TxState
from ledger_node.core.canonical import encode_canonical
from ledger_node.core.credential import encode_officer_credential
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import ConflictError
from ledger_node.core.event_types import ContractRole, KeyRole, StatusFlag
from ledger_node.core.evidence_parts import CredentialProof, OfficerCredential, OfficerRole
from ledger_node.core.shapes import Opening
from ledger_node.core.types import Commitment, PublicKey
from ledger_node.flows.entries import append_entry, load_opening, prepare_entry
from ledger_node.flows.facts import (
    build_placement,
    leaf_hash_of,
    load_chain_view,
    read_status_flags,
)
from ledger_node.flows.halts import demand_no_halt
from ledger_node.flows.node import Node
from ledger_node.flows.outbox import ContractCall, submit
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import OutboxRow
from ledger_node.ports.database_exchange import OfficerRow

WITHDRAWAL_KIND: Final = "credential"


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


def withdraw_credential(
    node: Node, commitment: Commitment, note: Callable[[Transaction], None]
) -> int:
    """Say on chain that a credential of this city counts no more; the outbox id. Idempotent.

    Effects: signed transaction and `note` in one commit -> broadcast. This city stops counting it
    at once, the others as soon as they see the block. A transaction that failed finally is
    followed by a new one when this is called again.

    Raises:
        ContractRevertError, LedgerHaltedError, UnavailableError: Not now, or the chain refuses.
    """
    with node.database.read() as tx:
        demand_no_halt(tx)
        known = tx.outbox.find_latest(WITHDRAWAL_KIND, commitment.hex())
        contract = load_chain_view(tx).contract(ContractRole.MATERIAL_STATUS)
    if known is not None and known.state is not TxState.FAILED:
        return known.outbox_id
    leaf_hash = leaf_hash_of(EntryKind.CREDENTIAL, commitment)
    data = node.contracts.encode_set_status(leaf_hash, int(StatusFlag.WITHDRAWN), None)
    call = ContractCall(KeyRole.GATE, contract, data, WITHDRAWAL_KIND, commitment.hex())

    def beside(tx: Transaction, _: OutboxRow) -> None:
        note(tx)

    return submit(node, call, beside).outbox_id


def is_credential_withdrawn(node: Node, tx: Transaction, commitment: Commitment) -> bool:
    """Whether this city withdrew a credential of its own, final or not."""
    sent = tx.outbox.find_latest(WITHDRAWAL_KIND, commitment.hex())
    if sent is not None and sent.state is not TxState.FAILED:
        return True
    leaf_hash = leaf_hash_of(EntryKind.CREDENTIAL, commitment)
    return StatusFlag.WITHDRAWN in read_status_flags(tx, node.city, leaf_hash)
