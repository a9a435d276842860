"""A visit and its case (办件): one handed in by a case system, or one opened here for a walk-in.

Step 10 at the window. A case of another system brings person, item and number: nothing is asked
twice. For a walk-in a case is opened when the service is settled. What was relied on is noted in
the case before the step counts as decided, so that no receipt is ever missing from it. A visit
that ended moves its case on, at once or by the node's loop.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from ledger_node.core.case import CaseDraft, CaseEvent, CaseStage
from ledger_node.core.catalogue import Catalogue
from ledger_node.core.errors import ConflictError, LedgerError, UnavailableError
from ledger_node.core.needs import NeedState
from ledger_node.core.reuse import RunState
from ledger_node.core.terms import GrantorKind
from ledger_node.core.visit import IdentifiedBy
from ledger_node.flows.cases import (
    OWN_SYSTEM,
    Case,
    CaseMovedError,
    load_case,
    move_case,
    open_case,
)
from ledger_node.flows.holdings import list_held_papers, list_needs
from ledger_node.flows.node import Node
from ledger_node.flows.window import (
    Clerk,
    Run,
    build_visit,
    load_run,
    open_run,
    read_run,
    set_case,
)
from ledger_node.ports.database_reuse import RunRow

OVER = (RunState.CLOSED, RunState.ABANDONED)
MISSING = (NeedState.UNKNOWN, NeedState.MUST_ASK, NeedState.NOT_AGREED)


def begin_case_visit(
    node: Node, clerk: Clerk, case: Case, catalogue: Catalogue, device: str | None = None
) -> str:
    """The visit of a case for this clerk, begun if there is none under way; returns the run's id.
    Person, agent and item stand in it already.

    Args:
        device: Name of the system that identified the person, where one did.

    Raises:
        MalformedInputError: The person of the case is not acceptable.
    """
    with node.database.read() as tx:
        known = tx.reuse.find_run_of_case(case.row.case_id)
    if known is not None and known.account_id == clerk.account_id and known.state not in OVER:
        return known.run_id
    draft = case.draft
    visit = build_visit(
        node,
        draft.applicant,
        IdentifiedBy.TYPED if case.row.system == OWN_SYSTEM else IdentifiedBy.SYSTEM,
        device=device,
        by=GrantorKind.SELF if draft.agent is None else GrantorKind.AGENT,
        agent=draft.agent,
        case=case.row.number,
    )
    item = draft.item if draft.item in catalogue.items else None
    return open_run(node, clerk, replace(visit, item=item), case.row.case_id)


def ensure_case(node: Node, run: Run, *, outlet: str = "", window: str = "") -> Run:
    """The run with a case of its own, opened now if it has none; needs a chosen item.

    Crash order: case -> run. The case bears the visit's id: after a crash in between, and for the
    second of two tabs, it is found again.
    """
    visit = run.visit
    if run.row.case_id is not None or visit.item is None:
        return run
    draft = CaseDraft(
        item=visit.item,
        applicant=visit.person,
        agent=visit.agent,
        officer=None,
        outlet=outlet or None,
        window=window or None,
        queue_number=None,
        state=CaseStage.RECEIVED.value,
    )
    try:
        case = open_case(node, draft, run.row.account_id, case_id=run.row.run_id)
    except CaseMovedError:
        case = load_case(node, run.row.run_id)
    return set_case(node, run, case.row.case_id, case.row.number)


def advance_own_case(node: Node, run: Run, catalogue: Catalogue) -> bool:
    """Once a visit is over and nothing required is missing, a case of our own is accepted (受理).

    Cases of another system are moved there; they were told of the receipts. Idempotent.
    Crash order: case -> run marked; whoever closed the visit, `resume_case_steps` comes by.
    """
    if run.state is not RunState.CLOSED or run.row.case_id is None:
        return False
    case = load_case(node, run.row.case_id)
    moves = (
        case.row.system == OWN_SYSTEM
        and case.stage is CaseStage.RECEIVED
        and not _lacks_something(node, run, catalogue)
    )
    try:
        if moves:
            move_case(node, case, CaseEvent.ACCEPT, run.row.account_id)
    except CaseMovedError:
        return False  # somebody moved it at the same moment; the loop looks again
    _mark_settled(node, run.row)
    return moves


def resume_case_steps(node: Node, catalogue: Catalogue) -> int:
    """Cases of visits that ended and were not settled with; returns how many moved on."""
    with node.database.read() as tx:
        rows = tx.reuse.list_unsettled_runs(RunState.CLOSED)
    moved = 0
    for row in rows:
        try:
            with node.database.read() as tx:
                run = read_run(node, tx, row.run_id)
            moved += advance_own_case(node, run, catalogue)
        except ConflictError:
            continue  # the next turn looks again
        except UnavailableError:
            raise
        except LedgerError as error:  # its person was erased: nothing can be told from it
            structlog.get_logger().warning("case_not_settled", code=error.code)
            _mark_settled(node, row)
    return moved


def load_case_run(node: Node, run_id: str, account_id: str) -> tuple[Run, Case | None]:
    """A run of this account with its case.

    Raises:
        RunNotFoundError: There is none, or it is somebody else's.
    """
    run = load_run(node, run_id, account_id)
    return run, None if run.row.case_id is None else load_case(node, run.row.case_id)


def _lacks_something(node: Node, run: Run, catalogue: Catalogue) -> bool:
    held = list_held_papers(node, run.visit.person)
    needs = list_needs(node, catalogue, run.visit, run.steps, held)
    return any(each.state in MISSING and not each.later for each in needs)


def _mark_settled(node: Node, row: RunRow) -> None:
    with node.database.transaction() as tx:
        tx.reuse.advance_run(row, replace(row, case_settled_at=node.clock.now()))
