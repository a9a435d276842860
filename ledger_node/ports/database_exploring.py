"""Database groups of the auditor explorer: wide reads over the shared part, and replay jobs.

`explore` reads derived tables, blocks, the public part of the log and which release handed over
which commitment; nothing in it names or describes a person. `replays` keeps one row per replay
that an auditor asked for (step 11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ledger_node.core.types import (
    BlockHash,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    TxHash,
)
from ledger_node.ports.chain import RawLog
from ledger_node.ports.database_chain import (
    AnchoredHead,
    Consumption,
    Objection,
    Place,
    Revocation,
    StatusChange,
)
from ledger_node.ports.database_intake import EntryRow


class EventKind(StrEnum):
    """Kinds of derived rows the explorer counts and lists."""

    ANCHOR = "anchor"
    GRANT = "grant"
    CONSUMPTION = "consumption"
    REVOCATION = "revocation"
    STATUS = "status"
    OBJECTION = "objection"


RowPlace = tuple[BlockNumber, int]
"""(block number, log index): the key of every derived row, and where a page of rows ends."""


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A grant as it was recorded; what happened to it since is not looked up."""

    grant_id: GrantId
    releasing: CityId
    receiving: CityId
    recorder: CityId
    not_before_s: int
    not_after_s: int
    uses: int
    basis: int
    place: Place


@dataclass(frozen=True, slots=True)
class ConsumptionLine:
    """A consumption and the two cities of its grant; None where the grant is not known."""

    consumption: Consumption
    releasing: CityId | None
    receiving: CityId | None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.consumption.place


EventLine = AnchoredHead | GrantLine | ConsumptionLine | Revocation | StatusChange | Objection


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which rows of a kind.

    Attributes:
        city: Acting or named city; None for all. Consumptions name none: the filter is not for
            them.
        first, last: Blocks, both included.
        before: Only rows before this place: the pages go back in time.
    """

    city: CityId | None
    first: BlockNumber
    last: BlockNumber
    before: RowPlace | None = None


@dataclass(frozen=True, slots=True)
class BucketActivity:
    """What one city did in one bucket of time.

    Attributes:
        bucket: Counted from the first one asked for.
        anchors, revocations: By this city.
        grants: Recorded with this city as the releasing one.
        head_size: Size of the last head it anchored in the bucket; None if it anchored none.
    """

    bucket: int
    city: CityId
    anchors: int
    grants: int
    revocations: int
    head_size: int | None


@dataclass(frozen=True, slots=True)
class ReleaseLink:
    """A release of this node, without what it says: which grant, which way, how far."""

    request_digest: bytes
    direction: str
    city: CityId
    grant_id: GrantId
    state: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PrefixMatches:
    """What begins with the bytes asked for, at most a few of each."""

    grants: tuple[GrantId, ...]
    consumptions: tuple[tuple[ReleaseCommitment, GrantId], ...]
    transactions: tuple[tuple[TxHash, BlockNumber], ...]
    blocks: tuple[tuple[BlockHash, BlockNumber], ...]
    entries: tuple[EntryRow, ...]
    leaves: tuple[tuple[CityId, LeafHash], ...]


class ExploreGroup(Protocol):
    """Promises: every read is bounded by an index and a limit, or is an aggregate over a range of
    blocks; no column that could say something about a person is read."""

    def count_events(self) -> Mapping[EventKind, int]:
        """Rows of every kind taken in."""
        ...

    def find_span(self) -> tuple[int, int] | None:
        """Timestamps (s) of the first and last block that hold any event; None without one."""
        ...

    def find_first_block(self, at_s: int) -> BlockNumber | None:
        """First block taken in with a timestamp of `at_s` or later."""
        ...

    def list_activity(
        self, start_s: int, width_s: int, count: int, cities: Sequence[CityId]
    ) -> list[BucketActivity]:
        """What these cities did in each of `count` buckets; bucket i holds
        `start_s + i * width_s <= block time < start_s + (i + 1) * width_s`. Buckets without a
        block are left out."""
        ...

    def count_consumptions(self, start_s: int, width_s: int, count: int) -> list[tuple[int, int]]:
        """(bucket, consumptions) of buckets that hold a block; they name no city."""
        ...

    def list_lines(self, kind: EventKind, which: LineFilter, limit: int) -> list[EventLine]:
        """Newest first."""
        ...

    def find_log(self, block: BlockNumber, log_index: int) -> tuple[RawLog, int] | None:
        """A stored log with its block's timestamp in seconds."""
        ...

    def list_logs_of_transaction(self, tx_hash: TxHash) -> list[tuple[RawLog, int]]:
        """Stored logs of a transaction, in order, with their block's timestamp."""
        ...

    def list_block_logs(self, block: BlockNumber, limit: int) -> list[tuple[RawLog, int]]:
        """Stored logs of a block, in order, with its timestamp."""
        ...

    def list_leaf_statuses(self, leaf_hash: LeafHash) -> list[StatusChange]:
        """Flags set on a leaf hash by whichever city, in chain order."""
        ...

    def list_objection_ends(self, objection: Objection) -> list[tuple[int, Place]]:
        """Outcomes of an objection (4: withdrawn) and where they stand."""
        ...

    def find_between(self, lowest: bytes, highest: bytes, limit: int) -> PrefixMatches:
        """Hashes from `lowest` to `highest`, both 32 bytes and included: one prefix."""
        ...

    def find_entry(self, generation: int, leaf_index: int) -> EntryRow | None:
        """An entry of this city's own log by its place."""
        ...

    def list_releases_of_material(self, commitment: Commitment, limit: int) -> list[ReleaseLink]:
        """Releases in either direction that this node knows to have handed a material over."""
        ...

    def list_releases_of_grant(self, grant_id: GrantId, limit: int) -> list[ReleaseLink]:
        """Releases in either direction under a grant."""
        ...

    def list_materials_of_release(self, request_digest: bytes) -> list[Commitment]:
        """Commitments a release handed over, as far as this node knows."""
        ...

    def list_overdue_releases(self, before: datetime, limit: int) -> list[ReleaseLink]:
        """Outgoing releases that the chain permitted and nobody acknowledged, untouched since
        `before`; oldest first."""
        ...


