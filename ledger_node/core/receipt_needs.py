"""What a receipt of version 1 has to carry of the chain: the leaves whose status it speaks of.

Steps 2 and 9 of the data flow: who writes a receipt carries a proof for each, who reads one accepts
none beyond them. Spec: docs/spec/receipt-v1.md, "What has to be carried".
"""

from __future__ import annotations

from ledger_node.core.checkpoint import build_origin
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.evidence_parts import (
    AssertionEvidence,
    CredentialProof,
    Evidence,
    PasskeyEvidence,
)
from ledger_node.core.merkle import hash_leaf
from ledger_node.core.receipt_registration import RegistrationBody
from ledger_node.core.receipt_reliance import RelianceBody
from ledger_node.core.status import LeafKey
from ledger_node.core.storage_layout import compute_flags_slot
from ledger_node.core.types import CityId, LeafHash


def list_registration_leaves(body: RegistrationBody) -> list[LeafKey]:
    """The material's leaf; its status is carried after any block from the anchor on."""
    return [(body.city, hash_leaf(body.entry))]


def list_material_leaves(body: RelianceBody) -> list[LeafKey]:
    """The materials' leaves; their status is carried after the state block."""
    releasing = body.request.terms.releasing
    return [
        (releasing, hash_leaf(encode_entry(EntryKind.MATERIAL, each.commitment)))
        for each in body.materials
    ]


def list_credential_leaves(body: RelianceBody, domain: str) -> list[LeafKey]:
    """Leaves of the credentials behind the evidence; status after the block of `GrantRecorded`.

    Args:
        body: Of a reliance receipt.
        domain: Of the consortium.
    """
    return list_evidence_leaves(body.request.terms.recording, body.request.evidence, domain)


def list_evidence_leaves(city: CityId, evidence: Evidence, domain: str) -> list[LeafKey]:
    """Leaves of the credentials behind evidence that a city recorded."""
    return [(city, _hash_credential(city, each, domain)) for each in _list_credentials(evidence)]


def compute_needed_slots(leaves: list[LeafKey]) -> frozenset[bytes]:
    """Slots of the flags of these leaves in `MaterialStatus`."""
    return frozenset(compute_flags_slot(city, leaf_hash) for city, leaf_hash in leaves)


def _list_credentials(evidence: Evidence) -> list[CredentialProof]:
    if isinstance(evidence, PasskeyEvidence):
        return [evidence.credential]
    if isinstance(evidence, AssertionEvidence):
        return [evidence.provider]
    return [officer.credential for officer in evidence.officers]


def _hash_credential(city: CityId, proof: CredentialProof, domain: str) -> LeafHash:
    origin = build_origin(domain, city, proof.placement.generation)
    opening = proof.opening
    commitment = compute_commitment(CommitmentKind.CREDENTIAL, origin, opening.salt, opening.body)
    return hash_leaf(encode_entry(EntryKind.CREDENTIAL, commitment))
