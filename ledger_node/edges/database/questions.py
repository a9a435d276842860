"""Group `questions`: reads over a city's own records for an auditor."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import Connection, func, literal, select, tuple_

from ledger_node.core.types import Commitment
from ledger_node.edges.database.tables_exchange import (
    finds,
    receipts,
    released_materials,
    releases,
)
from ledger_node.edges.database.tables_intake import documents, entries, materials
from ledger_node.ports.database_questions import (
    DocumentPlace,
    OfficerFind,
    ReleaseAsked,
    Reliance,
)

_STORED = (documents.c.address.is_not(None), materials.c.state.not_in(("erasing", "erased")))


class SqlQuestions:
    """`ports.database_questions.QuestionGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_reliances(self, limit: int) -> list[Reliance]:
        """Receipts with their release."""
        statement = (
            select(
                receipts.c.receipt_id,
                receipts.c.request_digest,
                releases.c.city,
                releases.c.grant_id,
                releases.c.answer,
                receipts.c.created_at,
            )
            .join(releases, releases.c.request_digest == receipts.c.request_digest)
            .where(releases.c.direction == "incoming")
            .order_by(receipts.c.created_at, receipts.c.receipt_id)
            .limit(limit)
        )
        return [Reliance(*row) for row in self._connection.execute(statement)]

    def list_releases_asked(self, limit: int) -> list[ReleaseAsked]:
        """Releases in either direction."""
        release = releases.c
        statement = (
            select(
                release.request_digest,
                release.direction,
                release.city,
                release.grant_id,
                release.state,
                release.request,
                release.answer,
                release.created_at,
                release.updated_at,
            )
            .order_by(release.created_at, release.request_digest)
            .limit(limit)
        )
        rows = list(self._connection.execute(statement))
        linked = self._list_handed_over()
        return [ReleaseAsked(*row[:7], tuple(linked[row.request_digest]), *row[7:]) for row in rows]

    def _list_handed_over(self) -> defaultdict[bytes, list[Commitment]]:
        found: defaultdict[bytes, list[Commitment]] = defaultdict(list)
        statement = select(
            released_materials.c.request_digest, released_materials.c.commitment
        ).order_by(released_materials.c.commitment)
        for digest, commitment in self._connection.execute(statement):
            found[digest].append(Commitment(commitment))
        return found

    def list_finds_of_officer(self, officer: str, limit: int) -> list[OfficerFind]:
        """With the place of the `access` entry that records the find."""
        statement = (
            select(
                finds.c.request_digest,
                finds.c.direction,
                finds.c.city,
                finds.c.grant_id,
                finds.c.outcome,
                entries.c.leaf_index,
                finds.c.created_at,
            )
            .join(entries, entries.c.entry_id == finds.c.entry_id, isouter=True)
            .where(finds.c.officer == officer)
            .order_by(finds.c.created_at, finds.c.request_digest, finds.c.direction)
            .limit(limit)
        )
        return [OfficerFind(*row) for row in self._connection.execute(statement)]

    def count_documents(self) -> int:
        """One pass over the index of documents."""
        statement = select(func.count()).select_from(documents).join(materials).where(*_STORED)
        return int(self._connection.execute(statement).scalar_one())

    def list_documents(self, after: tuple[str, int] | None, limit: int) -> list[DocumentPlace]:
        """By the primary key."""
        key = (documents.c.material_id, documents.c.position)
        statement = select(*key, documents.c.address).join(materials).where(*_STORED)
        if after is not None:
            statement = statement.where(tuple_(*key) > tuple_(literal(after[0]), literal(after[1])))
        return [
            DocumentPlace(*row)
            for row in self._connection.execute(statement.order_by(*key).limit(limit))
        ]

    def find_oldest_entry(self, generation: int, first: int, last: int) -> datetime | None:
        """By the unique index on (generation, leaf index)."""
        statement = select(func.min(entries.c.committed_at)).where(
            entries.c.generation == generation, entries.c.leaf_index.between(first, last)
        )
        found: datetime | None = self._connection.execute(statement).scalar_one()
        return found
