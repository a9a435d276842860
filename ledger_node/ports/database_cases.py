"""Group `cases`: cases, their history, what they stand on, one-time links, events for their system.

Private to one city. Who a case is about, its item and its reasons stand sealed (record key
`case/<case id>`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case.

    Attributes:
        case_id: Random UUID.
        system: System it came from; `own` for one opened here.
        number: Its number there (办件编号).
        account_id: Account of the officer who handles it; None: nobody yet.
        outlet, window, queue_number: Where the person waits.
        stage: Name of a `core.case.CaseStage`.
        their_state: The system's own name of its state.
        revision: Rises with every change; changes are compare-and-swap on it.
        content_digest: SHA-256 of the body last handed in; the same again changes nothing.
        applicant_tag: Index tag of the applicant.
        sealed_body: Item, applicant, agent.
    """

    case_id: str
    system: str
    number: str
    account_id: str | None
    outlet: str | None
    window: str | None
    queue_number: str | None
    stage: str
    their_state: str
    revision: int
    content_digest: bytes
    applicant_tag: bytes
    sealed_body: bytes
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CaseStepRow:
    """One change of a case: who, what, and why (sealed)."""

    case_id: str
    revision: int
    at: datetime
    account_id: str
    event: str
    stage: str
    sealed_reason: bytes | None


@dataclass(frozen=True, slots=True)
class CaseLinkRow:
    """A one-time link to one case for one account."""

    token_hash: bytes
    case_id: str
    account_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CaseReviewRow:
    """A case that waits for somebody who may decide.

    Attributes:
        case_id: The case; it waits at most once.
        run_id: Visit handed over with it; None: the case alone.
        asked_by: Account that sent it.
    """

    case_id: str
    run_id: str | None
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class CaseEventRow:
    """An event for a case's system, without anything personal.

    Attributes:
        event_id: Rises; also the cursor of who pulls.
        body: RFC 8785 bytes as they are sent.
        next_at: When delivery is tried again; None: delivered, given up, or only pulled.
        attempts: Deliveries tried.
        delivered_at: When the system took it.
        problem: Why the last try failed.
    """

    event_id: int
    system: str
    case_id: str
    body: bytes
    created_at: datetime
    next_at: datetime | None
    attempts: int
    delivered_at: datetime | None
    problem: str | None


class CaseGroup(Protocol):
    """Cases of this city."""

    def save_case(self, row: CaseRow) -> None: ...

    def update_case(self, row: CaseRow, expected_revision: int) -> bool:
        """Whether the revision was still the expected one."""
        ...

    def find_case(self, system: str, number: str) -> CaseRow | None: ...

    def list_cases_of_number(self, number: str) -> list[CaseRow]:
        """Cases of this number in any system, newest first; systems number by themselves."""
        ...

    def load_case(self, case_id: str) -> CaseRow:
        """Raises:
        CaseNotFoundError: There is none.
        """
        ...

    def list_cases(
        self,
        outlet: str | None,
        account_id: str | None,
        stage: str | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> list[CaseRow]:
        """Newest change first, below a (time, id); of an outlet, of an account, in a stage."""
        ...

    def take_serial(self, outlet: str, day: str) -> int:
        """The next number of an outlet on a day, from 1; whoever asks meanwhile waits, and a
        transaction that is not committed took none."""
        ...

    def save_review(self, row: CaseReviewRow) -> None:
        """Raises RowConflictError when the case waits already."""
        ...

    def find_review(self, case_id: str) -> CaseReviewRow | None: ...

    def list_reviews(self, limit: int) -> list[CaseReviewRow]:
        """Longest waiting first."""
        ...

    def drop_review(self, case_id: str) -> bool:
        """Whether it was still there: one of several who take it gets it."""
        ...

    def save_step(self, row: CaseStepRow) -> None: ...

    def list_steps(self, case_id: str) -> list[CaseStepRow]: ...

    def link_receipt(self, case_id: str, receipt_id: str) -> None:
        """Idempotent."""
        ...

    def list_receipts(self, case_id: str) -> list[str]: ...

    def save_link(self, row: CaseLinkRow) -> None: ...

    def take_link(self, token_hash: bytes) -> CaseLinkRow | None:
        """The row, deleted: a link counts once."""
        ...

    def add_event(
        self, system: str, case_id: str, body: bytes, at: datetime, next_at: datetime | None
    ) -> int: ...

    def list_due_events(self, now: datetime, limit: int) -> list[CaseEventRow]:
        """Ascending by id."""
        ...

    def list_events_after(self, system: str, after: int, limit: int) -> list[CaseEventRow]: ...

    def mark_event(
        self,
        event_id: int,
        *,
        attempts: int,
        next_at: datetime | None,
        delivered_at: datetime | None,
        problem: str | None,
    ) -> None: ...

    def count_dead_events(self, system: str) -> int:
        """Events given up."""
        ...
