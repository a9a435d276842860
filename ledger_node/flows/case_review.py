"""A case that waits for somebody who may decide: sent there with its visit, taken by one reviewer.

Step 9 where whoever stands at the window is registrar only. Sending makes a case visible to the
reviewers of the whole city; before that only its outlet sees it. Until a reviewer took it, its
outlet can take it back. Taking hands case and visit over
to the reviewer's account: from then on it is the reviewer who judges and signs.

Crash order: sending is one commit (case, step, waiting row); so are taking (waiting row gone, case,
step, visit) and taking back. Of several reviewers exactly one gets it, or the outlet does, and no
visit is left without anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ledger_node.core.case import OPEN_STAGES, CaseEvent, CaseStage, advance_case
from ledger_node.core.errors import ConflictError, NotFoundError
from ledger_node.core.reuse import RunState, StepState
from ledger_node.flows.cases import Case, CaseMovedError, follow_row, load_case, store_case
from ledger_node.flows.deciding import NothingToDecideError
from ledger_node.flows.node import Node
from ledger_node.flows.window import Clerk, Run
from ledger_node.flows.window_cases import ensure_case
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_cases import CaseReviewRow

SENT: Final = "sent_to_review"
TAKEN: Final = "taken_to_review"
RECALLED: Final = "recalled_from_review"
MAX_LISTED: Final = 100
_OVER: Final = (RunState.CLOSED, RunState.ABANDONED)


class CaseNotOpenError(ConflictError):
    """The case is decided already."""

    code = "case_not_open"

    def __init__(self) -> None:
        super().__init__(
            "办件已经决定，不能再送审核。", "The case is decided and cannot be sent to review."
        )


class ReviewTakenError(NotFoundError):
    """The case does not wait for review, any more or at all, or there is no such case."""

    code = "review_taken"

    def __init__(self) -> None:
        super().__init__(
            "这个办件已由其他审核员接手，或已不在待审核之列。",
            "Another reviewer took this case, or it does not wait for review any more.",
        )


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A case that waits, since when, and who sent it."""

    case: Case
    asked_by: str
    asked_at: datetime


def send_to_review(node: Node, case: Case, account_id: str, run_id: str | None = None) -> Case:
    """Let a reviewer of the city take the case; an accepted one is under review from here on.

    Args:
        run_id: Visit whose papers wait for the decision.

    Raises:
        CaseNotOpenError: It is decided.
        CaseMovedError: It waits already, or somebody changed it meanwhile.
    """
    if case.stage not in OPEN_STAGES:
        raise CaseNotOpenError
    begins = case.stage is CaseStage.ACCEPTED
    stage = advance_case(case.stage, CaseEvent.REVIEW) if begins else case.stage
    row = follow_row(node, case.row, stage=stage.value)
    waiting = CaseReviewRow(row.case_id, run_id, account_id, row.updated_at)
    event = CaseEvent.REVIEW.value if begins else SENT
    store_case(
        node, row, case.row, event, account_id, "", tell=begins,
        also=lambda tx: tx.cases.save_review(waiting),
    )  # fmt: skip
    return Case(row, case.draft)


def send_visit_to_review(
    node: Node, run: Run, account_id: str, *, outlet: str = "", window: str = ""
) -> Case:
    """Let a reviewer decide on the papers that came in a visit.

    Raises:
        NothingToDecideError: Nothing undecided came.
        CaseNotOpenError, CaseMovedError: As `send_to_review`.
    """
    if all(step.state != StepState.ARRIVED for step in run.steps):
        raise NothingToDecideError
    run = ensure_case(node, run, outlet=outlet, window=window)
    assert run.row.case_id is not None  # consent was asked for an item
    return send_to_review(node, load_case(node, run.row.case_id), account_id, run.row.run_id)


def recall_review(node: Node, case: Case, account_id: str) -> Case:
    """Take a waiting case back; one that came under review by being sent is accepted again.

    Raises:
        ReviewTakenError: A reviewer took it, or it does not wait.
        CaseMovedError: It moved at the same moment; try again.
    """
    case_id = case.row.case_id
    with node.database.read() as tx:
        sendings = [
            step.event
            for step in tx.cases.list_steps(case_id)
            if step.event in (SENT, CaseEvent.REVIEW.value)
        ]
    began = case.stage is CaseStage.UNDER_REVIEW and sendings[-1:] == [CaseEvent.REVIEW.value]
    stage = advance_case(case.stage, CaseEvent.RECALL) if began else case.stage
    row = follow_row(node, case.row, stage=stage.value)

    def withdraw(tx: Transaction) -> None:
        if not tx.cases.drop_review(case_id):
            raise ReviewTakenError

    event = CaseEvent.RECALL.value if began else RECALLED
    store_case(node, row, case.row, event, account_id, "", tell=began, also=withdraw)
    return Case(row, case.draft)


def list_waiting(node: Node) -> list[WaitingCase]:
    """Cases that wait in this city, longest first."""
    with node.database.read() as tx:
        rows = tx.cases.list_reviews(MAX_LISTED)
    return [WaitingCase(load_case(node, row.case_id), row.asked_by, row.asked_at) for row in rows]


def is_waiting(node: Node, case_id: str | None) -> bool:
    """Whether a case waits for review."""
    if case_id is None:
        return False
    with node.database.read() as tx:
        return tx.cases.find_review(case_id) is not None


def take_review(node: Node, case_id: str, clerk: Clerk) -> str | None:
    """Take a waiting case over; returns the visit that came with it, if it is still under way.

    Raises:
        ReviewTakenError: Somebody else took it, it is decided, or was never sent.
        CaseMovedError: Case or visit moved at the same moment; try again.
    """
    with node.database.read() as tx:
        waiting = tx.cases.find_review(case_id)
    if waiting is None:
        raise ReviewTakenError
    case = load_case(node, case_id)
    row = follow_row(node, case.row, account_id=clerk.account_id)
    visits: list[str] = []

    def hand_over(tx: Transaction) -> None:
        if not tx.cases.drop_review(case_id):
            raise ReviewTakenError
        if waiting.run_id is not None:
            visits.extend(_hand_over_run(tx, waiting.run_id, clerk))

    store_case(node, row, case.row, TAKEN, clerk.account_id, "", tell=False, also=hand_over)
    return next(iter(visits), None)


def _hand_over_run(tx: Transaction, run_id: str, clerk: Clerk) -> list[str]:
    before = tx.reuse.load_run(run_id)
    if RunState(before.state) in _OVER:
        return []
    after = replace(before, account_id=clerk.account_id, officer=clerk.officer)
    if not tx.reuse.advance_run(before, after):
        raise CaseMovedError
    return [run_id]
