"""Index of the segments: where each blob stands. Derived from the segment files, rebuildable.

One SQLite file beside the segments, shared by all processes that use the store. It lists only
what is durable in a segment: rows are written after the segment's sync, so a blob another process
can see is never lost. `indexed_to` says per segment how far the index knows it; what lies behind
is scanned by the next process that owns the segment.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger_node.edges.documents.segment_format import (
    RECORD_HEADER_BYTES,
    Place,
    ScannedRecord,
)
from ledger_node.edges.files import exclusive_lock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS blob (
    address BLOB PRIMARY KEY, segment INTEGER NOT NULL, start INTEGER NOT NULL,
    length INTEGER NOT NULL, damaged INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS removal (
    segment INTEGER NOT NULL, start INTEGER NOT NULL, PRIMARY KEY (segment, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment (
    number INTEGER PRIMARY KEY, indexed_to INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0
);
PRAGMA user_version = 1;
"""
_BUSY_S = 30.0


@dataclass(frozen=True, slots=True)
class IndexedBlob:
    """Where a blob stands and whether its bytes were found damaged when it was indexed."""

    place: Place
    length_bytes: int
    damaged: bool = False

    @property
    def end(self) -> int:
        """Offset behind the record."""
        return self.place.offset + RECORD_HEADER_BYTES + self.length_bytes


class SegmentIndex:
    """Promises: `add` is atomic; `find` sees what any process has added."""

    def __init__(self, path: Path) -> None:
        """Open the index, or create an empty one (the segments then have to be scanned)."""
        self._lock = threading.Lock()
        with exclusive_lock(path.with_suffix(".lock")):
            # SQLite does not wait for others while the journal mode is being set.
            self._connection = _open(path)

    def find(self, address: bytes) -> IndexedBlob | None:
        """Place of a blob, or None."""
        query = "SELECT segment, start, length, damaged FROM blob WHERE address = ?"
        with self._lock:
            row = self._connection.execute(query, (address,)).fetchone()
        if row is None:
            return None
        segment, start, length_bytes, damaged = row
        return IndexedBlob(Place(_unsigned(segment), start), length_bytes, bool(damaged))

    def list_addresses(self, after: bytes, limit: int = 1000) -> list[bytes]:
        """The next addresses above `after`, ascending."""
        query = "SELECT address FROM blob WHERE address > ? ORDER BY address LIMIT ?"
        with self._lock:
            return [row[0] for row in self._connection.execute(query, (after, limit)).fetchall()]

    def indexed_to(self, segment: int) -> int:
        """Offset up to which a segment is indexed; 0 for one the index does not know."""
        query = "SELECT indexed_to FROM segment WHERE number = ?"
        with self._lock:
            row = self._connection.execute(query, (_signed(segment),)).fetchone()
        return row[0] if row else 0

    def is_closed(self, segment: int) -> bool:
        """Whether nothing may be appended to a segment any more."""
        query = "SELECT 1 FROM segment WHERE number = ? AND closed = 1"
        with self._lock:
            return self._connection.execute(query, (_signed(segment),)).fetchone() is not None

    def close_segment(self, segment: int) -> None:
        """Keep a segment whose end is not understood for reading only."""
        with self._lock:
            statement = "UPDATE segment SET closed = 1 WHERE number = ?"
            self._connection.execute(statement, (_signed(segment),))

    def mark_damaged(self, address: bytes, place: Place) -> None:
        """Note that the bytes at a place were found changed: the next put takes their stead."""
        statement = "UPDATE blob SET damaged = 1 WHERE address = ? AND segment = ? AND start = ?"
        with self._lock:
            self._connection.execute(statement, (address, _signed(place.segment), place.offset))

    def add(
        self,
        records: Iterable[ScannedRecord],
        indexed_to: Mapping[int, int],
        damaged: frozenset[Place] = frozenset(),
    ) -> None:
        """Take in records that are durable in their segments, in one transaction.

        A blob listed already keeps its first place, unless that one is damaged and this is not.
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for record in records:
                    self._add_record(record, record.place in damaged)
                self._connection.executemany(
                    "INSERT INTO segment (number, indexed_to) VALUES (?, ?) ON CONFLICT (number)"
                    " DO UPDATE SET indexed_to = excluded.indexed_to",
                    [(_signed(number), end) for number, end in indexed_to.items()],
                )
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def forget_segment(self, segment: int) -> None:
        """Drop everything known about one segment, to index it anew from its start."""
        with self._lock:
            number = (_signed(segment),)
            self._connection.execute("DELETE FROM blob WHERE segment = ?", number)
            self._connection.execute("DELETE FROM segment WHERE number = ?", number)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _add_record(self, record: ScannedRecord, damaged: bool) -> None:
        if record.removes is not None:
            row = (_signed(record.removes.segment), record.removes.offset)
            self._connection.execute("INSERT OR IGNORE INTO removal VALUES (?, ?)", row)
            self._connection.execute("DELETE FROM blob WHERE segment = ? AND start = ?", row)
            return
        place, header = record.place, record.header
        self._connection.execute(
            "INSERT INTO blob SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS"
            " (SELECT 1 FROM removal WHERE segment = ?2 AND start = ?3)"
            " ON CONFLICT (address) DO UPDATE SET segment = excluded.segment,"
            " start = excluded.start, length = excluded.length, damaged = excluded.damaged"
            " WHERE blob.damaged > excluded.damaged",
            (header.address, _signed(place.segment), place.offset, header.length_bytes, damaged),
        )


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA user_version").fetchone() != (1,):
            connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _signed(number: int) -> int:
    """u64 as SQLite's signed integer."""
    return number - (1 << 64) if number >= 1 << 63 else number


def _unsigned(number: int) -> int:
    return number + (1 << 64) if number < 0 else number
