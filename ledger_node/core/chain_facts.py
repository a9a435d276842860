"""Facts of the chain that a receipt is checked against: anchors, statuses, grants, consumptions.

Step 9 of the data flow. Taken from a replay of the chain's events, or carried by a trust file.
Spec: docs/spec/trust.md, "Facts".

Invariants:
    * Complete up to `as_of`: what is not there did not happen by that block. A fact of a later
      block is neither confirmed nor denied.
    * Heads of more than 2**53 - 1 leaves are left out: no file can show them, no log has them, and
      a city that anchors one must not spoil everybody's trust file.
Not here: where the events come from (edges), members and keys (trust.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.canonical import MAX_INT
from ledger_node.core.event_types import Basis, Position, StatusFlag
from ledger_node.core.merkle import TreeHead
from ledger_node.core.placement import LogFacts
from ledger_node.core.replay_state import ReplayState
from ledger_node.core.status import LeafKey
from ledger_node.core.types import (
    Address,
    BlockHash,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
)

HeadKey = tuple[CityId, int, TreeHead]


class FactSource(StrEnum):
    """What a confirmed fact rests on."""

    CHAIN = "chain"  # events the verifier read itself
    TRUST_FILE = "trust_file"  # events whoever wrote the trust file read


@dataclass(frozen=True, slots=True)
class BlockFact:
    """A block: number, hash (32 bytes) and timestamp in seconds."""

    number: BlockNumber
    hash: BlockHash
    block_timestamp_s: int


@dataclass(frozen=True, slots=True)
class StatusFact:
    """A flag and the block that set it."""

    flag: StatusFlag
    block_number: BlockNumber
    block_timestamp_s: int


@dataclass(frozen=True, slots=True)
class GrantFact:
    """A grant as it was recorded, where, and where it was revoked (None if it was not)."""

    grant_id: GrantId
    releasing: CityId
    receiving: CityId
    recorder: CityId
    not_before_s: int
    not_after_s: int
    uses: int
    basis: Basis
    evidence: Commitment
    recorded: Position
    revoked: Position | None


@dataclass(frozen=True, slots=True)
class ConsumptionFact:
    """The consumption of a grant for one release commitment."""

    grant_id: GrantId
    release_commitment: ReleaseCommitment
    consumed: Position


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What the chain says up to a block.

    Attributes:
        source: What these facts rest on.
        as_of: Newest block they are complete to; final.
        heads: Anchored heads and the event that anchored each.
        statuses: Flags per issuing city and leaf, in chain order.
        grants: By contract and terms commitment.
        consumptions: By contract and release commitment.
    """

    source: FactSource
    as_of: BlockFact
    heads: Mapping[HeadKey, Position]
    statuses: Mapping[LeafKey, tuple[StatusFact, ...]]
    grants: Mapping[tuple[Address, GrantId], GrantFact]
    consumptions: Mapping[tuple[Address, ReleaseCommitment], ConsumptionFact]

    def flags_at(self, city: CityId, leaf_hash: LeafHash, block_number: BlockNumber) -> StatusFlag:
        """Flags of a leaf after a block."""
        flags = StatusFlag(0)
        for fact in self.statuses.get((city, leaf_hash), ()):
            if fact.block_number <= block_number:
                flags |= fact.flag
        return flags

    def log_facts(self, domain: str) -> LogFacts:
        """The same facts as placements of credentials are checked against.

        Args:
            domain: Of the consortium.
        """

        def anchored_at_s(city: CityId, generation: int, head: TreeHead) -> int | None:
            position = self.heads.get((city, generation, head))
            return position.block_timestamp_s if position else None

        def withdrawn_at_s(city: CityId, leaf_hash: LeafHash) -> int | None:
            for fact in self.statuses.get((city, leaf_hash), ()):
                if fact.flag is StatusFlag.WITHDRAWN:
                    return fact.block_timestamp_s
            return None

        return LogFacts(domain, anchored_at_s, withdrawn_at_s)


def build_chain_facts(state: ReplayState, as_of: BlockFact, source: FactSource) -> ChainFacts:
    """Facts of a clean replay.

    Args:
        state: Replay of all events up to and including block `as_of`; the caller has looked at
            its discrepancies.
        as_of: The newest final block that was read.
        source: What the facts rest on.
    """
    return ChainFacts(
        source=source,
        as_of=as_of,
        heads={
            (city, generation, anchored.head): anchored.position
            for (city, generation), heads in state.heads.items()
            for anchored in heads
            if anchored.head.size <= MAX_INT
        },
        statuses={
            key: tuple(
                StatusFact(each.flag, each.block_number, each.block_timestamp_s)
                for each in leaf.set_at
            )
            for key, leaf in state.leaves.items()
        },
        grants={
            key: GrantFact(
                grant_id=known.grant.grant_id,
                releasing=known.grant.releasing,
                receiving=known.grant.receiving,
                recorder=known.grant.recorder,
                not_before_s=known.grant.not_before_s,
                not_after_s=known.grant.not_after_s,
                uses=known.grant.uses,
                basis=known.grant.basis,
                evidence=known.grant.evidence,
                recorded=known.recorded,
                revoked=known.revoked,
            )
            for key, known in state.grants.items()
            if known.grant is not None and known.recorded is not None
        },
        consumptions={
            key: ConsumptionFact(known.grant_id, key[1], known.position)
            for key, known in state.consumptions.items()
        },
    )
