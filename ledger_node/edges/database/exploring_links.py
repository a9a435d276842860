"""Group `explore`, second half: what begins with some bytes, and what hangs together here.

Both databases compare bytes as unsigned numbers from left to right, so a prefix is a range.

Links between a material and a grant are this node's own knowledge (its releases); of those rows
only ids, cities, states and times are read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, exists, select

from ledger_node.core.types import (
    BlockHash,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    TxHash,
)
from ledger_node.edges.database import tables_chain as t
from ledger_node.edges.database.intake import entry_of
from ledger_node.edges.database.tables_exchange import released_materials, releases
from ledger_node.edges.database.tables_intake import entries
from ledger_node.ports.database_exploring import PrefixMatches, ReleaseLink
from ledger_node.ports.database_intake import EntryRow

_LINK: Final = (
    releases.c.request_digest,
    releases.c.direction,
    releases.c.city,
    releases.c.grant_id,
    releases.c.state,
    releases.c.created_at,
    releases.c.updated_at,
)
_ENTRY: Final = (
    entries.c.entry_id,
    entries.c.kind,
    entries.c.commitment,
    entries.c.generation,
    entries.c.leaf_index,
)
_PERMITTED: Final = ("confirmed", "sent", "closed")


class SqlExploreLinks:
    """Look-ups by hash and by link."""

    def __init__(self, connection: Connection) -> None:
        self._reading = connection

    def find_between(self, lowest: bytes, highest: bytes, limit: int) -> PrefixMatches:
        """One range of an index per kind."""
        grants, consumed = t.chain_grants.c, t.chain_consumptions.c
        events, blocks, statuses = t.chain_events.c, t.chain_blocks.c, t.chain_statuses.c

        def among(column: ColumnElement[Any], *more: ColumnElement[Any]) -> list[Any]:
            statement = select(column, *more).where(column.between(lowest, highest)).distinct()
            return list(self._reading.execute(statement.order_by(column, *more).limit(limit)))

        return PrefixMatches(
            tuple(GrantId(row[0]) for row in among(grants.grant_id)),
            tuple(
                (ReleaseCommitment(row[0]), GrantId(row[1]))
                for row in among(consumed.release_commitment, consumed.grant_id)
            ),
            tuple(
                (TxHash(row[0]), BlockNumber(row[1]))
                for row in among(events.tx_hash, events.block_number)
            ),
            tuple(
                (BlockHash(row[0]), BlockNumber(row[1]))
                for row in among(blocks.hash, blocks.number)
            ),
            self._find_entries(lowest, highest, limit),
            tuple(
                (CityId(row[1]), LeafHash(row[0]))
                for row in among(statuses.leaf_hash, statuses.city)
            ),
        )

    def _find_entries(self, lowest: bytes, highest: bytes, limit: int) -> tuple[EntryRow, ...]:
        column = entries.c.commitment
        statement = select(*_ENTRY).where(column.between(lowest, highest)).order_by(column)
        statement = statement.limit(limit)
        return tuple(entry_of(row) for row in self._reading.execute(statement))

    def find_entry(self, generation: int, leaf_index: int) -> EntryRow | None:
        """By its place."""
        row = self._reading.execute(
            select(*_ENTRY).where(
                entries.c.generation == generation, entries.c.leaf_index == leaf_index
            )
        ).one_or_none()
        return None if row is None else entry_of(row)

    def list_releases_of_material(self, commitment: Commitment, limit: int) -> list[ReleaseLink]:
        """Newest first."""
        handed_over = exists().where(
            released_materials.c.request_digest == releases.c.request_digest,
            released_materials.c.commitment == commitment,
        )
        return self._list_links(select(*_LINK).where(handed_over), limit)

    def list_releases_of_grant(self, grant_id: GrantId, limit: int) -> list[ReleaseLink]:
        """Newest first."""
        return self._list_links(select(*_LINK).where(releases.c.grant_id == grant_id), limit)

    def _list_links(self, statement: Select[Any], limit: int) -> list[ReleaseLink]:
        newest = (releases.c.created_at.desc(), releases.c.request_digest)
        return [
            ReleaseLink(*row)
            for row in self._reading.execute(statement.order_by(*newest).limit(limit))
        ]

    def list_materials_of_release(self, request_digest: bytes) -> list[Commitment]:
        """In the order of their bytes."""
        rows = self._reading.execute(
            select(released_materials.c.commitment)
            .where(released_materials.c.request_digest == request_digest)
            .order_by(released_materials.c.commitment)
        )
        return [Commitment(row[0]) for row in rows]

    def list_overdue_releases(self, before: datetime, limit: int) -> list[ReleaseLink]:
        """By the index on direction and state."""
        statement = (
            select(*_LINK)
            .where(
                releases.c.direction == "outgoing",
                releases.c.state.in_(_PERMITTED),
                releases.c.updated_at < before,
            )
            .order_by(releases.c.updated_at, releases.c.request_digest)
            .limit(limit)
        )
        return [ReleaseLink(*row) for row in self._reading.execute(statement)]
