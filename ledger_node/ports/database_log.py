"""Database group of step 3: the head row, assigned leaf indexes, checkpoints and halts.

Private to one city. The head row is the fence between writers: every change compares size, root
and writer term with what the writer last read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.types import Commitment, RootHash
from ledger_node.ports.database_intake import EntryRow


@dataclass(frozen=True, slots=True)
class LogHead:
    """The sequenced head of one generation (its tiles may not be written yet).

    Attributes:
        generation: 0-based.
        size: Leaves that have an index.
        root: Root of the tree over them, 32 bytes.
        writer_term: Raised by every process that takes over writing.
    """

    generation: int
    size: int
    root: RootHash
    writer_term: int


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """A signed checkpoint whose tiles are durable; `note` is the C2SP signed note."""

    generation: int
    size: int
    root: RootHash
    note: bytes
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Halt:
    """A latched reason to stop; `cleared_by` names the person who cleared it."""

    halt_id: int
    reason: str
    detail: str
    latched_at: datetime
    cleared_at: datetime | None
    cleared_by: str | None


class LogGroup(Protocol):
    """Promises: an index once assigned is never assigned again; checkpoints and halts are only
    added to (a halt is cleared by a person, and the row stays)."""

    def open_generation(self, generation: int, empty_root: RootHash, at: datetime) -> LogHead:
        """Insert the head row of size 0, or load the one that is there."""
        ...

    def load_head(self) -> LogHead:
        """Head of the newest generation."""
        ...

    def lock_head(self, generation: int) -> None:
        """Hold the head row until the transaction ends: nobody else assigns or publishes."""
        ...

    def take_writer_term(self, generation: int) -> LogHead:
        """Raise the writer term: rounds that other processes have under way will not commit."""
        ...

    def list_pending(self, limit: int) -> list[EntryRow]:
        """Committed entries without an index, in order of entry id."""
        ...

    def count_pending(self) -> int: ...

    def assign_indexes(
        self, before: LogHead, entry_ids: Sequence[int], size: int, root: RootHash
    ) -> None:
        """Compare-and-swap the head to (size, root) and number `entry_ids` from `before.size`.

        Raises:
            ConflictError: The head is not `before` any more, or an entry has an index already.
        """
        ...

    def adopt_entries(
        self, leaves: Sequence[tuple[int, Commitment]], at: datetime
    ) -> tuple[list[int], int]:
        """Entry ids of (kind, commitment) pairs in their order, and how many were not here.

        Those get a row without an opening: their private part is lost. `assign_indexes` comes
        next, in the same transaction, and refuses what has an index already.
        """
        ...

    def list_leaves(self, generation: int, first: int, last: int) -> list[EntryRow]:
        """Sequenced entries with first <= leaf index < last, in order."""
        ...

    def find_leaf(self, commitment: Commitment) -> EntryRow | None: ...

    def save_checkpoint(self, checkpoint: PublishedCheckpoint) -> None:
        """Idempotent for the same (generation, size, root)."""
        ...

    def load_latest_checkpoint(self, generation: int) -> PublishedCheckpoint | None: ...

    def find_checkpoint(self, generation: int, size: int) -> PublishedCheckpoint | None: ...

    def latch_halt(self, reason: str, detail: str, at: datetime) -> None:
        """Idempotent while the same reason stands."""
        ...

    def list_halts(self, *, standing_only: bool = True) -> list[Halt]: ...

    def clear_halt(self, reason: str, by: str, at: datetime) -> bool:
        """False when no such halt stands."""
        ...
