"""What the followed chain says of exactly the things one receipt claims.

Step 9. The same facts a trust file carries, looked up instead of replayed, so that a receipt is
verified before it is filed, or when somebody brings it, without reading the whole chain.

Not here: building the receipt (relying.py), the trust file (trusting.py), answering whoever brings
a receipt (verifying.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger_node.core.chain_facts import (
    BlockFact,
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
from ledger_node.core.event_types import (
    Basis,
    Event,
    GrantConsumed,
    GrantRecorded,
    Position,
    StatusFlag,
)
from ledger_node.core.events import decode_event
from ledger_node.core.evidence_parts import (
    AssertionEvidence,
    CredentialProof,
    Evidence,
    PasskeyEvidence,
)
from ledger_node.core.merkle import hash_leaf
from ledger_node.core.receipt import ReceiptFile, ReceiptKind
from ledger_node.core.receipt_registration import read_registration_body
from ledger_node.core.receipt_reliance import RelianceBody
from ledger_node.core.receipt_reliance_format import read_reliance_body
from ledger_node.core.release import (
    compute_answer_digest,
    compute_release_commitment,
    compute_request_digest,
)
from ledger_node.core.status import LeafKey
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import Address, CityId, GrantId, LeafHash, ReleaseCommitment
from ledger_node.flows.facts import leaf_hash_of
from ledger_node.ports.chain import RawLog
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import Consumption, Place, RecordedGrant

MAX_BLOCK_LOGS = 10_000  # a block has no room for more


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
    if isinstance(evidence, AssertionEvidence):
        return (evidence.provider,)
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


def load_claimed_facts(
    tx: Transaction, domain: str, receipt: ReceiptFile, as_of: BlockFact
) -> ChainFacts:
    """Facts of final blocks for a receipt that somebody brought: what stands at the places it
    claims, what became of the leaves and grants it names, whether it says the truth or not.

    A verdict on these is the verdict on all facts of the chain: only what the receipt names is
    ever asked for.

    Args:
        as_of: The last final block.

    Raises:
        NotAReceiptError: The body is not one of its kind.
    """
    if receipt.kind is ReceiptKind.REGISTRATION:
        return _load_registration_facts(tx, receipt, as_of)
    body = read_reliance_body(receipt.body, receipt.version)
    terms = body.request.terms
    heads: list[HeadKey] = []
    if receipt.seal is not None:
        placement = receipt.seal.placement
        heads.append((body.city, placement.generation, placement.tree_head))
    leaves: list[LeafKey] = []
    for material in body.answer.materials:
        placement = material.placement
        heads.append((terms.releasing, placement.generation, placement.tree_head))
        leaves.append((terms.releasing, leaf_hash_of(EntryKind.MATERIAL, material.commitment)))
    leaves += [
        (terms.releasing, leaf_hash_of(EntryKind.MATERIAL, material.commitment))
        for material in body.materials
    ]
    for credential in list_credentials(body.request.evidence):
        placement = credential.placement
        heads.append((terms.recording, placement.generation, placement.tree_head))
        leaves.append((terms.recording, credential_leaf(domain, terms.recording, credential)))
    return ChainFacts(
        source=FactSource.CHAIN,
        as_of=as_of,
        heads=find_heads(tx, heads),
        statuses={key: list_status_facts(tx, key) for key in leaves},
        grants=_find_claimed_grants(tx, body),
        consumptions=_find_claimed_consumptions(tx, body),
    )


def _load_registration_facts(tx: Transaction, receipt: ReceiptFile, as_of: BlockFact) -> ChainFacts:
    body = read_registration_body(receipt.body)
    leaf: LeafKey = (body.city, hash_leaf(body.entry))
    heads: list[HeadKey] = []
    if receipt.seal is not None:
        placement = receipt.seal.placement
        heads.append((body.city, placement.generation, placement.tree_head))
    return ChainFacts(
        source=FactSource.CHAIN,
        as_of=as_of,
        heads=find_heads(tx, heads),
        statuses={leaf: list_status_facts(tx, leaf)},
        grants={},
        consumptions={},
    )


def _find_claimed_grants(
    tx: Transaction, body: RelianceBody
) -> dict[tuple[Address, GrantId], GrantFact]:
    """The grant of the terms, and what stands where the receipt says."""
    there = _list_events(tx, body.recorded)
    ids = {compute_grant_id(body.request.terms)}
    ids |= {each.grant_id for each in there if isinstance(each, GrantRecorded)}
    found = [tx.chain.find_grant(each) for each in sorted(ids)]
    return {
        (each.place.contract, each.grant_id): build_grant_fact(each)
        for each in found
        if each is not None
    }


def _find_claimed_consumptions(
    tx: Transaction, body: RelianceBody
) -> dict[tuple[Address, ReleaseCommitment], ConsumptionFact]:
    """The permit of exactly this request and answer, and what stands where it says."""
    commitments = {
        compute_release_commitment(
            body.release_salt,
            compute_request_digest(body.request_bytes),
            compute_answer_digest(body.answer_bytes),
        )
    }
    there = _list_events(tx, body.consumed)
    commitments |= {each.release_commitment for each in there if isinstance(each, GrantConsumed)}
    found = [tx.chain.find_consumption(each) for each in sorted(commitments)]
    return {
        (each.place.contract, each.release_commitment): ConsumptionFact(
            each.grant_id, each.release_commitment, position_at(each.place)
        )
        for each in found
        if each is not None
    }


def _list_events(tx: Transaction, claimed: Position) -> list[Event]:
    """Whatever event stands at a claimed place; of a place that counts within the block (version
    1), whatever its contract emitted in that block."""
    if claimed.tx_hash:
        found = tx.explore.find_log(claimed.block_number, claimed.log_index)
        logs = [] if found is None else [found]
    else:
        block_logs = tx.explore.list_block_logs(claimed.block_number, MAX_BLOCK_LOGS)
        logs = [each for each in block_logs if each[0].address == claimed.address]
    roles = tx.chain.list_contracts()
    return [
        decode_event(roles[log.address], log.topics, log.data, _position_of(log, timestamp_s))
        for log, timestamp_s in logs
        if log.address in roles
    ]


def _position_of(log: RawLog, timestamp_s: int) -> Position:
    return Position(
        log.block_number, log.log_index, log.tx_hash, log.block_hash, timestamp_s, log.address
    )
