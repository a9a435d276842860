"""Group `grants`: terms, evidence and openings of the grants this city has to do with."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from ledger_node.core.errors import NotFoundError
from ledger_node.core.types import GrantId
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_exchange import grants
from ledger_node.ports.database_exchange import GrantRow


class GrantNotFoundError(NotFoundError):
    """This city holds no terms of that grant."""

    code = "grant_not_found"


class SqlGrants:
    """`ports.database_exchange.GrantGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_grant(self, row: GrantRow) -> None:
        held = select(grants.c.grant_id).where(grants.c.grant_id == row.grant_id)
        if self._connection.execute(held).first() is None:
            self._connection.execute(insert(grants).values(row_values(row)))

    def load_grant(self, grant_id: GrantId) -> GrantRow:
        row = fetch_one(self._connection, grants, GrantRow, grants.c.grant_id == grant_id)
        if row is None:
            raise GrantNotFoundError(
                "本市没有这份授权的条款。请核对授权编号。",
                "This city holds no terms of that grant; check its id.",
                grant_id=grant_id.hex(),
            )
        return row

    def list_grants(self, limit: int = 100) -> list[GrantRow]:
        query = select_rows(grants, GrantRow).order_by(grants.c.created_at.desc()).limit(limit)
        return build_rows(GrantRow, self._connection.execute(query).all())

    def set_record_outbox(self, grant_id: GrantId, outbox_id: int) -> bool:
        change = (
            update(grants)
            .where(grants.c.grant_id == grant_id, grants.c.outbox_id.is_(None))
            .values(outbox_id=outbox_id)
        )
        return self._connection.execute(change).rowcount == 1
