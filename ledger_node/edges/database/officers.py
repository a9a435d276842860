"""Group `officers`: enrolled officers and their credential entries."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from ledger_node.core.errors import NotFoundError
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_exchange import officers
from ledger_node.ports.database_exchange import OfficerRow


class OfficerNotFoundError(NotFoundError):
    """No officer of that id is enrolled in this city."""

    code = "officer_not_found"


class SqlOfficers:
    """`ports.database_exchange.OfficerGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_officer(self, row: OfficerRow) -> None:
        self._connection.execute(insert(officers).values(row_values(row)))

    def load_officer(self, officer: str) -> OfficerRow:
        row = fetch_one(self._connection, officers, OfficerRow, officers.c.officer == officer)
        if row is None:
            raise OfficerNotFoundError(
                f"本市没有登记经办人 {officer}。请先运行 tongban officer enrol。",
                f"No officer {officer} is enrolled here; run tongban officer enrol first.",
                officer=officer,
            )
        return row

    def list_officers(self) -> list[OfficerRow]:
        query = select_rows(officers, OfficerRow).order_by(officers.c.officer)
        return build_rows(OfficerRow, self._connection.execute(query).all())
