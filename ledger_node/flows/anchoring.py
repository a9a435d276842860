"""Step 4: the published tree head of the log is anchored on chain.

Crash order: build -> sign -> store tree head and signed transaction in one database transaction
-> broadcast -> observe (`outbox.resume_outbox`). Spec: design section 4;
docs/spec/chain-following.md.

Invariants:
    * At most one anchor is not final; the next is built from the head the contract holds at a
      final block.
    * A held head that the local log does not explain, or that is ahead of it, latches a halt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger_node.core.anchor import (
    AnchorDecision,
    AnchorStep,
    FinalityKind,
    compute_final_block,
    decide_next_anchor,
)
from ledger_node.core.errors import UnavailableError
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead
from ledger_node.core.proof_nodes import compute_root_of_nodes
from ledger_node.core.tiles import build_consistency_proof, read_nodes_of_tiles
from ledger_node.core.types import Address, BlockNumber, RootHash, TreeSize
from ledger_node.flows.chain_node import (
    ANCHOR_CONTRADICTED,
    CHAIN_CONTRADICTION,
    GENERATION_CLOSED,
    LOG_BEHIND_CHAIN,
    ChainNode,
    latch,
)
from ledger_node.flows.halts import demand_no_halt
from ledger_node.flows.outbox import (
    ContractCall,
    broadcast,
    open_account,
    simulate,
    store_signed,
)
from ledger_node.ports.chain import ChainContradictionError
from ledger_node.ports.contracts import HeldHead
from ledger_node.ports.database_chain import AnchorRow, OutboxRow

ANCHOR_KIND = "anchor"


class NoCityLogError(UnavailableError):
    """No CityLog is current at a final block yet: anchoring waits."""

    code = "no_city_log"


@dataclass(frozen=True, slots=True)
class AnchorRound:
    """What was decided, and the transaction it led to (None unless the step is ANCHOR)."""

    decision: AnchorDecision
    row: OutboxRow | None


def resume_anchoring(node: ChainNode) -> AnchorRound:
    """Decide from what the contract holds and, if it is time, anchor the published head.

    Effects:
        1. Tree head and signed transaction stored in one transaction; 2. broadcast.
        A crash between them is finished by `resume_outbox`; a crash before leaves nothing.
    Idempotent: a second call while the anchor is not final decides to wait.

    Raises:
        LedgerHaltedError: A halt stands, or the chain holds what the log cannot explain.
        ContractRevertError: The contract would refuse the anchor; nothing is stored.
        ChainUnavailableError: Nobody knows; nothing is stored.
    """
    open_account(node, KeyRole.ANCHOR)
    with node.database.read() as tx:
        demand_no_halt(tx)
        has_unconfirmed = bool(tx.outbox.list_open(1, kind=ANCHOR_KIND))
    decision, city_log = _decide(node, has_unconfirmed=has_unconfirmed)
    if decision.step is not AnchorStep.ANCHOR:
        return AnchorRound(decision, None)
    call = _build_call(node, city_log, decision)
    simulate(node, call)
    row = _store(node, call, decision)
    broadcast(node, [row])
    return AnchorRound(decision, row)


def verify_log_head(node: ChainNode) -> AnchorDecision:
    """Compare the log with what the chain holds; at start, before anything is sequenced.

    Raises:
        LedgerHaltedError: A halt stands, or the log is behind the chain or contradicted by it.
        ChainUnavailableError: Nobody knows.
    """
    with node.database.read() as tx:
        demand_no_halt(tx)
    return _decide(node, has_unconfirmed=True)[0]


def _decide(node: ChainNode, *, has_unconfirmed: bool) -> tuple[AnchorDecision, Address]:
    held, city_log = fetch_held(node)
    if held.generation != node.generation:
        raise latch(
            node,
            GENERATION_CLOSED,
            f"the chain holds generation {held.generation}, the log writes {node.generation}",
        )
    local = _load_local_head(node)
    decision = decide_next_anchor(
        held.tree_head,
        local,
        has_unconfirmed=has_unconfirmed,
        compute_root_at=_root_reader(node, local),
    )
    if decision.step is AnchorStep.HALT_BEHIND:
        raise latch(
            node,
            LOG_BEHIND_CHAIN,
            f"the chain holds {held.tree_head.size} leaves, the log has {local.size}",
        )
    if decision.step is AnchorStep.HALT_CONTRADICTED:
        raise latch(
            node,
            ANCHOR_CONTRADICTED,
            f"the chain holds root {held.tree_head.root.hex()} at {held.tree_head.size} leaves",
        )
    return decision, city_log


def fetch_held(node: ChainNode) -> tuple[HeldHead, Address]:
    """The head CityLog holds at the newest final block, and that CityLog.

    Raises:
        LedgerHaltedError: The endpoint answers for another chain; latched.
        ChainUnavailableError, NoCityLogError: Nobody knows.
    """
    policy = node.profile.finality
    try:
        head = node.chain.fetch_head()
    except ChainContradictionError as error:
        raise latch(node, CHAIN_CONTRADICTION, error.message_en) from error
    finalized = node.chain.fetch_finalized() if policy.kind is FinalityKind.FINALIZED else None
    final = compute_final_block(
        policy, head.number, None if finalized is None else finalized.number
    )
    block = BlockNumber(0 if final is None else final)
    city_log = _fetch_city_log(node, block)
    return node.contracts.fetch_head(city_log, node.city, block=block), city_log


def _fetch_city_log(node: ChainNode, block: BlockNumber) -> Address:
    found = node.contracts.fetch_current_contract(
        node.profile.membership, ContractRole.CITY_LOG, block=block
    )
    if found is None:
        raise NoCityLogError(
            "联盟尚未登记现行的城市日志合约。", "The consortium has no current CityLog yet."
        )
    return found


def _load_local_head(node: ChainNode) -> TreeHead:
    """The newest head whose tiles are durable."""
    with node.database.read() as tx:
        published = tx.log.load_latest_checkpoint(node.generation)
    if published is None:
        return EMPTY_TREE_HEAD
    return TreeHead(TreeSize(published.size), published.root)


def _root_reader(node: ChainNode, local: TreeHead) -> Callable[[TreeSize], RootHash]:
    """Root of the log at an earlier size, from the tiles of its present one."""
    return lambda size: compute_root_of_nodes(
        lambda ranges: read_nodes_of_tiles(node.tiles.read, local.size, ranges), size
    )


def _build_call(node: ChainNode, city_log: Address, decision: AnchorDecision) -> ContractCall:
    held, local = decision.held, decision.local
    proof = build_consistency_proof(node.tiles.read, held.size, local.size) if held.size else ()
    return ContractCall(
        KeyRole.ANCHOR,
        city_log,
        node.contracts.encode_anchor(held.size, local, proof),
        ANCHOR_KIND,
        f"{node.generation}/{local.size}",
    )


def _store(node: ChainNode, call: ContractCall, decision: AnchorDecision) -> OutboxRow:
    """Tree head and signed transaction, together; the database refuses a second open anchor."""
    with node.database.transaction() as tx:
        demand_no_halt(tx)
        row = store_signed(node, tx, call)
        tx.outbox.save_anchor(
            AnchorRow(
                node.generation,
                decision.held.size,
                decision.local,
                row.outbox_id,
                node.clock.now(),
            )
        )
    return row
