"""What the followed chain says of exactly the things one receipt claims.

Step 9. The same facts a trust file carries, looked up instead of replayed, so that a receipt is
verified before it is filed, or when somebody brings it, without reading the whole chain.

Not here: building the receipt (relying.py), the trust file (trusting.py), answering whoever brings
a receipt (verifying.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger_node.core.chain_facts import (
    ChainFacts,
    ConsumptionFact,
    FactSource,
    GrantFact,
    HeadKey,
    StatusFact,
)
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.entry import EntryKind
from ledger_node.core.event_types import Basis, Position, StatusFlag
from ledger_node.core.evidence_parts import CredentialProof, Evidence, PasskeyEvidence
from ledger_node.core.receipt_reliance import RelianceBody
from ledger_node.core.status import LeafKey
from ledger_node.core.types import CityId, LeafHash
from ledger_node.flows.facts import leaf_hash_of
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import Consumption, Place, RecordedGrant


def position_at(place: Place) -> Position:
    """Where a derived row comes from, as receipts quote it."""
    return Position(
        block_number=place.block_number,
        log_index=place.log_index,
        tx_hash=place.tx_hash,
        block_hash=place.block_hash,
        block_timestamp_s=place.block_timestamp_s,
        address=place.contract,
    )


def load_receipt_facts(
    tx: Transaction,
    domain: str,
    body: RelianceBody,
    recorded: RecordedGrant,
    consumed: Consumption,
) -> ChainFacts:
    """Facts of final blocks up to the receipt's state block.

    Args:
        recorded, consumed: Grant and permit of the release, as found in final blocks.
    """
    terms = body.request.terms
    heads: list[HeadKey] = []
    leaves: list[LeafKey] = []
    for material in body.answer.materials:
        placement = material.placement
        heads.append((terms.releasing, placement.generation, placement.tree_head))
        leaf_hash = leaf_hash_of(EntryKind.MATERIAL, material.commitment)
        leaves.append((terms.releasing, leaf_hash))
    for credential in list_credentials(body.request.evidence):
        placement = credential.placement
        heads.append((terms.recording, placement.generation, placement.tree_head))
        leaves.append((terms.recording, credential_leaf(domain, terms.recording, credential)))
    contract = recorded.place.contract
    return ChainFacts(
        source=FactSource.CHAIN,
        as_of=body.state_block,
        heads=find_heads(tx, heads),
        statuses={key: list_status_facts(tx, key) for key in leaves},
        grants={(contract, recorded.grant_id): build_grant_fact(recorded)},
        consumptions={
            (contract, consumed.release_commitment): ConsumptionFact(
                consumed.grant_id, consumed.release_commitment, position_at(consumed.place)
            )
        },
    )


def list_credentials(evidence: Evidence) -> tuple[CredentialProof, ...]:
    """Credentials that evidence stands on."""
    if isinstance(evidence, PasskeyEvidence):
        return (evidence.credential,)
    return tuple(officer.credential for officer in evidence.officers)


def credential_leaf(domain: str, city: CityId, proof: CredentialProof) -> LeafHash:
    """Leaf hash of the credential entry a proof opens."""
    origin = build_origin(domain, city, proof.placement.generation)
    opening = proof.opening
    commitment = compute_commitment(CommitmentKind.CREDENTIAL, origin, opening.salt, opening.body)
    return leaf_hash_of(EntryKind.CREDENTIAL, commitment)


def find_heads(tx: Transaction, keys: Iterable[HeadKey]) -> dict[HeadKey, Position]:
    """Final anchors of those heads that were anchored."""
    found = {key: tx.chain.find_anchored_head(*key) for key in keys}
    return {key: position_at(head.place) for key, head in found.items() if head is not None}


def list_status_facts(tx: Transaction, key: LeafKey) -> tuple[StatusFact, ...]:
    """Final flags of a leaf."""
    return tuple(
        StatusFact(StatusFlag(each.flag), each.place.block_number, each.place.block_timestamp_s)
        for each in tx.chain.list_statuses(*key, final_only=True)
    )


def build_grant_fact(recorded: RecordedGrant) -> GrantFact:
    """A recorded grant as receipts are checked against it."""
    revoked = recorded.revocation
    return GrantFact(
        grant_id=recorded.grant_id,
        releasing=recorded.releasing,
        receiving=recorded.receiving,
        recorder=recorded.recorder,
        not_before_s=recorded.not_before_s,
        not_after_s=recorded.not_after_s,
        uses=recorded.uses,
        basis=Basis(recorded.basis),
        evidence=recorded.evidence,
        recorded=position_at(recorded.place),
        revoked=None if revoked is None else position_at(revoked.place),
    )
