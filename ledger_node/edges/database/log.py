"""Group `log`: head row, leaf indexes, checkpoints, halts (step 3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.dml import Insert

from ledger_node.core.types import Commitment, RootHash
from ledger_node.edges.database.columns import AnyRow
from ledger_node.edges.database.intake import entry_of
from ledger_node.edges.database.tables_intake import entries
from ledger_node.edges.database.tables_log import checkpoints, halts, log_heads
from ledger_node.ports.database import (
    EntryNotFoundError,
    RowConflictError,
    StaleHeadError,
)
from ledger_node.ports.database_intake import EntryRow
from ledger_node.ports.database_log import Halt, LogHead, PublishedCheckpoint

_ADOPT_AT_ONCE = 500
_HEAD = (log_heads.c.generation, log_heads.c.size, log_heads.c.root, log_heads.c.writer_term)
_NEWEST_HEAD = select(*_HEAD).order_by(log_heads.c.generation.desc()).limit(1)
_HEAD_OF = select(*_HEAD).where(log_heads.c.generation == bindparam("generation"))
_LOCK_HEAD = (
    select(log_heads.c.generation)
    .where(log_heads.c.generation == bindparam("generation"))
    .with_for_update()  # SQLite: left out, the write transaction holds the only lock
)
_TAKE_TERM = (
    update(log_heads)
    .where(log_heads.c.generation == bindparam("the_generation"))
    .values(writer_term=log_heads.c.writer_term + 1)
)
_SWAP_HEAD = (
    update(log_heads)
    .where(
        log_heads.c.generation == bindparam("old_generation"),
        log_heads.c.size == bindparam("old_size"),
        log_heads.c.root == bindparam("old_root"),
        log_heads.c.writer_term == bindparam("old_term"),
    )
    .values(size=bindparam("new_size"), root=bindparam("new_root"))
)
_ENTRY = (
    entries.c.entry_id,
    entries.c.kind,
    entries.c.commitment,
    entries.c.generation,
    entries.c.leaf_index,
)
_PENDING = (
    select(*_ENTRY)
    .where(entries.c.leaf_index.is_(None))
    .order_by(entries.c.entry_id)
    .limit(bindparam("limit"))
)
_COUNT_PENDING = select(func.count(entries.c.entry_id)).where(entries.c.leaf_index.is_(None))
_LEAVES = (
    select(*_ENTRY)
    .where(
        entries.c.generation == bindparam("generation"),
        entries.c.leaf_index >= bindparam("first"),
        entries.c.leaf_index < bindparam("last"),
    )
    .order_by(entries.c.leaf_index)
)
_LEAF = select(*_ENTRY).where(
    entries.c.commitment == bindparam("commitment"), entries.c.leaf_index.is_not(None)
)
_CHECKPOINT = (
    checkpoints.c.generation,
    checkpoints.c.size,
    checkpoints.c.root,
    checkpoints.c.note,
    checkpoints.c.published_at,
)
_LATEST_CHECKPOINT = (
    select(*_CHECKPOINT)
    .where(checkpoints.c.generation == bindparam("generation"))
    .order_by(checkpoints.c.size.desc())
    .limit(1)
)
_CHECKPOINT_AT = select(*_CHECKPOINT).where(
    checkpoints.c.generation == bindparam("generation"), checkpoints.c.size == bindparam("size")
)
_HALTS = select(
    halts.c.halt_id,
    halts.c.reason,
    halts.c.detail,
    halts.c.latched_at,
    halts.c.cleared_at,
    halts.c.cleared_by,
).order_by(halts.c.halt_id)
_STANDING = _HALTS.where(halts.c.cleared_at.is_(None))
_CLEAR = (
    update(halts)
    .where(halts.c.reason == bindparam("the_reason"), halts.c.cleared_at.is_(None))
    .values(cleared_at=bindparam("at"), cleared_by=bindparam("by"))
)


def _numbering_postgres() -> Update:
    ids = func.unnest(bindparam("ids", type_=ARRAY(BigInteger)))
    numbered = ids.table_valued("id", with_ordinality="place").render_derived(name="numbered")
    return _numbering(numbered.c.id, numbered.c.place - 1)


def _numbering_sqlite() -> Update:
    numbered = func.json_each(bindparam("ids")).table_valued("key", "value", name="numbered")
    return _numbering(numbered.c.value, numbered.c.key)


def _numbering(entry_id: Any, place: Any) -> Update:
    """Number the entries of an array by their place in it, only those without an index."""
    return (
        update(entries)
        .where(entries.c.entry_id == entry_id, entries.c.leaf_index.is_(None))
        .values(generation=bindparam("in_generation"), leaf_index=bindparam("base") + place)
    )


_NUMBERING = {"postgresql": _numbering_postgres(), "sqlite": _numbering_sqlite()}


class SqlLog:
    """`LogGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name

    def _insert(self, table: Any) -> Any:
        build: Any = postgres_insert if self._dialect == "postgresql" else sqlite_insert
        return build(table)

    def open_generation(self, generation: int, empty_root: RootHash, at: datetime) -> LogHead:
        """The head row of a generation, inserted at size 0 if absent."""
        statement: Insert = self._insert(log_heads).on_conflict_do_nothing()
        self._connection.execute(
            statement,
            {
                "generation": generation,
                "size": 0,
                "root": empty_root,
                "writer_term": 0,
                "opened_at": at,
            },
        )
        return _head(self._connection.execute(_HEAD_OF, {"generation": generation}).one())

    def load_head(self) -> LogHead:
        """Newest generation."""
        row = self._connection.execute(_NEWEST_HEAD).one_or_none()
        if row is None:
            raise EntryNotFoundError("log head")
        return _head(row)

    def lock_head(self, generation: int) -> None:
        """SELECT … FOR UPDATE of the head row."""
        self._connection.execute(_LOCK_HEAD, {"generation": generation}).all()

    def take_writer_term(self, generation: int) -> LogHead:
        """Raise the term and load."""
        self._connection.execute(_TAKE_TERM, {"the_generation": generation})
        return _head(self._connection.execute(_HEAD_OF, {"generation": generation}).one())

    def list_pending(self, limit: int) -> list[EntryRow]:
        """Entries without an index."""
        return [entry_of(row) for row in self._connection.execute(_PENDING, {"limit": limit})]

    def count_pending(self) -> int:
        return int(self._connection.execute(_COUNT_PENDING).scalar_one())

    def assign_indexes(
        self, before: LogHead, entry_ids: Sequence[int], size: int, root: RootHash
    ) -> None:
        """Swap the head, then number the entries in one statement."""
        swapped = self._connection.execute(
            _SWAP_HEAD,
            {
                "old_generation": before.generation,
                "old_size": before.size,
                "old_root": before.root,
                "old_term": before.writer_term,
                "new_size": size,
                "new_root": root,
            },
        )
        if swapped.rowcount != 1 or size != before.size + len(entry_ids):
            raise StaleHeadError(before.generation, before.size)
        ids: Any = list(entry_ids)
        numbered = self._connection.execute(
            _NUMBERING[self._dialect],
            {
                "ids": ids if self._dialect == "postgresql" else json.dumps(ids),
                "in_generation": before.generation,
                "base": before.size,
            },
        )
        if numbered.rowcount != len(entry_ids):
            raise RowConflictError("entries.leaf_index")

    def adopt_entries(
        self, leaves: Sequence[tuple[int, Commitment]], at: datetime
    ) -> tuple[list[int], int]:
        """Look up in parts, then insert what is missing."""
        known: dict[bytes, int] = {}
        for begin in range(0, len(leaves), _ADOPT_AT_ONCE):
            part = [commitment for _, commitment in leaves[begin : begin + _ADOPT_AT_ONCE]]
            query = select(entries.c.commitment, entries.c.entry_id).where(
                entries.c.commitment.in_(part)
            )
            known.update({bytes(row[0]): int(row[1]) for row in self._connection.execute(query)})
        missing = [leaf for leaf in leaves if leaf[1] not in known]
        for kind, commitment in missing:
            row = {"kind": kind, "commitment": commitment, "committed_at": at}
            inserted = self._connection.execute(entries.insert(), row).inserted_primary_key
            assert inserted is not None  # single-row insert: always given
            known[commitment] = int(inserted[0])
        return [known[commitment] for _, commitment in leaves], len(missing)

    def list_leaves(self, generation: int, first: int, last: int) -> list[EntryRow]:
        """Entries first..last-1 of a generation."""
        values = {"generation": generation, "first": first, "last": last}
        return [entry_of(row) for row in self._connection.execute(_LEAVES, values)]

    def find_leaf(self, commitment: Commitment) -> EntryRow | None:
        """The sequenced entry of a commitment."""
        row = self._connection.execute(_LEAF, {"commitment": commitment}).one_or_none()
        return None if row is None else entry_of(row)

    def save_checkpoint(self, checkpoint: PublishedCheckpoint) -> None:
        """Insert if absent; a different root of the same size is a conflict."""
        statement: Insert = self._insert(checkpoints).on_conflict_do_nothing()
        self._connection.execute(
            statement,
            {
                "generation": checkpoint.generation,
                "size": checkpoint.size,
                "root": checkpoint.root,
                "note": checkpoint.note,
                "published_at": checkpoint.published_at,
            },
        )
        stored = self.find_checkpoint(checkpoint.generation, checkpoint.size)
        if stored is None or stored.root != checkpoint.root:
            raise RowConflictError("checkpoints.root")

    def load_latest_checkpoint(self, generation: int) -> PublishedCheckpoint | None:
        """The largest published head of a generation."""
        row = self._connection.execute(_LATEST_CHECKPOINT, {"generation": generation}).one_or_none()
        return None if row is None else PublishedCheckpoint(*row)

    def find_checkpoint(self, generation: int, size: int) -> PublishedCheckpoint | None:
        """The published head of exactly this size."""
        row = self._connection.execute(
            _CHECKPOINT_AT, {"generation": generation, "size": size}
        ).one_or_none()
        return None if row is None else PublishedCheckpoint(*row)

    def latch_halt(self, reason: str, detail: str, at: datetime) -> None:
        """Insert unless the same reason stands."""
        statement: Insert = self._insert(halts).on_conflict_do_nothing(
            index_elements=["reason"], index_where=literal_column("cleared_at").is_(None)
        )
        self._connection.execute(statement, {"reason": reason, "detail": detail, "latched_at": at})

    def list_halts(self, *, standing_only: bool = True) -> list[Halt]:
        """Oldest first."""
        return [
            Halt(*row) for row in self._connection.execute(_STANDING if standing_only else _HALTS)
        ]

    def clear_halt(self, reason: str, by: str, at: datetime) -> bool:
        """The row stays, with who cleared it and when."""
        cleared = self._connection.execute(_CLEAR, {"the_reason": reason, "by": by, "at": at})
        return cleared.rowcount == 1


def _head(row: AnyRow) -> LogHead:
    return LogHead(row.generation, row.size, row.root, row.writer_term)
