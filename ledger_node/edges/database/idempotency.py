"""Group `idempotency`: one row per key an account chose on a route."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, update

from ledger_node.edges.database.columns import EPOCH
from ledger_node.edges.database.rows import fetch_one, row_values
from ledger_node.edges.database.tables_api import idempotency_keys as keys
from ledger_node.ports.database_api import IdempotencyRow


class SqlIdempotency:
    """`IdempotencyGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_key(self, row: IdempotencyRow) -> None:
        """The primary key decides who was first."""
        self._connection.execute(insert(keys).values(row_values(row)))

    def find_key(self, key_tag: bytes) -> IdempotencyRow | None:
        """One row."""
        return fetch_one(self._connection, keys, IdempotencyRow, keys.c.key_tag == key_tag)

    def take_over_key(self, before: IdempotencyRow, worker: bytes, leased_until: datetime) -> bool:
        """Worker and lease are the fence."""
        held = keys.c.worker
        moved = self._connection.execute(
            update(keys)
            .where(
                keys.c.key_tag == before.key_tag,
                keys.c.status.is_(None),
                keys.c.leased_until == before.leased_until,
                held.is_(None) if before.worker is None else held == before.worker,
            )
            .values(worker=worker, leased_until=leased_until)
        )
        return moved.rowcount == 1

    def add_effect(self, key_tag: bytes, worker: bytes, digest: bytes) -> bool:
        """Read and write in the caller's write transaction."""
        row = self.find_key(key_tag)
        if row is None or row.worker != worker:
            return False
        return self._set(key_tag, worker, effects=row.effects + digest)

    def save_answer(self, key_tag: bytes, worker: bytes, status: int, body: bytes) -> bool:
        """Ends the worker's turn."""
        return self._set(key_tag, worker, status=status, body=body, worker=None)

    def let_go_key(self, key_tag: bytes, worker: bytes) -> None:
        """The lease ends at once."""
        self._set(key_tag, worker, worker=None, leased_until=EPOCH)

    def drop_key(self, key_tag: bytes, worker: bytes) -> None:
        """Only while nothing hangs on it."""
        self._connection.execute(
            delete(keys).where(
                keys.c.key_tag == key_tag,
                keys.c.worker == worker,
                keys.c.status.is_(None),
                keys.c.effects == b"",
            )
        )

    def drop_keys_before(self, at: datetime) -> int:
        """By expiry."""
        return self._connection.execute(delete(keys).where(keys.c.expires_at < at)).rowcount

    def _set(self, key_tag: bytes, held_by: bytes, /, **values: object) -> bool:
        moved = self._connection.execute(
            update(keys)
            .where(keys.c.key_tag == key_tag, keys.c.worker == held_by, keys.c.status.is_(None))
            .values(**values)
        )
        return moved.rowcount == 1
