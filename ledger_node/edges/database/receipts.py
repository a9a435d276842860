"""Group `receipts`: reliance receipts this city filed."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from ledger_node.core.errors import NotFoundError
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_exchange import receipts
from ledger_node.ports.database_exchange import ReceiptRow


class ReceiptNotFoundError(NotFoundError):
    """This city filed no receipt of that id."""

    code = "receipt_not_found"


class SqlReceipts:
    """`ports.database_exchange.ReceiptGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_receipt(self, row: ReceiptRow) -> None:
        self._connection.execute(insert(receipts).values(row_values(row)))

    def load_receipt(self, receipt_id: str) -> ReceiptRow:
        row = fetch_one(self._connection, receipts, ReceiptRow, receipts.c.receipt_id == receipt_id)
        if row is None:
            raise ReceiptNotFoundError(
                "本市没有这份采信凭证。请核对编号。",
                "This city filed no receipt of that id; check it.",
                receipt_id=receipt_id,
            )
        return row

    def list_receipts(self, limit: int = 100) -> list[ReceiptRow]:
        query = (
            select_rows(receipts, ReceiptRow).order_by(receipts.c.created_at.desc()).limit(limit)
        )
        return build_rows(ReceiptRow, self._connection.execute(query).all())
