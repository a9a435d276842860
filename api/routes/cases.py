"""Own case screens: the list, a new case, one case with what may be done next.

For cities without a case system, and for looking at the cases another system handed in. An officer
sees the cases of the own outlet; for all others the answer is 404.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import NotPermittedHereError, Principal, allow
from api.deps import get_runtime
from api.pages.render import page
from api.routes import case_reviews
from ledger_node.core.access import Permission
from ledger_node.core.case import (
    DECIDES,
    OPEN_STAGES,
    REASON_NEEDED,
    TRANSITIONS,
    CaseDraft,
    CaseEvent,
    CaseStage,
)
from ledger_node.core.errors import LedgerError, MalformedInputError
from ledger_node.core.sealed import Subject
from ledger_node.core.trail import TrailAction
from ledger_node.edges.database.cases import CaseNotFoundError
from ledger_node.flows.case_review import is_waiting, send_to_review
from ledger_node.flows.cases import (
    Case,
    list_case_steps,
    load_case,
    move_case,
    open_case,
    open_draft,
)
from ledger_node.flows.node import Node
from ledger_node.flows.window import Clerk
from ledger_node.flows.window_cases import begin_case_visit
from ledger_node.ports.database_cases import CaseRow
from ledger_node.seed import load_catalogue

router = APIRouter(tags=["cases"], include_in_schema=False)
router.include_router(case_reviews.router)

PAGE = 30
FIELDS = ("item", "name", "number", "queue_number")
Handler = Annotated[Principal, allow(Permission.CASES_HANDLE)]
Cursor = Annotated[str, Query(pattern=r"^([0-9]{1,17}\.[0-9a-f-]{36})?$")]


@router.get("/cases", response_class=HTMLResponse)
def read_cases(
    request: Request,
    principal: Handler,
    stage: str = "",
    mine: str = "",
    before: Cursor = "",
) -> Response:
    """Cases of this outlet, last changed first."""
    node = get_runtime(request).node
    with node.database.read() as tx:
        rows = tx.cases.list_cases(
            principal.outlet,
            principal.account_id if mine else None,
            stage if stage in set(CaseStage) else None,
            _read_cursor(before),
            PAGE + 1,
        )
    shown = rows[:PAGE]
    context = {
        "cases": [_summarise(node, row) for row in shown],
        "stages": [each.value for each in CaseStage],
        "stage": stage,
        "mine": mine,
        "decides": principal.may(Permission.DECISIONS_MAKE),
        "next_url": _next_url(stage, mine, shown) if len(rows) > PAGE else None,
    }
    return page(request, principal, "cases/list.html", context)


@router.get("/cases/new", response_class=HTMLResponse)
def read_new_case(request: Request, principal: Handler) -> Response:
    """The form of a new case."""
    return _show_form(request, principal, dict.fromkeys(FIELDS, ""), None)


@router.post("/cases/new")
def create_case(
    request: Request,
    principal: Handler,
    item: Annotated[str, Form(max_length=64)] = "",
    name: Annotated[str, Form(max_length=100)] = "",
    number: Annotated[str, Form(max_length=40)] = "",
    scheme: Annotated[str, Form(max_length=32)] = "cn-resident-id",
    queue_number: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """Open a case for somebody at this window."""
    runtime = get_runtime(request)
    node = runtime.node
    filled = dict(zip(FIELDS, (item, name, number, queue_number), strict=True))
    try:
        if not name.strip():
            raise MalformedInputError("请填写姓名。", "Enter the name.", field="name")
        load_catalogue().get_item(item)
        normalised = node.normalise_identifier(scheme, number)
        draft = CaseDraft(
            item,
            Subject(scheme, normalised, name.strip()),
            None,
            principal.login,
            principal.outlet,
            principal.window,
            queue_number.strip() or None,
            CaseStage.RECEIVED,
        )
        case = open_case(node, draft, principal.account_id)
    except LedgerError as error:
        return _show_form(request, principal, filled, error)
    return RedirectResponse(f"/cases/{case.row.case_id}", 303)


@router.get("/cases/{case_id}", response_class=HTMLResponse)
def read_case(request: Request, principal: Handler, case_id: str) -> Response:
    """One case: what it is about, its history, what may be done next."""
    case = find_own_case(request, principal, case_id, TrailAction.READ)
    return _show_case(request, principal, case, None)


@router.post("/cases/{case_id}/visit")
def begin_visit(request: Request, principal: Handler, case_id: str) -> Response:
    """To the window with this case: its person stands there, its item is chosen."""
    case = find_own_case(request, principal, case_id, TrailAction.VISIT)
    node = get_runtime(request).node
    if principal.officer is None:
        raise NotPermittedHereError
    clerk = Clerk(principal.account_id, principal.officer)
    run_id = begin_case_visit(node, clerk, case, load_catalogue())
    return RedirectResponse(f"/window/runs/{run_id}", 303)


@router.post("/cases/{case_id}/review-request")
def ask_review(request: Request, principal: Handler, case_id: str) -> Response:
    """Let a reviewer of the city decide."""
    case = find_own_case(request, principal, case_id, TrailAction.SEND_TO_REVIEW)
    try:
        send_to_review(get_runtime(request).node, case, principal.account_id)
    except LedgerError as error:
        return _show_case(request, principal, case, error)
    return RedirectResponse(f"/cases/{case_id}", 303)


@router.post("/cases/{case_id}/{event}")
def change_case(
    request: Request,
    principal: Handler,
    case_id: str,
    event: CaseEvent,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Move a case on."""
    case = find_own_case(request, principal, case_id, TrailAction(event.value))
    if event in DECIDES and not principal.may(Permission.DECISIONS_MAKE):
        raise NotPermittedHereError
    try:
        move_case(get_runtime(request).node, case, event, principal.account_id, reason.strip())
    except LedgerError as error:
        return _show_case(request, principal, case, error)
    return RedirectResponse(f"/cases/{case_id}", 303)


