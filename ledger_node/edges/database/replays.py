"""Group `replays`: one row per replay; the open one holds the only slot."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, insert, null, select, update

from ledger_node.edges.database.rows import fetch_one, row_values
from ledger_node.edges.database.tables_replays import replays
from ledger_node.ports.database_exploring import OPEN_REPLAYS, ReplayRow, ReplayState

_NEVER_CHANGED: Final = ("replay_id", "requested_by", "requested_at", "cancel_asked")
_WITHOUT_REPORT: Final = select(
    *(
        null().label(field.name) if field.name == "report" else replays.c[field.name]
        for field in fields(ReplayRow)
    )
)


class SqlReplays:
    """`ReplayGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_replay(self, row: ReplayRow) -> int:
        """Raises RowConflictError (from the transaction) when the slot is taken."""
        values = _values(row)
        del values["replay_id"]
        return int(
            self._connection.execute(
                insert(replays).values(values).returning(replays.c.replay_id)
            ).scalar_one()
        )

    def load_replay(self, replay_id: int) -> ReplayRow | None:
        """With its report."""
        row = fetch_one(self._connection, replays, ReplayRow, replays.c.replay_id == replay_id)
        return None if row is None else _typed(row)

    def find_open_replay(self) -> ReplayRow | None:
        """Whoever holds the slot."""
        row = fetch_one(self._connection, replays, ReplayRow, replays.c.open_slot == 1)
        return None if row is None else _typed(row)

    def list_replays(self, before: int | None, limit: int) -> list[ReplayRow]:
        """By primary key."""
        statement = _WITHOUT_REPORT.order_by(replays.c.replay_id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(replays.c.replay_id < before)
        return [_typed(ReplayRow(*row)) for row in self._connection.execute(statement)]

    def advance_replay(self, before: ReplayRow, after: ReplayRow) -> bool:
        """The worker's token is the fence: whoever lost the job changes nothing any more."""
        values = _values(after)
        for name in _NEVER_CHANGED:
            del values[name]
        worker = replays.c.worker
        moved = self._connection.execute(
            update(replays)
            .where(
                replays.c.replay_id == before.replay_id,
                replays.c.state == before.state,
                replays.c.attempts == before.attempts,
                worker.is_(None) if before.worker is None else worker == before.worker,
            )
            .values(values)
        )
        return moved.rowcount == 1

    def ask_cancel(self, replay_id: int) -> bool:
        """Only while it is open."""
        asked = self._connection.execute(
            update(replays)
            .where(replays.c.replay_id == replay_id, replays.c.open_slot == 1)
            .values(cancel_asked=True)
        )
        return asked.rowcount == 1


def _values(row: ReplayRow) -> dict[str, Any]:
    return {**row_values(row), "open_slot": 1 if row.state in OPEN_REPLAYS else None}


def _typed(row: ReplayRow) -> ReplayRow:
    values = row_values(row)
    return ReplayRow(**{**values, "state": ReplayState(row.state)})
