"""Database group `mirrors`: other cities' logs as this node keeps and judges them (step 10).

Rows about a mirror can be made again from chain and tiles; cosignatures and findings are evidence
and are backed up. Spec: docs/spec/mirror.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import CityId, RootHash
from ledger_node.core.witness import FindingKind


@dataclass(frozen=True, slots=True)
class MirrorRow:
    """How far one log is mirrored, and what was last heard of it.

    Attributes:
        city, generation: The log.
        size, root: Largest anchored head all of whose files are here.
        note: Checkpoint of that head: the log's own signature where it was to be had, and this
            city's cosignature; None before the first.
        seen_size, seen_root, seen_note: Largest head the city ever signed and served.
        seen_at_s: Time of the newest block when it was first seen.
        looked_at: When the city was last asked.
        silent_since: Since when it does not answer; None if it does.
    """

    city: CityId
    generation: int
    size: int
    root: RootHash
    note: bytes | None
    seen_size: int
    seen_root: RootHash
    seen_note: bytes | None
    seen_at_s: int
    looked_at: datetime
    silent_since: datetime | None


@dataclass(frozen=True, slots=True)
class CosignatureRow:
    """A checked cosignature of a member, this city's own included.

    Attributes:
        note: The checkpoint with the cosigner's line.
    """

    city: CityId
    generation: int
    size: int
    witness: CityId
    root: RootHash
    cosigned_at_s: int
    note: bytes


@dataclass(frozen=True, slots=True)
class FindingRow:
    """Something that was wrong with a log.

    Attributes:
        finding_id: Row number.
        evidence: Signed checkpoint that shows it, where there is one.
        ended_by: `log` when it was right again, or the name of a person.
    """

    finding_id: int
    city: CityId
    generation: int
    kind: FindingKind
    detail: str
    evidence: bytes | None
    found_at: datetime
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """Entries this city's own log took back from a mirror after a restore.

    Attributes:
        old_size, size: The log before and after.
        source: Whose mirror it was; this city itself where its own files had them.
        lost: Entries whose private part is not in this database any more.
    """

    generation: int
    old_size: int
    size: int
    source: CityId
    lost: int
    recovered_at: datetime


@dataclass(frozen=True, slots=True)
class NewestHead:
    """The largest head that a log has at a final block."""

    city: CityId
    generation: int
    tree_head: TreeHead


class MirrorGroup(Protocol):
    """Promises: a mirror's size never goes back; at most one finding of a kind stands per log;
    an ended finding and a cosignature stay as they are."""

    def list_newest_heads(self) -> list[NewestHead]:
        """Of every log of every city, by city and generation; final blocks only."""
        ...

    def list_heads_between(
        self, city: CityId, generation: int, above: int, up_to: int
    ) -> list[TreeHead]:
        """Anchored heads with `above < size <= up_to`, smallest first; final blocks only."""
        ...

    def load_mirror(self, city: CityId, generation: int) -> MirrorRow | None: ...

    def list_mirrors(self) -> list[MirrorRow]:
        """By city and generation."""
        ...

    def save_mirror(self, row: MirrorRow) -> bool:
        """Insert or replace; False, and nothing changed, where a larger size is stored."""
        ...

    def save_cosignature(self, row: CosignatureRow) -> bool:
        """Insert if absent; False when the witness's cosignature of that head is stored."""
        ...

    def list_cosignatures(
        self, city: CityId, generation: int, *, min_size: int = 0
    ) -> list[CosignatureRow]:
        """By witness, and then size."""
        ...

    def list_largest_cosigned(self, city: CityId, generation: int) -> dict[CityId, int]:
        """Largest head of the log each member cosigned, as far as known here."""
        ...

    def save_finding(self, row: FindingRow) -> bool:
        """Insert (`finding_id` is ignored) unless one of this kind stands."""
        ...

    def end_findings(
        self,
        city: CityId,
        generation: int,
        kinds: Collection[FindingKind],
        by: str,
        at: datetime,
    ) -> int:
        """End what stands of these kinds; returns how many."""
        ...

    def list_findings(
        self, city: CityId | None = None, *, standing_only: bool = True, limit: int = 200
    ) -> list[FindingRow]:
        """Newest first."""
        ...

    def save_recovery(self, row: RecoveryRow) -> None: ...

    def list_recoveries(self) -> list[RecoveryRow]:
        """Oldest first."""
        ...
