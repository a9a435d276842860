"""Facts from what a receipt carries of the chain, beside those at hand.

Step 9 of the data flow (no node at hand). Spec: docs/spec/receipt-v1.md, "What counts".

Invariants:
    * Facts come only from blocks whose headers trusted validators sealed.
    * What is not proven is unknown, never "did not happen".
Not here: checking the evidence (chain_proofs.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from ledger_node.core.chain_facts import (
    BlockFact,
    ChainFacts,
    ConsumptionFact,
    FactSource,
    GrantFact,
    HeadKey,
    SealedState,
)
from ledger_node.core.chain_proofs import ProvenChain, Words
from ledger_node.core.event_types import (
    CheckpointAnchored,
    ContractRole,
    Event,
    GrantConsumed,
    GrantRecorded,
    Position,
    StatusFlag,
)
from ledger_node.core.merkle import TreeHead
from ledger_node.core.storage_layout import compute_flags_slot, read_flags
from ledger_node.core.trust import Trust
from ledger_node.core.types import (
    Address,
    BlockNumber,
    CityId,
    GrantId,
    LeafHash,
    ReleaseCommitment,
)


def add_proven(facts: ChainFacts | None, proven: ProvenChain, trust: Trust) -> ChainFacts:
    """Facts at hand together with what a receipt proves.

    Facts that somebody read are complete up to a block: there they go first, and what they do not
    hold did not happen whatever a receipt shows. Behind that block the proofs speak.

    Args:
        facts: Read by somebody, or None.
        proven: Of the receipt.
        trust: For the contracts, and the genesis block, to which nothing had happened.
    """
    genesis = BlockFact(BlockNumber(0), trust.genesis, 0)
    known = facts or ChainFacts(FactSource.SEALS, genesis, {}, {}, {}, {})
    new = [
        each
        for each in proven.events
        if each.position.block_number in proven.blocks
        and not known.is_complete_to(each.position.block_number)
    ]
    return replace(
        known,
        heads={**_list_heads(new), **known.heads},
        grants={**_list_grants(new), **known.grants},
        consumptions={**_list_consumptions(new), **known.consumptions},
        sealed=SealedState(
            proven.blocks,
            frozenset(
                (each.position.address, each.position.block_number, each.position.log_index)
                for each in proven.events
            ),
            _flags_reader(proven.words, trust),
        ),
    )


def _list_heads(events: Collection[Event]) -> dict[HeadKey, Position]:
    return {
        (each.city, each.generation, TreeHead(each.size, each.root)): each.position
        for each in events
        if isinstance(each, CheckpointAnchored)
    }


def _list_grants(events: Collection[Event]) -> dict[tuple[Address, GrantId], GrantFact]:
    return {
        (each.position.address, each.grant_id): GrantFact(
            grant_id=each.grant_id,
            releasing=each.releasing,
            receiving=each.receiving,
            recorder=each.recorder,
            not_before_s=each.not_before_s,
            not_after_s=each.not_after_s,
            uses=each.uses,
            basis=each.basis,
            evidence=each.evidence,
            recorded=each.position,
            revoked=None,  # a grant that is consumed was not revoked: the contract saw to it
        )
        for each in events
        if isinstance(each, GrantRecorded)
    }


def _list_consumptions(
    events: Collection[Event],
) -> dict[tuple[Address, ReleaseCommitment], ConsumptionFact]:
    return {
        (each.position.address, each.release_commitment): ConsumptionFact(
            each.grant_id, each.release_commitment, each.position
        )
        for each in events
        if isinstance(each, GrantConsumed)
    }


def _flags_reader(
    words: Words, trust: Trust
) -> Callable[[CityId, LeafHash, BlockNumber], StatusFlag | None]:
    contracts = [each for each in trust.contracts if each.role is ContractRole.MATERIAL_STATUS]

    def flags_at(city: CityId, leaf_hash: LeafHash, block: BlockNumber) -> StatusFlag | None:
        """Flags in all contracts there were by then, each proven; None if one is not."""
        slot = compute_flags_slot(city, leaf_hash)
        there = [each.registration for each in contracts if each.registration.from_block <= block]
        flags = StatusFlag(0)
        for registration in there:
            word = words.get((block, registration.address, slot))
            held = None if word is None else read_flags(word)
            if held is None:
                return None
            flags |= held
        return flags if there else None

    return flags_at
