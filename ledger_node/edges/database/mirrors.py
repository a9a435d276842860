"""Group `mirrors`: progress, cosignatures, findings and recoveries (step 10)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import CityId
from ledger_node.core.witness import FindingKind
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_chain import chain_following, chain_heads
from ledger_node.edges.database.tables_mirrors import (
    cosignatures,
    log_findings,
    log_recoveries,
    mirrors,
)
from ledger_node.ports.database_mirrors import (
    CosignatureRow,
    FindingRow,
    MirrorRow,
    NewestHead,
    RecoveryRow,
)

_KEY = ("city", "generation")
_IS_FINAL = chain_heads.c.block_number <= select(chain_following.c.final_number).scalar_subquery()


class SqlMirrors:
    """`MirrorGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name

    def _insert(self, table: Any) -> Any:
        build: Any = postgres_insert if self._dialect == "postgresql" else sqlite_insert
        return build(table)

    def _did_write(self, statement: Any, column: Column[Any]) -> bool:
        """RETURNING says it: an INSERT has no row count on PostgreSQL."""
        return self._connection.execute(statement.returning(column)).first() is not None

    def list_newest_heads(self) -> list[NewestHead]:
        """One grouped read over the anchored heads."""
        c = chain_heads.c
        largest = (
            select(c.city, c.generation, func.max(c.size).label("size"))
            .where(_IS_FINAL)
            .group_by(c.city, c.generation)
            .subquery()
        )
        query = (
            select(c.city, c.generation, c.size, c.root)
            .join(
                largest,
                (c.city == largest.c.city)
                & (c.generation == largest.c.generation)
                & (c.size == largest.c.size),
            )
            .where(_IS_FINAL)
            .order_by(c.city, c.generation)
            .distinct()
        )
        return [
            NewestHead(city, generation, TreeHead(size, root))
            for city, generation, size, root in self._connection.execute(query)
        ]

    def list_heads_between(
        self, city: CityId, generation: int, above: int, up_to: int
    ) -> list[TreeHead]:
        """By size."""
        c = chain_heads.c
        query = (
            select(c.size, c.root)
            .where(c.city == city, c.generation == generation, c.size > above, c.size <= up_to)
            .where(_IS_FINAL)
            .order_by(c.size)
            .distinct()
        )
        return [TreeHead(size, root) for size, root in self._connection.execute(query)]

    def load_mirror(self, city: CityId, generation: int) -> MirrorRow | None:
        """By primary key."""
        where = (mirrors.c.city == city, mirrors.c.generation == generation)
        return fetch_one(self._connection, mirrors, MirrorRow, *where)

    def list_mirrors(self) -> list[MirrorRow]:
        """By city and generation."""
        query = select_rows(mirrors, MirrorRow).order_by(mirrors.c.city, mirrors.c.generation)
        return build_rows(MirrorRow, self._connection.execute(query).all())

    def save_mirror(self, row: MirrorRow) -> bool:
        """Insert or replace, unless a larger size is stored."""
        values = row_values(row)
        rest = {name: value for name, value in values.items() if name not in _KEY}
        statement = (
            self._insert(mirrors)
            .values(values)
            .on_conflict_do_update(
                index_elements=list(_KEY), set_=rest, where=mirrors.c.size <= row.size
            )
        )
        return self._did_write(statement, mirrors.c.city)

    def save_cosignature(self, row: CosignatureRow) -> bool:
        """Insert if absent."""
        statement = self._insert(cosignatures).values(row_values(row)).on_conflict_do_nothing()
        return self._did_write(statement, cosignatures.c.city)

    def list_cosignatures(
        self, city: CityId, generation: int, *, min_size: int = 0
    ) -> list[CosignatureRow]:
        """By witness, and then size."""
        c = cosignatures.c
        query = (
            select_rows(cosignatures, CosignatureRow)
            .where(c.city == city, c.generation == generation, c.size >= min_size)
            .order_by(c.witness, c.size)
        )
        return build_rows(CosignatureRow, self._connection.execute(query).all())

    def list_largest_cosigned(self, city: CityId, generation: int) -> dict[CityId, int]:
        """One row per witness."""
        c = cosignatures.c
        query = (
            select(c.witness, func.max(c.size))
            .where(c.city == city, c.generation == generation)
            .group_by(c.witness)
        )
        return {CityId(witness): int(size) for witness, size in self._connection.execute(query)}

    def save_finding(self, row: FindingRow) -> bool:
        """Insert unless one of this kind stands."""
        values = row_values(row)
        del values["finding_id"]
        values["kind"] = row.kind.value
        statement = (
            self._insert(log_findings)
            .values(values)
            .on_conflict_do_nothing(
                index_elements=["city", "generation", "kind"],
                index_where=literal_column("ended_at").is_(None),
            )
        )
        return self._did_write(statement, log_findings.c.city)

    def end_findings(
        self,
        city: CityId,
        generation: int,
        kinds: Collection[FindingKind],
        by: str,
        at: datetime,
    ) -> int:
        """The rows stay, with who ended them and when."""
        c = log_findings.c
        ended = self._connection.execute(
            update(log_findings)
            .where(
                c.city == city,
                c.generation == generation,
                c.kind.in_([kind.value for kind in kinds]),
                c.ended_at.is_(None),
            )
            .values(ended_at=at, ended_by=by)
        )
        return int(ended.rowcount)

    def list_findings(
        self, city: CityId | None = None, *, standing_only: bool = True, limit: int = 200
    ) -> list[FindingRow]:
        """Newest first."""
        c = log_findings.c
        query = select_rows(log_findings, FindingRow).order_by(c.finding_id.desc()).limit(limit)
        if city is not None:
            query = query.where(c.city == city)
        if standing_only:
            query = query.where(c.ended_at.is_(None))
        rows = build_rows(FindingRow, self._connection.execute(query).all())
        return [replace(row, kind=FindingKind(row.kind)) for row in rows]

    def save_recovery(self, row: RecoveryRow) -> None:
        """One row per recovery."""
        self._connection.execute(self._insert(log_recoveries).values(row_values(row)))

    def list_recoveries(self) -> list[RecoveryRow]:
        """Oldest first."""
        query = select_rows(log_recoveries, RecoveryRow).order_by(log_recoveries.c.recovered_at)
        return build_rows(RecoveryRow, self._connection.execute(query).all())
