"""Group `keeping`: see `ports/database_keeping.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from ledger_node.edges.database.rows import build_rows, select_rows
from ledger_node.edges.database.tables_exchange import releases
from ledger_node.edges.database.tables_intake import documents
from ledger_node.edges.database.tables_keeping import document_orphans as orphans
from ledger_node.ports.database_exchange import ReleaseRow


class SqlKeeping:
    """`KeepingGroup` over one connection; callers hand over a few hundred addresses at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_registered(self, addresses: Sequence[bytes]) -> set[bytes]:
        query = select(documents.c.address).where(documents.c.address.in_(addresses))
        return {bytes(row.address) for row in self._connection.execute(query)}

    def list_received(self, after: bytes, limit: int) -> list[ReleaseRow]:
        query = (
            select_rows(releases, ReleaseRow)
            .where(
                releases.c.direction == "incoming",
                releases.c.answer.is_not(None),
                releases.c.request_digest > after,
            )
            .order_by(releases.c.request_digest)
            .limit(limit)
        )
        return build_rows(ReleaseRow, self._connection.execute(query).all())

    def mark_orphans(self, addresses: Sequence[bytes], seen_at: datetime) -> None:
        if not addresses:
            return
        marked = update(orphans).where(orphans.c.address.in_(addresses))
        again = self._connection.execute(
            marked.values(last_seen_at=seen_at).returning(orphans.c.address)
        )
        known = {bytes(row.address) for row in again}
        new = [
            {"address": each, "first_seen_at": seen_at, "last_seen_at": seen_at}
            for each in addresses
            if each not in known
        ]
        if new:
            self._connection.execute(insert(orphans), new)

    def forget_orphans_before(self, seen_at: datetime) -> None:
        self._connection.execute(delete(orphans).where(orphans.c.last_seen_at < seen_at))

    def forget_orphans(self, addresses: Sequence[bytes]) -> None:
        self._connection.execute(delete(orphans).where(orphans.c.address.in_(addresses)))

    def list_orphans(self, first_seen_before: datetime, after: bytes, limit: int) -> list[bytes]:
        query = (
            select(orphans.c.address)
            .where(orphans.c.first_seen_at <= first_seen_before, orphans.c.address > after)
            .order_by(orphans.c.address)
            .limit(limit)
        )
        return [bytes(row.address) for row in self._connection.execute(query)]

    def count_orphans(self) -> int:
        return self._connection.execute(select(func.count()).select_from(orphans)).scalar_one()
