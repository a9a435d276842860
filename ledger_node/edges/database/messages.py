"""Group `messages`: nonces, the message log and notices between cities."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger_node.core.types import CityId
from ledger_node.edges.database.rows import build_rows, row_values, select_rows
from ledger_node.edges.database.tables_exchange import message_nonces, messages, notices
from ledger_node.ports.database_exchange import LoggedMessage, NoticeRow


class SqlMessages:
    """`ports.database_exchange.MessageGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def store_nonce(self, key_id: str, nonce: str, expires_at: datetime) -> bool:
        row = {"key_id": key_id, "nonce": nonce, "expires_at": expires_at}
        return self._insert_new(message_nonces, row)

    def drop_nonces_before(self, at: datetime) -> int:
        change = delete(message_nonces).where(message_nonces.c.expires_at < at)
        return self._connection.execute(change).rowcount

    def log_message(
        self, direction: str, city: CityId, kind: str, digest: bytes, at: datetime
    ) -> None:
        row = {
            "direction": direction,
            "city": city,
            "kind": kind,
            "digest": digest,
            "logged_at": at,
        }
        self._connection.execute(insert(messages).values(row))

    def list_messages(self, direction: str, limit: int = 1000) -> list[LoggedMessage]:
        query = (
            select_rows(messages, LoggedMessage)
            .where(messages.c.direction == direction)
            .order_by(messages.c.message_id.desc())
            .limit(limit)
        )
        return build_rows(LoggedMessage, self._connection.execute(query).all())

    def save_notice(self, row: NoticeRow) -> bool:
        return self._insert_new(notices, row_values(row))

    def mark_notice_delivered(self, notice_id: bytes, city: CityId) -> None:
        change = (
            update(notices)
            .where(
                notices.c.notice_id == notice_id,
                notices.c.city == city,
                notices.c.direction == "outgoing",
            )
            .values(delivered=True)
        )
        self._connection.execute(change)

    def list_notices(self, direction: str, *, undelivered_only: bool) -> list[NoticeRow]:
        query = select_rows(notices, NoticeRow).where(notices.c.direction == direction)
        if undelivered_only:
            query = query.where(notices.c.delivered.is_(False))
        rows = self._connection.execute(query.order_by(notices.c.created_at)).all()
        return build_rows(NoticeRow, rows)

    def _insert_new(self, table: Table, row: dict[str, Any]) -> bool:
        """Insert unless the primary key is there; the database decides, not an earlier read.

        RETURNING says it: an INSERT has no row count on PostgreSQL.
        """
        key = next(iter(table.primary_key.columns))
        statement = self._insert_or_skip(table).values(row).returning(key)
        return self._connection.execute(statement).first() is not None

    def _insert_or_skip(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        if self._connection.dialect.name == "postgresql":
            return postgresql.insert(table).on_conflict_do_nothing()
        return sqlite.insert(table).on_conflict_do_nothing()
