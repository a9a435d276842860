"""States of a transaction of ours, the rule of finality, and when to anchor next.

Steps 4 and 5 of the data flow. Anchors, consumptions, statuses, records and votes all go through
the same outbox, so the state table is generic; `decide_next_anchor` is the anchor's own.
Spec: design sections 4 and 6; decision 0003 (finality policy).

Invariants:
    * Final states are final: no event leaves CONFIRMED or FAILED. A reorganisation below finality
      is not an event here but an alarm of the chain follower.
    * A reorganisation goes back, never forward: BLOCK orphaned -> SUBMITTED, same signed bytes.
    * A failed transaction is never signed again; a new attempt is a new transaction.
    * At most one anchor per city is unconfirmed, and the next is built from the head the contract
      holds at a final block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from ledger_node.core.errors import IllegalTransitionError, MalformedInputError
from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import BlockHash, BlockNumber, RootHash, TreeSize


class TxState(StrEnum):
    """Where a signed transaction stands."""

    SIGNED = "signed"  # bytes stored, not known to be sent
    SUBMITTED = "submitted"  # a node took the bytes
    INCLUDED = "included"  # in a block that may still go away
    CONFIRMED = "confirmed"  # in a final block, succeeded
    FAILED = "failed"  # in a final block and reverted, or its nonce finally used by other bytes


class TxEvent(Enum):
    """What was observed of a transaction."""

    TX_SUBMITTED = "submitted"  # a node accepted or already knew the bytes
    TX_DROPPED = "dropped"  # the node no longer knows it and its nonce is free: send again
    TX_INCLUDED = "included"  # it is in a block of the current chain, succeeded or reverted
    BLOCK_ORPHANED = "orphaned"  # that block is not in the chain any more
    FINALITY_REACHED = "finality reached"  # it succeeded and its block is final
    REVERT_FINAL = "revert final"  # it reverted and its block is final
    NONCE_TAKEN_FINAL = "nonce taken"  # other bytes with its nonce are in a final block


TRANSITIONS: Mapping[TxState, Mapping[TxEvent, TxState]] = {
    TxState.SIGNED: {
        TxEvent.TX_SUBMITTED: TxState.SUBMITTED,
        TxEvent.TX_INCLUDED: TxState.INCLUDED,  # sent before a crash, seen before the re-send
        TxEvent.NONCE_TAKEN_FINAL: TxState.FAILED,
    },
    TxState.SUBMITTED: {
        TxEvent.TX_INCLUDED: TxState.INCLUDED,
        TxEvent.TX_DROPPED: TxState.SIGNED,
        TxEvent.NONCE_TAKEN_FINAL: TxState.FAILED,
    },
    TxState.INCLUDED: {
        TxEvent.FINALITY_REACHED: TxState.CONFIRMED,
        TxEvent.REVERT_FINAL: TxState.FAILED,
        TxEvent.BLOCK_ORPHANED: TxState.SUBMITTED,
    },
    TxState.CONFIRMED: {},
    TxState.FAILED: {},
}

FINAL_STATES = frozenset(state for state, events in TRANSITIONS.items() if not events)


def compute_next_state(state: TxState, event: TxEvent) -> TxState:
    """State after an event.

    Raises:
        IllegalTransitionError: The table has no such transition.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransitionError("transaction", state.name, event.name) from None


class FinalityKind(StrEnum):
    """Which engine rule says that a block stays."""

    IMMEDIATE = "immediate"  # QBFT: a block is final when it exists
    DEPTH = "depth"  # so many blocks on top
    FINALIZED = "finalized"  # the engine's own tag


class MalformedFinalityPolicyError(MalformedInputError):
    """Not `immediate`, `depth:<1..100000>` or `finalized`."""

    code = "malformed_finality_policy"


@dataclass(frozen=True, slots=True)
class FinalityPolicy:
    """When an included transaction counts as final.

    Attributes:
        kind: The rule.
        depth_blocks: For DEPTH, blocks that must stand on top of the block; else 0.
    """

    kind: FinalityKind
    depth_blocks: int = 0


_DEPTH = re.compile(r"depth:([1-9][0-9]{0,4}|100000)")


