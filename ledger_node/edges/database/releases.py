"""Group `releases`: one row per release and side; state moves only by compare-and-swap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from ledger_node.core.errors import NotFoundError
from ledger_node.core.types import CityId, Commitment
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_exchange import released_materials, releases
from ledger_node.ports.database_exchange import ReleaseRow


class ReleaseNotFoundError(NotFoundError):
    """No release of that request digest is known on this side."""

    code = "release_not_found"


class SqlReleases:
    """`ports.database_exchange.ReleaseGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_release(self, row: ReleaseRow) -> None:
        self._connection.execute(insert(releases).values(row_values(row)))

    def find_release(self, request_digest: bytes, direction: str) -> ReleaseRow | None:
        return fetch_one(
            self._connection,
            releases,
            ReleaseRow,
            releases.c.request_digest == request_digest,
            releases.c.direction == direction,
        )

    def load_release(self, request_digest: bytes, direction: str) -> ReleaseRow:
        row = self.find_release(request_digest, direction)
        if row is None:
            raise ReleaseNotFoundError("没有这次放行的记录。", "There is no such release here.")
        return row

    def list_releases(
        self, direction: str, states: Sequence[str], limit: int = 100
    ) -> list[ReleaseRow]:
        query = (
            select_rows(releases, ReleaseRow)
            .where(releases.c.direction == direction, releases.c.state.in_(states))
            .order_by(releases.c.created_at)
            .limit(limit)
        )
        return build_rows(ReleaseRow, self._connection.execute(query).all())

    def list_releases_of_material(self, commitment: Commitment) -> list[ReleaseRow]:
        handed_over = select(released_materials.c.request_digest).where(
            released_materials.c.commitment == commitment
        )
        query = (
            select_rows(releases, ReleaseRow)
            .where(releases.c.direction == "outgoing", releases.c.request_digest.in_(handed_over))
            .order_by(releases.c.created_at)
        )
        return build_rows(ReleaseRow, self._connection.execute(query).all())

    def count_releases_since(self, city: CityId, since: datetime) -> int:
        query = (
            select(func.count())
            .select_from(releases)
            .where(
                releases.c.direction == "outgoing",
                releases.c.city == city,
                releases.c.created_at >= since,
            )
        )
        return self._connection.execute(query).scalar_one()

    def link_material(self, request_digest: bytes, commitment: Commitment) -> None:
        link = {"request_digest": request_digest, "commitment": commitment}
        self._connection.execute(insert(released_materials).values(link))

    def advance_release(self, before: ReleaseRow, after: ReleaseRow) -> bool:
        change = (
            update(releases)
            .where(
                releases.c.request_digest == before.request_digest,
                releases.c.direction == before.direction,
                releases.c.state == before.state,
            )
            .values(row_values(after))
        )
        return self._connection.execute(change).rowcount == 1