class ReplayState(StrEnum):
    """A replay that was asked for."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"  # there is a report
    CANCELLED = "cancelled"
    FAILED = "failed"  # the endpoint was silent, or answers for another chain
    BROKEN = "broken"  # its process ended too often before it did


OPEN_REPLAYS = frozenset({ReplayState.WAITING, ReplayState.RUNNING})


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """One replay.

    Attributes:
        replay_id: Row number.
        requested_by: Account id (pseudonym) of whoever asked.
        sample: At most so many grants and statuses are read back from storage; None for all.
        worker: Token of the process that runs it, 16 bytes; None while none does.
        attempts: How often a process took it up.
        stage, done, total: Progress, as `flows/auditing.py` tells it.
        beat_at: When its process last said so.
        as_of_block, blocks, events, entries, discrepancies: Of the report.
        report: RFC 8785 bytes; None until it is done.
        problem_code: Why it failed.
    """

    replay_id: int
    requested_by: str
    requested_at: datetime
    state: ReplayState
    sample: int | None
    cancel_asked: bool
    worker: bytes | None
    attempts: int
    stage: str
    done: int
    total: int
    started_at: datetime | None
    beat_at: datetime | None
    finished_at: datetime | None
    as_of_block: int | None
    blocks: int | None
    events: int | None
    entries: int | None
    discrepancies: int | None
    report: bytes | None
    problem_code: str | None


class ReplayGroup(Protocol):
    """Promises: at most one replay is open; a row moves only from what its writer last read."""

    def save_replay(self, row: ReplayRow) -> int:
        """Insert (`row.replay_id` is ignored); returns its id.

        Raises:
            RowConflictError: Another one is open.
        """
        ...

    def load_replay(self, replay_id: int) -> ReplayRow | None: ...

    def find_open_replay(self) -> ReplayRow | None: ...

    def list_replays(self, before: int | None, limit: int) -> list[ReplayRow]:
        """Newest first, without their reports."""
        ...

    def advance_replay(self, before: ReplayRow, after: ReplayRow) -> bool:
        """Compare-and-swap on (state, worker, attempts), leaving `cancel_asked` alone; False when
        somebody else moved it."""
        ...

    def ask_cancel(self, replay_id: int) -> bool:
        """Ask an open replay to end; False when it is not open."""
        ...
