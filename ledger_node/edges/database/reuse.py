"""Group `reuse`: runs, steps and decisions of the window; rows move only by compare-and-swap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from ledger_node.core.types import CityId
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_reuse import reuse_decisions, reuse_runs, reuse_steps
from ledger_node.ports.database_reuse import DecisionRow, RunNotFoundError, RunRow, StepRow


class SqlReuse:
    """`ports.database_reuse.ReuseGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_run(self, row: RunRow) -> None:
        self._connection.execute(insert(reuse_runs).values(row_values(row)))

    def load_run(self, run_id: str) -> RunRow:
        row = fetch_one(self._connection, reuse_runs, RunRow, reuse_runs.c.run_id == run_id)
        if row is None:
            raise RunNotFoundError
        return row

    def find_run_of_case(self, case_id: str) -> RunRow | None:
        query = (
            select_rows(reuse_runs, RunRow)
            .where(reuse_runs.c.case_id == case_id)
            .order_by(reuse_runs.c.created_at.desc(), reuse_runs.c.run_id)
            .limit(1)
        )
        return next(iter(build_rows(RunRow, self._connection.execute(query).all())), None)

    def list_runs(self, account_id: str, states: Sequence[str], limit: int = 50) -> list[RunRow]:
        query = (
            select_rows(reuse_runs, RunRow)
            .where(reuse_runs.c.account_id == account_id, reuse_runs.c.state.in_(states))
            .order_by(reuse_runs.c.created_at.desc(), reuse_runs.c.run_id)
            .limit(limit)
        )
        return build_rows(RunRow, self._connection.execute(query).all())

    def list_runs_in(self, state: str, limit: int = 200) -> list[RunRow]:
        query = (
            select_rows(reuse_runs, RunRow)
            .where(reuse_runs.c.state == state)
            .order_by(reuse_runs.c.updated_at, reuse_runs.c.run_id)
            .limit(limit)
        )
        return build_rows(RunRow, self._connection.execute(query).all())

    def list_unsettled_runs(self, state: str, limit: int = 50) -> list[RunRow]:
        query = (
            select_rows(reuse_runs, RunRow)
            .where(
                reuse_runs.c.case_settled_at.is_(None),
                reuse_runs.c.state == state,
                reuse_runs.c.case_id.is_not(None),
            )
            .order_by(reuse_runs.c.updated_at, reuse_runs.c.run_id)
            .limit(limit)
        )
        return build_rows(RunRow, self._connection.execute(query).all())

    def advance_run(self, before: RunRow, after: RunRow) -> bool:
        change = (
            update(reuse_runs)
            .where(reuse_runs.c.run_id == before.run_id, reuse_runs.c.revision == before.revision)
            .values(row_values(after) | {"revision": before.revision + 1})
        )
        return self._connection.execute(change).rowcount == 1

    def save_steps(self, rows: Sequence[StepRow]) -> None:
        if rows:
            self._connection.execute(insert(reuse_steps), [row_values(row) for row in rows])

    def load_step(self, run_id: str, city: CityId) -> StepRow:
        row = fetch_one(
            self._connection,
            reuse_steps,
            StepRow,
            reuse_steps.c.run_id == run_id,
            reuse_steps.c.city == city,
        )
        if row is None:
            raise RunNotFoundError
        return row

    def list_steps(self, run_id: str) -> list[StepRow]:
        query = (
            select_rows(reuse_steps, StepRow)
            .where(reuse_steps.c.run_id == run_id)
            .order_by(reuse_steps.c.city)
        )
        return build_rows(StepRow, self._connection.execute(query).all())

    def list_steps_in(self, states: Sequence[str], limit: int = 200) -> list[StepRow]:
        query = (
            select_rows(reuse_steps, StepRow)
            .where(reuse_steps.c.state.in_(states))
            .order_by(reuse_steps.c.updated_at, reuse_steps.c.run_id, reuse_steps.c.city)
            .limit(limit)
        )
        return build_rows(StepRow, self._connection.execute(query).all())

    def advance_step(self, before: StepRow, after: StepRow) -> bool:
        change = (
            update(reuse_steps)
            .where(
                reuse_steps.c.run_id == before.run_id,
                reuse_steps.c.city == before.city,
                reuse_steps.c.state == before.state,
                reuse_steps.c.updated_at == before.updated_at,
            )
            .values(row_values(after))
        )
        return self._connection.execute(change).rowcount == 1

    def save_decisions(self, rows: Sequence[DecisionRow]) -> None:
        if rows:
            self._connection.execute(insert(reuse_decisions), [row_values(row) for row in rows])

    def drop_decisions(self, run_id: str, city: CityId) -> None:
        self._connection.execute(
            delete(reuse_decisions).where(
                reuse_decisions.c.run_id == run_id, reuse_decisions.c.city == city
            )
        )

    def list_decisions(self, run_id: str) -> list[DecisionRow]:
        query = (
            select_rows(reuse_decisions, DecisionRow)
            .where(reuse_decisions.c.run_id == run_id)
            .order_by(reuse_decisions.c.city, reuse_decisions.c.commitment)
        )
        return build_rows(DecisionRow, self._connection.execute(query).all())

    def count_decisions(self, since: datetime) -> dict[str, int]:
        query = (
            select(reuse_decisions.c.choice, func.count().label("made"))
            .where(reuse_decisions.c.decided_at >= since)
            .group_by(reuse_decisions.c.choice)
        )
        return {row.choice: row.made for row in self._connection.execute(query)}
