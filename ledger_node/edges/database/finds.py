"""Group `finds`: questions this city asked and answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from ledger_node.core.errors import NotFoundError
from ledger_node.core.types import CityId
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_exchange import finds
from ledger_node.ports.database_exchange import FindRow


class FindNotFoundError(NotFoundError):
    """No find of that digest was made or answered here."""

    code = "find_not_found"


class SqlFinds:
    """`ports.database_exchange.FindGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_find(self, row: FindRow) -> None:
        self._connection.execute(insert(finds).values(row_values(row)))

    def finish_find(
        self, request_digest: bytes, direction: str, answer: bytes | None, outcome: str
    ) -> None:
        change = (
            update(finds)
            .where(finds.c.request_digest == request_digest, finds.c.direction == direction)
            .values(answer=answer, outcome=outcome)
        )
        self._connection.execute(change)

    def find_find(self, request_digest: bytes, direction: str) -> FindRow | None:
        return fetch_one(
            self._connection,
            finds,
            FindRow,
            finds.c.request_digest == request_digest,
            finds.c.direction == direction,
        )

    def load_find(self, request_digest: bytes, direction: str) -> FindRow:
        row = self.find_find(request_digest, direction)
        if row is None:
            raise FindNotFoundError("没有这次查询的记录。", "There is no such find here.")
        return row

    def list_finds(self, direction: str, limit: int = 100) -> list[FindRow]:
        query = (
            select_rows(finds, FindRow)
            .where(finds.c.direction == direction)
            .order_by(finds.c.created_at.desc())
            .limit(limit)
        )
        return build_rows(FindRow, self._connection.execute(query).all())

    def count_finds_since(
        self, city: CityId, since: datetime, *, officer: str | None = None
    ) -> int:
        query = (
            select(func.count())
            .select_from(finds)
            .where(
                finds.c.direction == "answered",
                finds.c.city == city,
                finds.c.created_at >= since,
            )
        )
        if officer is not None:
            query = query.where(finds.c.officer == officer)
        return self._connection.execute(query).scalar_one()
