"""Step 9: what receipts carry of the chain, taken while the chain still has it.

Engines keep headers and receipts of all blocks and state of some: so the worker takes the proof of
every anchor when it is final, and the status of the credentials behind a grant right after the
block that recorded it. What is missing when a receipt is made is asked for then. Spec:
docs/spec/receipt-v1.md.

Crash order: proof checked -> row. A crash before leaves nothing; the next turn takes it again.

Invariants:
    * Of final blocks only, and only under headers whose hash is the one that was followed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

import structlog

from ledger_node.core.block_header import parse_block_header
from ledger_node.core.canonical import encode_canonical, parse_canonical
from ledger_node.core.chain_facts import NO_TX_HASH, BlockFact
from ledger_node.core.errors import LedgerError
from ledger_node.core.event_types import ContractRole, Position
from ledger_node.core.place import place_index
from ledger_node.core.qbft import compute_block_hash, is_qbft_header
from ledger_node.core.receipt import MAX_RECEIPT_BYTES
from ledger_node.core.receipt_chain import (
    ChainEvidence,
    encode_chain_evidence,
    merge_evidence,
    read_chain_evidence,
)
from ledger_node.core.receipt_needs import compute_needed_slots, list_evidence_leaves
from ledger_node.core.status import LeafKey
from ledger_node.core.types import BlockHash, BlockNumber, GrantId
from ledger_node.flows.directory import load_consortium
from ledger_node.flows.granting import load_grant
from ledger_node.flows.node import Node
from ledger_node.ports.chain import ChainContradictionError
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import Place
from ledger_node.ports.database_proofs import ProofKind, ProofRow

PROOFS_PER_TURN = 32
STATE_KEPT_BLOCKS = 512  # the least an engine keeps (Besu with Bonsai)


def resume_proving(node: Node) -> int:
    """Take the proofs that are missing, oldest first; returns how many were taken.

    What the chain does not give now is asked for again by the next turn.

    Raises:
        ChainContradictionError: A block is not the one that was followed.
    """
    with node.database.read() as tx:
        tip = tx.chain.load_tip()
        if tip is None:
            return 0
        anchors = tx.proofs.list_unproven_anchors(PROOFS_PER_TURN)
        oldest = BlockNumber(max(0, tip.number - STATE_KEPT_BLOCKS))
        grants = tx.proofs.list_unproven_grants(oldest, PROOFS_PER_TURN)
    taken = 0
    for grant_id, place in grants:  # first: state goes, receipts stay
        taken += _try(partial(prove_credentials, node, grant_id, place))
    for place in anchors:
        taken += _try(partial(prove_log, node, place))
    return taken


def _try(take: Callable[[], ChainEvidence]) -> bool:
    """Whether a proof was taken: one that is not to be had holds up nothing else."""
    try:
        take()
    except ChainContradictionError:
        raise
    except LedgerError as error:
        structlog.get_logger().warning("proof_not_taken", code=error.code)
        return False
    return True


def prove_log(node: Node, place: Place) -> ChainEvidence:
    """Proof of one event of a final block: kept, or taken now and kept.

    Raises:
        ChainUnavailableError: The chain does not give it now.
        ChainContradictionError: A block is not the one that was followed.
    """
    with node.database.read() as tx:
        kept = find_kept(tx, place, ProofKind.LOG)
    if kept is not None:
        return kept
    header = _fetch_header(node, place.block_number, place.block_hash)
    log = node.chain.fetch_log_proof(place.block_number, place.log_index)
    return _keep(node, place, ProofKind.LOG, ChainEvidence((header,), (log,), ()))


def prove_credentials(node: Node, grant_id: GrantId, place: Place) -> ChainEvidence:
    """Status of the credentials behind a held grant, after the block that recorded it.

    Raises:
        ChainUnavailableError: The chain does not give it now.
        ChainContradictionError: A block is not the one that was followed.
    """
    with node.database.read() as tx:
        kept = find_kept(tx, place, ProofKind.CREDENTIALS)
    if kept is not None:
        return kept
    held = load_grant(node, grant_id)
    leaves = list_evidence_leaves(held.terms.recording, held.evidence, node.domain)
    block = BlockFact(place.block_number, place.block_hash, place.block_timestamp_s)
    return _keep(node, place, ProofKind.CREDENTIALS, prove_flags(node, block, leaves))


def prove_flags(node: Node, block: BlockFact, leaves: Collection[LeafKey]) -> ChainEvidence:
    """Flags of leaves after a final block, in every status contract there was by then.

    Raises:
        ChainUnavailableError: The chain does not give it now.
        ChainContradictionError: A block is not the one that was followed.
    """
    with node.database.read() as tx:
        registered = load_consortium(tx).contracts.get(ContractRole.MATERIAL_STATUS, ())
    slots = sorted(compute_needed_slots(list(leaves)))
    header = _fetch_header(node, block.number, block.hash)
    accounts = [
        node.chain.fetch_account_proof(block.number, each.address, slots)
        for each in registered
        if each.from_block <= block.number
    ]
    return merge_evidence([ChainEvidence((header,), (), tuple(accounts))])


def is_sealed(evidence: ChainEvidence) -> bool:
    """Whether the engine seals its headers; if not, a receipt carries only headers it names."""
    return any(is_qbft_header(parse_block_header(header)) for header in evidence.headers)


def find_kept(tx: Transaction, place: Place, kind: ProofKind) -> ChainEvidence | None:
    """Proof that was taken before."""
    kept = tx.proofs.find_proof(place, kind)
    if kept is None:
        return None
    return read_chain_evidence(
        parse_canonical(kept, what="kept proof", max_bytes=MAX_RECEIPT_BYTES)
    )


def locate(evidence: ChainEvidence, position: Position) -> Position:
    """Where an event stands as receipts of version 1 say it; `evidence` proves its log alone."""
    (log,) = evidence.logs
    index = place_index(log.transaction, log.log)
    return replace(position, tx_hash=NO_TX_HASH, log_index=index)


def _fetch_header(node: Node, number: BlockNumber, block_hash: BlockHash) -> bytes:
    header = node.chain.fetch_header(number)
    found = compute_block_hash(parse_block_header(header))
    if found != block_hash:
        raise ChainContradictionError(f"block {number}", block_hash.hex(), found.hex())
    return header


def _keep(node: Node, place: Place, kind: ProofKind, evidence: ChainEvidence) -> ChainEvidence:
    encoded = encode_canonical(encode_chain_evidence(evidence))
    with node.database.transaction() as tx:
        tx.proofs.save_proof(
            ProofRow(place.block_number, place.log_index, kind, place.block_hash, encoded)
        )
    return evidence
