"""Database group of the window: reuse runs, their step with each city, and what clerks decided.

Private to one city and backed up. Who the person is, what was found and why a clerk went against a
verdict stand only in `sealed_` columns (record key `run/<run id>`); the service item is part of the
sealed body, because item and clerk and time together can tell who stood there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.errors import NotFoundError
from ledger_node.core.types import CityId, Commitment, GrantId


class RunNotFoundError(NotFoundError):
    """There is no such run at this window."""

    code = "run_not_found"

    def __init__(self) -> None:
        super().__init__(
            "没有找到这次办理。请回到窗口首页重新开始。",
            "There is no such visit at this window; start again from the window's first page.",
        )


@dataclass(frozen=True, slots=True)
class RunRow:
    """One person at one window.

    Attributes:
        run_id: Lower-case UUID.
        account_id: Whose run it is; nobody else's account sees it.
        officer: Pseudonymous officer id that account acts under.
        case_id: Case it belongs to, once there is one.
        ceremony_id: Consent ceremony under way or signed.
        state: Name of a `core.reuse.RunState`.
        revision: Rises with every change; changes are compare-and-swap on it.
        sealed_body: Person, service, conditions, papers registered (flows/window.py).
        signed_at: When the person signed and the node went on by itself.
        case_settled_at: When the case of an ended visit was moved on, or found to lack something.
    """

    run_id: str
    account_id: str
    officer: str
    case_id: str | None
    ceremony_id: str | None
    state: str
    revision: int
    sealed_body: bytes
    created_at: datetime
    updated_at: datetime
    signed_at: datetime | None = None
    case_settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """A run's step with one city.

    Attributes:
        state: Name of a `core.reuse.StepState`.
        problem_code: Why it was refused, or what it waits for.
        find_digest: Of the find under way or answered.
        request_digest: Of the release; also its receipt's id.
        receipt_id: Filed receipt, None when nothing was relied on.
        started_at: When the time limit began to run.
        settled_at: When it first came to something a person can look at.
    """

    run_id: str
    city: CityId
    grant_id: GrantId
    state: str
    problem_code: str | None
    find_digest: bytes | None
    request_digest: bytes | None
    receipt_id: str | None
    started_at: datetime
    updated_at: datetime
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What a clerk decided about one material that came.

    Attributes:
        choice: Name of a `core.reuse.Choice`.
        verdict: State of the verdict it was decided under (`holds`, `pending`, `fails`).
        codes: Codes of the lines that do not hold, joined by spaces.
        officer, role: Who decided.
        sealed_reason: Why it goes against the verdict; None where it does not.
    """

    run_id: str
    city: CityId
    commitment: Commitment
    choice: str
    verdict: str
    codes: str
    officer: str
    role: str
    sealed_reason: bytes | None
    decided_at: datetime


class ReuseGroup(Protocol):
    """Promises: rows move only from the state (or revision) they were read in."""

    def save_run(self, row: RunRow) -> None: ...

    def load_run(self, run_id: str) -> RunRow:
        """Raises RunNotFoundError."""
        ...

    def find_run_of_case(self, case_id: str) -> RunRow | None:
        """The newest run of a case."""
        ...

    def list_runs(self, account_id: str, states: Sequence[str], limit: int = 50) -> list[RunRow]:
        """Newest first."""
        ...

    def list_runs_in(self, state: str, limit: int = 200) -> list[RunRow]:
        """Everybody's, oldest first: what the node goes on with."""
        ...

    def list_unsettled_runs(self, state: str, limit: int = 50) -> list[RunRow]:
        """Runs in a state that have a case and were not settled with it, oldest change first."""
        ...

    def advance_run(self, before: RunRow, after: RunRow) -> bool:
        """Compare-and-swap on the revision; False when somebody else was first."""
        ...

    def save_steps(self, rows: Sequence[StepRow]) -> None:
        """Raises ConflictError when the run has a step with one of the cities."""
        ...

    def load_step(self, run_id: str, city: CityId) -> StepRow:
        """Raises RunNotFoundError."""
        ...

    def list_steps(self, run_id: str) -> list[StepRow]:
        """In order of city."""
        ...

    def list_steps_in(self, states: Sequence[str], limit: int = 200) -> list[StepRow]:
        """Of all runs, longest untouched first."""
        ...

    def advance_step(self, before: StepRow, after: StepRow) -> bool:
        """Compare-and-swap on (state, updated_at); False when somebody else was first."""
        ...

    def save_decisions(self, rows: Sequence[DecisionRow]) -> None:
        """Raises ConflictError when one of the materials was decided on in this run."""
        ...

    def drop_decisions(self, run_id: str, city: CityId) -> None:
        """Take back what was stored for a receipt that could not be filed."""
        ...

    def list_decisions(self, run_id: str) -> list[DecisionRow]: ...

    def count_decisions(self, since: datetime) -> dict[str, int]:
        """How often each choice was made since then."""
        ...