def parse_finality_policy(text: str) -> FinalityPolicy:
    """Read `immediate`, `depth:<k>` (1 to 100000) or `finalized`.

    Raises:
        MalformedFinalityPolicyError: Anything else.
    """
    if text in (FinalityKind.IMMEDIATE, FinalityKind.FINALIZED):
        return FinalityPolicy(FinalityKind(text))
    match = _DEPTH.fullmatch(text)
    if match is None:
        raise MalformedFinalityPolicyError(
            "最终性策略须为 immediate、depth:<1 至 100000> 或 finalized。",
            "a finality policy is immediate, depth:<1 to 100000> or finalized.",
        )
    return FinalityPolicy(FinalityKind.DEPTH, int(match.group(1)))


def encode_finality_policy(policy: FinalityPolicy) -> str:
    """Text that `parse_finality_policy` reads."""
    if policy.kind is FinalityKind.DEPTH:
        return f"depth:{policy.depth_blocks}"
    return policy.kind.value


def compute_final_block(
    policy: FinalityPolicy, head: BlockNumber, finalized: BlockNumber | None = None
) -> BlockNumber | None:
    """Highest final block number; None while no block is final.

    Args:
        policy: The engine's rule.
        head: Number of the newest block.
        finalized: Number behind the engine's tag; only FINALIZED asks for it, and None there
            means the engine named none yet.
    """
    if policy.kind is FinalityKind.IMMEDIATE:
        return head
    if policy.kind is FinalityKind.DEPTH:
        final = head - policy.depth_blocks
        return BlockNumber(final) if final >= 0 else None
    return None if finalized is None else BlockNumber(min(finalized, head))


class Finality(Enum):
    """What the chain says about the block a transaction was seen in."""

    WAITING = "waiting"
    FINAL = "final"
    ORPHANED = "orphaned"


def decide_finality(
    policy: FinalityPolicy,
    block_number: BlockNumber,
    block_hash: BlockHash,
    *,
    hash_now: BlockHash | None,
    head: BlockNumber,
    finalized: BlockNumber | None = None,
) -> Finality:
    """Decide about a block by number and stored hash; the hash is asked under every policy.

    Args:
        policy: The engine's rule.
        block_number: Block the transaction was seen in.
        block_hash: Its hash when it was seen, 32 bytes.
        hash_now: Hash of the block at that number now; None if the chain has none.
        head: Number of the newest block.
        finalized: As in `compute_final_block`.
    """
    if hash_now != block_hash:
        return Finality.ORPHANED
    final = compute_final_block(policy, head, finalized)
    return Finality.FINAL if final is not None and block_number <= final else Finality.WAITING


class AnchorStep(Enum):
    """What anchoring does next."""

    ANCHOR = "anchor"
    WAIT = "wait"  # an anchor of this city is not final yet
    NOTHING = "nothing"  # the contract holds this head already
    HALT_BEHIND = "behind"  # the contract holds a larger head than we have: restore from mirrors
    HALT_CONTRADICTED = "contradicted"  # the contract holds another history than ours


@dataclass(frozen=True, slots=True)
class AnchorDecision:
    """What to do, and with which heads.

    Attributes:
        step: The decision; both HALT steps latch a halt that only a person clears.
        held: Head the contract holds at a final block.
        local: Newest head of the own log.
    """

    step: AnchorStep
    held: TreeHead
    local: TreeHead


def decide_next_anchor(
    held: TreeHead,
    local: TreeHead,
    *,
    has_unconfirmed: bool,
    compute_root_at: Callable[[TreeSize], RootHash],
) -> AnchorDecision:
    """Decide whether to anchor, and from which held head to which local one.

    A contradiction halts before anything else, also while an anchor is under way: waiting would
    only hide it.

    Args:
        held: Head `CityLog` holds for the own city and generation at a final block; size 0 with
            the empty root if it holds none.
        local: Newest head of the own log.
        has_unconfirmed: Whether an anchor of this city is neither confirmed nor failed.
        compute_root_at: Root of the own log at a size of at most `local.size`.
    """
    if held.size > local.size:
        step = AnchorStep.HALT_BEHIND
    elif held.size and held.root != _root_at(held.size, local, compute_root_at):
        step = AnchorStep.HALT_CONTRADICTED
    elif has_unconfirmed:
        step = AnchorStep.WAIT
    elif held.size == local.size:
        step = AnchorStep.NOTHING
    else:
        step = AnchorStep.ANCHOR
    return AnchorDecision(step, held, local)


def _root_at(
    size: TreeSize, local: TreeHead, compute_root_at: Callable[[TreeSize], RootHash]
) -> RootHash:
    return local.root if size == local.size else compute_root_at(size)