def find_own_case(
    request: Request, principal: Principal, case_id: str, action: TrailAction
) -> Case:
    """A case of the principal's outlet, or one the principal handles, with the reading noted in
    the trail.

    Raises:
        CaseNotFoundError: There is none, or it is another outlet's.
    """
    node = get_runtime(request).node
    case = load_case(node, case_id)
    if case.row.outlet != principal.outlet and case.row.account_id != principal.account_id:
        raise CaseNotFoundError
    with node.database.transaction() as tx:
        tx.trail.log_access(node.clock.now(), principal.account_id, action, "case", case_id)
    return case


def _show_case(
    request: Request, principal: Principal, case: Case, error: LedgerError | None
) -> Response:
    node = get_runtime(request).node
    with node.database.read() as tx:
        receipts = tx.cases.list_receipts(case.row.case_id)
    item = load_catalogue().items.get(case.draft.item)
    decides = principal.may(Permission.DECISIONS_MAKE)
    events = [
        (event.value, event in REASON_NEEDED)
        for event in TRANSITIONS[case.stage]
        if decides or event not in (*DECIDES, CaseEvent.REVIEW)
    ]
    context = {
        "case": case,
        "item": item,
        "steps": list_case_steps(node, case),
        "receipts": receipts,
        "events": events,
        "decides": decides,
        "open": case.stage in OPEN_STAGES,
        "waiting": is_waiting(node, case.row.case_id),
        "problem": None if error is None else (error.message_zh, error.message_en),
    }
    return page(request, principal, "cases/case.html", context, 200 if error is None else 422)


def _show_form(
    request: Request, principal: Principal, filled: dict[str, str], error: LedgerError | None
) -> Response:
    items = sorted(load_catalogue().items.values(), key=lambda each: each.zh)
    context = {
        "items": items,
        "filled": filled,
        "wrong": None if error is None else error.fields.get("field", "number"),
        "problem": None if error is None else (error.message_zh, error.message_en),
    }
    return page(request, principal, "cases/new.html", context, 200 if error is None else 422)


def _summarise(node: Node, row: CaseRow) -> dict[str, object]:
    draft = open_draft(node, row)
    item = load_catalogue().items.get(draft.item)
    return {"row": row, "name": draft.applicant.name, "item": item, "code": draft.item}


def _read_cursor(before: str) -> tuple[datetime, str] | None:
    if not before:
        return None
    micros, _, case_id = before.partition(".")
    return datetime.fromtimestamp(int(micros) / 1_000_000, UTC), case_id


def _next_url(stage: str, mine: str, shown: list[CaseRow]) -> str:
    last = shown[-1]
    cursor = f"{round(last.updated_at.timestamp() * 1_000_000)}.{last.case_id}"
    return f"/cases?stage={stage}&mine={mine}&before={cursor}"
