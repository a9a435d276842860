"""A visit and its case (办件): one handed in by a case system, or one opened here for a walk-in.

Step 10 at the window. A case of another system brings person, item and number: nothing is asked
twice. For a walk-in a case is opened when the service is settled. What was relied on is noted in
the case before the step counts as decided, so that no receipt is ever missing from it.
"""

from __future__ import annotations

from dataclasses import replace

from ledger_node.core.case import CaseDraft, CaseEvent, CaseStage
from ledger_node.core.catalogue import Catalogue
from ledger_node.core.needs import NeedState, NeedStatus
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
    change_visit,
    load_run,
    open_run,
    set_case,
)

OVER = (RunState.CLOSED, RunState.ABANDONED)
MISSING = (NeedState.UNKNOWN, NeedState.MUST_ASK, NeedState.NOT_AGREED)


def begin_case_visit(node: Node, clerk: Clerk, case: Case, catalogue: Catalogue) -> str:
    """The visit of a case for this clerk, begun if there is none under way; returns the run's id.

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
        by=GrantorKind.SELF if draft.agent is None else GrantorKind.AGENT,
        agent=draft.agent,
        case=case.row.number,
    )
    item = draft.item if draft.item in catalogue.items else None
    return open_run(node, clerk, replace(visit, item=item), case.row.case_id)


def ensure_case(node: Node, run: Run, *, outlet: str = "", window: str = "") -> Run:
    """The run with a case of its own, opened now if it has none; needs a chosen item.

    Crash order: case -> run. A crash in between leaves a case nobody works on, by the same number;
    the next try takes another number.
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
        case = open_case(node, visit.case, draft, run.row.account_id)
    except CaseMovedError:
        number = f"{visit.case}-{node.entropy(2).hex().upper()}"
        case = open_case(node, number, draft, run.row.account_id)
        run = change_visit(node, run, replace(visit, case=number))
    return set_case(node, run, case.row.case_id)


def advance_own_case(node: Node, run: Run, catalogue: Catalogue) -> bool:
    """Once a visit is over and nothing required is missing, a case of our own is accepted (受理).

    Cases of another system are moved there; they were told of the receipts.
    """
    if run.state is not RunState.CLOSED or run.row.case_id is None:
        return False
    case = load_case(node, run.row.case_id)
    if case.row.system != OWN_SYSTEM or case.stage is not CaseStage.RECEIVED:
        return False
    held = list_held_papers(node, run.visit.person)
    if any(_is_missing(each) for each in list_needs(node, catalogue, run.visit, run.steps, held)):
        return False
    move_case(node, case, CaseEvent.ACCEPT, run.row.account_id)
    return True


def load_case_run(node: Node, run_id: str, account_id: str) -> tuple[Run, Case | None]:
    """A run of this account with its case.

    Raises:
        RunNotFoundError: There is none, or it is somebody else's.
    """
    run = load_run(node, run_id, account_id)
    return run, None if run.row.case_id is None else load_case(node, run.row.case_id)


def _is_missing(status: NeedStatus) -> bool:
    return status.state in MISSING and not status.later
