"""Group `cases`: cases and what goes back to the systems they came from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger_node.core.errors import NotFoundError
from ledger_node.edges.database.rows import build_rows, fetch_one, row_values, select_rows
from ledger_node.edges.database.tables_cases import (
    case_events,
    case_links,
    case_receipts,
    case_reviews,
    case_serials,
    case_steps,
    cases,
)
from ledger_node.ports.database_cases import (
    CaseEventRow,
    CaseLinkRow,
    CaseReviewRow,
    CaseRow,
    CaseStepRow,
)

EVENTS_LOCK = 7107_0006


class CaseNotFoundError(NotFoundError):
    """There is no such case here, or it is another outlet's."""

    code = "case_not_found"

    def __init__(self) -> None:
        super().__init__("没有找到这个办件。", "There is no such case here.")


class SqlCases:
    """`ports.database_cases.CaseGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_case(self, row: CaseRow) -> None:
        self._connection.execute(insert(cases).values(row_values(row)))

    def update_case(self, row: CaseRow, expected_revision: int) -> bool:
        query = update(cases).where(
            cases.c.case_id == row.case_id, cases.c.revision == expected_revision
        )
        return self._connection.execute(query.values(row_values(row))).rowcount == 1

    def find_case(self, system: str, number: str) -> CaseRow | None:
        return fetch_one(
            self._connection, cases, CaseRow, cases.c.system == system, cases.c.number == number
        )

    def list_cases_of_number(self, number: str) -> list[CaseRow]:
        """By number alone."""
        query = (
            select_rows(cases, CaseRow)
            .where(cases.c.number == number)
            .order_by(cases.c.updated_at.desc(), cases.c.case_id.desc())
        )
        return build_rows(CaseRow, self._connection.execute(query).all())

    def load_case(self, case_id: str) -> CaseRow:
        row = fetch_one(self._connection, cases, CaseRow, cases.c.case_id == case_id)
        if row is None:
            raise CaseNotFoundError
        return row

    def list_cases(
        self,
        outlet: str | None,
        account_id: str | None,
        stage: str | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> list[CaseRow]:
        query = select_rows(cases, CaseRow)
        for column, value in (
            (cases.c.outlet, outlet),
            (cases.c.account_id, account_id),
            (cases.c.stage, stage),
        ):
            if value is not None:
                query = query.where(column == value)
        if before is not None:
            at, case_id = before
            query = query.where(
                or_(
                    cases.c.updated_at < at,
                    and_(cases.c.updated_at == at, cases.c.case_id < case_id),
                )
            )
        ordered = query.order_by(cases.c.updated_at.desc(), cases.c.case_id.desc()).limit(limit)
        return build_rows(CaseRow, self._connection.execute(ordered).all())

    def take_serial(self, outlet: str, day: str) -> int:
        build = (
            postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        )
        statement = (
            build(case_serials)
            .values(outlet=outlet, day=day, last=1)
            .on_conflict_do_update(
                index_elements=["outlet", "day"], set_={"last": case_serials.c.last + 1}
            )
            .returning(case_serials.c.last)
        )
        return int(self._connection.execute(statement).scalar_one())

    def save_review(self, row: CaseReviewRow) -> None:
        self._connection.execute(insert(case_reviews).values(row_values(row)))

    def find_review(self, case_id: str) -> CaseReviewRow | None:
        where = case_reviews.c.case_id == case_id
        return fetch_one(self._connection, case_reviews, CaseReviewRow, where)

    def list_reviews(self, limit: int) -> list[CaseReviewRow]:
        query = select_rows(case_reviews, CaseReviewRow).order_by(
            case_reviews.c.asked_at, case_reviews.c.case_id
        )
        return build_rows(CaseReviewRow, self._connection.execute(query.limit(limit)).all())

    def drop_review(self, case_id: str) -> bool:
        statement = delete(case_reviews).where(case_reviews.c.case_id == case_id)
        return self._connection.execute(statement).rowcount == 1

    def save_step(self, row: CaseStepRow) -> None:
        self._connection.execute(insert(case_steps).values(row_values(row)))

    def list_steps(self, case_id: str) -> list[CaseStepRow]:
        query = select_rows(case_steps, CaseStepRow).where(case_steps.c.case_id == case_id)
        records = self._connection.execute(query.order_by(case_steps.c.revision))
        return build_rows(CaseStepRow, records.all())

    def link_receipt(self, case_id: str, receipt_id: str) -> None:
        if receipt_id not in self.list_receipts(case_id):
            values = {"case_id": case_id, "receipt_id": receipt_id}
            self._connection.execute(insert(case_receipts).values(values))

    def list_receipts(self, case_id: str) -> list[str]:
        query = select(case_receipts.c.receipt_id).where(case_receipts.c.case_id == case_id)
        return list(self._connection.scalars(query.order_by(case_receipts.c.receipt_id)))

    def save_link(self, row: CaseLinkRow) -> None:
        self._connection.execute(insert(case_links).values(row_values(row)))

    def take_link(self, token_hash: bytes) -> CaseLinkRow | None:
        where = case_links.c.token_hash == token_hash
        row = fetch_one(self._connection, case_links, CaseLinkRow, where)
        if row is None or self._connection.execute(delete(case_links).where(where)).rowcount != 1:
            return None
        return row

    def add_event(
        self, system: str, case_id: str, body: bytes, at: datetime, next_at: datetime | None
    ) -> int:
        if self._connection.dialect.name == "postgresql":
            # Ids become visible in their order: who pulls by cursor must not step over one.
            self._connection.execute(select(func.pg_advisory_xact_lock(EVENTS_LOCK)))
        values = {
            "system": system,
            "case_id": case_id,
            "body": body,
            "created_at": at,
            "next_at": next_at,
            "attempts": 0,
        }
        statement = insert(case_events).values(values).returning(case_events.c.event_id)
        return int(self._connection.execute(statement).scalar_one())

    def list_due_events(self, now: datetime, limit: int) -> list[CaseEventRow]:
        query = select_rows(case_events, CaseEventRow).where(case_events.c.next_at <= now)
        records = self._connection.execute(query.order_by(case_events.c.event_id).limit(limit))
        return build_rows(CaseEventRow, records.all())

    def list_events_after(self, system: str, after: int, limit: int) -> list[CaseEventRow]:
        query = select_rows(case_events, CaseEventRow).where(
            case_events.c.system == system, case_events.c.event_id > after
        )
        records = self._connection.execute(query.order_by(case_events.c.event_id).limit(limit))
        return build_rows(CaseEventRow, records.all())

    def mark_event(
        self,
        event_id: int,
        *,
        attempts: int,
        next_at: datetime | None,
        delivered_at: datetime | None,
        problem: str | None,
    ) -> None:
        query = update(case_events).where(case_events.c.event_id == event_id)
        values = {
            "attempts": attempts,
            "next_at": next_at,
            "delivered_at": delivered_at,
            "problem": problem,
        }
        self._connection.execute(query.values(values))

    def count_dead_events(self, system: str) -> int:
        query = select(func.count()).where(
            case_events.c.system == system,
            case_events.c.next_at.is_(None),
            case_events.c.delivered_at.is_(None),
            case_events.c.attempts > 0,
        )
        return int(self._connection.execute(query).scalar_one())
