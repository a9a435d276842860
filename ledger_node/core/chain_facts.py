"""Facts of the chain that a receipt is checked against: anchors, statuses, grants, consumptions.

Step 9 of the data flow. Taken from a replay of the chain's events, or carried by a trust file.
Spec: docs/spec/trust.md, "Facts".

Invariants:
    * Complete up to `as_of`: what is not there did not happen by that block. A fact of a later
      block is neither confirmed nor denied, unless a receipt itself proves it (`sealed`).
    * Heads of more than 2**53 - 1 leaves are left out: no file can show them, no log has them, and
      a city that anchors one must not spoil everybody's trust file.
Not here: where the events come from (edges), members and keys (trust.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ledger_node.core.canonical import MAX_INT
from ledger_node.core.errors import VerificationError
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
    TxHash,
)

NO_TX_HASH = TxHash(b"")  # of a place in a receipt of version 1: transaction and log by index
HeadKey = tuple[CityId, int, TreeHead]


class FactUnknownError(VerificationError):
    """Nothing at hand says whether this happened; that is not the same as that it did not."""

    code = "fact_unknown"


class FactSource(StrEnum):
    """What a confirmed fact rests on."""

    CHAIN = "chain"  # events the verifier read itself
    TRUST_FILE = "trust_file"  # events whoever wrote the trust file read
    SEALS = "seals"  # nothing was read: the validators' seals carry what a receipt proves


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
class SealedState:
    """What a receipt proves from headers that trusted validators sealed; only that, never more.

    Attributes:
        blocks: The sealed blocks by number.
        places: Contract, block number and index of every event that is carried, of blocks that
            are not sealed too.
        flags_at: Flags of a city's leaf after one of the blocks; None if they are not proven there.
    """

    blocks: Mapping[BlockNumber, BlockFact]
    places: frozenset[tuple[Address, BlockNumber, int]]
    flags_at: Callable[[CityId, LeafHash, BlockNumber], StatusFlag | None]


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
        sealed: What a receipt proves by itself, of any block; its events stand in the maps too.
    """

    source: FactSource
    as_of: BlockFact
    heads: Mapping[HeadKey, Position]
    statuses: Mapping[LeafKey, tuple[StatusFact, ...]]
    grants: Mapping[tuple[Address, GrantId], GrantFact]
    consumptions: Mapping[tuple[Address, ReleaseCommitment], ConsumptionFact]
    sealed: SealedState | None = None

    def is_complete_to(self, block_number: BlockNumber) -> bool:
        """Whether what is not here did not happen by that block."""
        return block_number <= self.as_of.number

    def source_of(self, block_number: BlockNumber) -> FactSource:
        """What a fact of a block rests on."""
        sealed = self.sealed is not None and block_number in self.sealed.blocks
        return FactSource.SEALS if sealed else self.source

    def is_carried(self, position: Position) -> bool:
        """Whether the receipt carries the log that stands exactly there."""
        place = (position.address, position.block_number, position.log_index)
        return self.sealed is not None and place in self.sealed.places

    def is_settled(self, position: Position) -> bool:
        """Whether what is not found cannot stand there: no such event, or another one."""
        sealed = self.sealed is not None and position.block_number in self.sealed.blocks
        return self.is_complete_to(position.block_number) or (sealed and self.is_carried(position))

    @property
    def reach(self) -> BlockNumber | None:
        """The newest block anything here speaks of; None if nothing does."""
        numbers = list(self.sealed.blocks) if self.sealed else []
        if self.source is not FactSource.SEALS:
            numbers.append(self.as_of.number)
        return max(numbers, default=None)

    def flags_at(
        self, city: CityId, leaf_hash: LeafHash, block_number: BlockNumber
    ) -> StatusFlag | None:
        """Flags of a leaf after a block; None if nothing at hand says."""
        if not self.is_complete_to(block_number):
            return self.sealed.flags_at(city, leaf_hash, block_number) if self.sealed else None
        flags = StatusFlag(0)
        for fact in self.statuses.get((city, leaf_hash), ()):
            if fact.block_number <= block_number:
                flags |= fact.flag
        return flags

    def newest_state(self, city: CityId, leaf_hash: LeafHash) -> BlockFact:
        """The newest block after which the flags of a leaf are known."""
        if self.sealed is not None:
            for number in sorted(self.sealed.blocks, reverse=True):
                if number <= self.as_of.number:
                    break
                if self.sealed.flags_at(city, leaf_hash, number) is not None:
                    return self.sealed.blocks[number]
        return self.as_of

    def log_facts(self, domain: str, by_block: BlockNumber | None = None) -> LogFacts:
        """The same facts as placements of credentials are checked against.

        Args:
            domain: Of the consortium.
            by_block: Block at which they are looked at; the newest complete one if None. Asked
                about a later block than the facts are complete to, the callables raise
                `FactUnknownError` rather than say no.
        """
        complete = by_block is None or self.is_complete_to(by_block)

        def anchored_at_s(city: CityId, generation: int, head: TreeHead) -> int | None:
            position = self.heads.get((city, generation, head))
            if position is None and not complete:
                raise _unknown("an anchored head")
            return position.block_timestamp_s if position else None

        def withdrawn_at_s(city: CityId, leaf_hash: LeafHash) -> int | None:
            for fact in self.statuses.get((city, leaf_hash), ()):
                if fact.flag is StatusFlag.WITHDRAWN:
                    return fact.block_timestamp_s
            if complete or by_block is None:
                return None
            flags = self.flags_at(city, leaf_hash, by_block)
            if self.sealed is None or flags is None:
                raise _unknown("the status of a credential")
            withdrawn = StatusFlag.WITHDRAWN in flags
            return self.sealed.blocks[by_block].block_timestamp_s if withdrawn else None

        return LogFacts(domain, anchored_at_s, withdrawn_at_s)


def is_same_place(found: Position, claimed: Position) -> bool:
    """Whether two positions are one; of a place and a position, block and contract have to agree.

    A place (receipt of version 1) has no transaction hash, and another kind of index.
    """
    if bool(found.tx_hash) == bool(claimed.tx_hash):
        return found == claimed
    return replace(found, tx_hash=claimed.tx_hash, log_index=claimed.log_index) == claimed


def _unknown(what: str) -> FactUnknownError:
    return FactUnknownError("手头没有链上数据可以确认。", f"nothing at hand confirms {what}.")


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
