"""Cases that wait for a reviewer: the list, taking one, and sending a visit there.

Only who may decide sees the list and takes from it; it shows the cases that were sent to review in
the whole city, and no others.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import NotPermittedHereError, Principal, allow
from api.deps import get_runtime
from api.pages.errors import is_htmx
from api.pages.render import page
from ledger_node.core.access import Permission
from ledger_node.core.trail import TrailAction
from ledger_node.flows.case_review import list_waiting, send_visit_to_review, take_review
from ledger_node.flows.window import Clerk, load_run
from ledger_node.seed import load_catalogue

router = APIRouter()

Handler = Annotated[Principal, allow(Permission.CASES_HANDLE)]
Decider = Annotated[Principal, allow(Permission.DECISIONS_MAKE)]


@router.get("/cases/reviews", response_class=HTMLResponse)
def read_reviews(request: Request, principal: Decider) -> Response:
    """Cases that wait for a decision, longest first."""
    node = get_runtime(request).node
    waiting = list_waiting(node)
    items = load_catalogue().items
    with node.database.read() as tx:
        outlets = {row.outlet: row for row in tx.accounts.list_outlets()}
    with node.database.transaction() as tx:
        now = node.clock.now()
        for each in waiting:
            tx.trail.log_access(
                now, principal.account_id, TrailAction.LIST_REVIEW, "case", each.case.row.case_id
            )
    shown = [
        {
            "row": each.case.row,
            "name": each.case.draft.applicant.name,
            "item": items.get(each.case.draft.item),
            "code": each.case.draft.item,
            "outlet": outlets.get(each.case.row.outlet or ""),
            "since": each.asked_at,
        }
        for each in waiting
    ]
    return page(request, principal, "cases/reviews.html", {"waiting": shown})


@router.post("/cases/{case_id}/take")
def take_waiting_case(request: Request, principal: Decider, case_id: str) -> Response:
    """Take a waiting case; its visit opens if one came with it."""
    if principal.officer is None:
        raise NotPermittedHereError
    node = get_runtime(request).node
    run_id = take_review(node, case_id, Clerk(principal.account_id, principal.officer))
    with node.database.transaction() as tx:
        now = node.clock.now()
        tx.trail.log_access(now, principal.account_id, TrailAction.TAKE_REVIEW, "case", case_id)
    return RedirectResponse(f"/window/runs/{run_id}" if run_id else f"/cases/{case_id}", 303)


@router.post("/window/runs/{run_id}/review", response_class=HTMLResponse)
def ask_visit_review(request: Request, principal: Handler, run_id: str) -> Response:
    """The papers of this visit wait for a reviewer's decision."""
    node = get_runtime(request).node
    run = load_run(node, run_id, principal.account_id)
    place = {"outlet": principal.outlet or "", "window": principal.window or ""}
    send_visit_to_review(node, run, principal.account_id, **place)
    with node.database.transaction() as tx:
        now = node.clock.now()
        tx.trail.log_access(
            now, principal.account_id, TrailAction.SEND_TO_REVIEW, "reuse_run", run_id
        )
    path = f"/window/runs/{run_id}"
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)
