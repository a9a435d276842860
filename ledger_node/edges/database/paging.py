"""Group `paging`: lists of the HTTP API by keyset, newest first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from ledger_node.core.types import MaterialId
from ledger_node.edges.database.columns import EPOCH
from ledger_node.edges.database.intake import SqlIntake
from ledger_node.edges.database.rows import build_rows, select_rows
from ledger_node.edges.database.tables_exchange import finds, grants, receipts, releases
from ledger_node.edges.database.tables_intake import entries, materials
from ledger_node.ports.database_api import PageMark
from ledger_node.ports.database_exchange import FindRow, GrantRow, ReceiptRow, ReleaseRow
from ledger_node.ports.database_intake import StoredMaterial

RowT = TypeVar("RowT")


class SqlPaging:
    """`PagingGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page_materials(self, before: PageMark | None, limit: int) -> list[StoredMaterial]:
        """Ids by entry number, then the rows of that page."""
        statement = (
            select(materials.c.material_id)
            .join(entries, entries.c.commitment == materials.c.commitment)
            .order_by(entries.c.entry_id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(entries.c.entry_id < before.at)
        ids = [MaterialId(each) for each in self._connection.execute(statement).scalars()]
        return SqlIntake(self._connection).load_materials(ids) if ids else []

    def page_finds(self, direction: str, before: PageMark | None, limit: int) -> list[FindRow]:
        """Of one direction."""
        mine = finds.c.direction == direction
        return self._page(finds, FindRow, "request_digest", before, limit, mine)

    def page_grants(self, before: PageMark | None, limit: int) -> list[GrantRow]:
        """All that this city holds."""
        return self._page(grants, GrantRow, "grant_id", before, limit)

    def page_releases(
        self, direction: str, before: PageMark | None, limit: int
    ) -> list[ReleaseRow]:
        """Of one direction."""
        mine = releases.c.direction == direction
        return self._page(releases, ReleaseRow, "request_digest", before, limit, mine)

    def page_receipts(self, before: PageMark | None, limit: int) -> list[ReceiptRow]:
        """By the entry that commits to them."""
        statement = (
            select_rows(receipts, ReceiptRow).order_by(receipts.c.entry_id.desc()).limit(limit)
        )
        if before is not None:
            statement = statement.where(receipts.c.entry_id < before.at)
        return build_rows(ReceiptRow, self._connection.execute(statement).all())

    def _page(
        self,
        table: Table,
        row_type: type[RowT],
        key: str,
        before: PageMark | None,
        limit: int,
        *where: ColumnElement[bool],
    ) -> list[RowT]:
        at, row_id = table.c.created_at, table.c[key]
        conditions: list[Any] = list(where)
        if before is not None:
            time = EPOCH + timedelta(microseconds=before.at)
            conditions.append(or_(at < time, and_(at == time, row_id < before.row_id)))
        statement = (
            select_rows(table, row_type)
            .where(*conditions)
            .order_by(at.desc(), row_id.desc())
            .limit(limit)
        )
        return build_rows(row_type, self._connection.execute(statement).all())
