"""The window console: who stands there, which service, what came, what is decided.

Every route reads a run of the signed-in account and hands it to a flow; for anybody else's run the
answer is 404, as for one that never was. Nothing of the person stands in an address.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.access import Principal, allow
from api.deps import get_runtime
from api.pages.errors import is_htmx
from api.pages.render import fragment, page
from api.pages.window_view import (
    build_run_view,
    list_open_runs,
    list_services,
    run_tag,
    say_refusal,
)
from api.routes.consent import SCREEN
from ledger_node.core.access import Permission
from ledger_node.core.errors import LedgerError, MalformedInputError
from ledger_node.core.reuse import RunEvent
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantorKind
from ledger_node.core.trail import TrailAction
from ledger_node.core.types import CityId, Commitment
from ledger_node.core.visit import IdentifiedBy
from ledger_node.flows.consenting import open_screen
from ledger_node.flows.deciding import Wish, close_run, decide_materials
from ledger_node.flows.home_consents import use_home_consent
from ledger_node.flows.relying import complete_receipt
from ledger_node.flows.reusing import ask_again
from ledger_node.flows.window import (
    Clerk,
    Run,
    ask_consent,
    build_visit,
    choose_service,
    load_run,
    open_run,
    take_back_screen,
)
from ledger_node.flows.window_cases import advance_own_case, ensure_case
from ledger_node.ports.database_reuse import RunNotFoundError
from ledger_node.seed import load_catalogue
from ledger_node.wiring import Runtime

router = APIRouter(tags=["window"], include_in_schema=False)

Handler = Annotated[Principal, allow(Permission.CASES_HANDLE)]
Consenter = Annotated[Principal, allow(Permission.CONSENT_COLLECT)]
Reader = Annotated[Principal, allow(Permission.RELEASES_READ)]
Decider = Annotated[Principal, allow(Permission.DECISIONS_MAKE)]
RUNS = "/window/runs"


@router.get("/window", response_class=HTMLResponse)
def read_window(request: Request, principal: Handler) -> Response:
    """Where a clerk begins: read a card, or go on with somebody who stands there."""
    runs = list_open_runs(get_runtime(request).node, principal.account_id)
    return page(request, principal, "window/start.html", {"runs": runs, "filled": {}})


@router.post(RUNS)
def create_run(
    request: Request,
    principal: Handler,
    number: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    scheme: Annotated[str, Form()] = "cn-resident-id",
    means: Annotated[IdentifiedBy, Form()] = IdentifiedBy.TYPED,
    device: Annotated[str, Form()] = "",
    by: Annotated[GrantorKind, Form()] = GrantorKind.SELF,
    agent_number: Annotated[str, Form()] = "",
    agent_name: Annotated[str, Form()] = "",
    agent_scheme: Annotated[str, Form()] = "cn-resident-id",
    agent_means: Annotated[IdentifiedBy, Form()] = IdentifiedBy.TYPED,
) -> Response:
    """Somebody is identified; the page of the visit opens."""
    node = get_runtime(request).node
    agent = None if by is GrantorKind.SELF else Subject(agent_scheme, agent_number, agent_name)
    try:
        visit = build_visit(
            node,
            Subject(scheme, number, name),
            _own_means(means),
            device=device[:100] or None,
            by=by,
            agent=agent,
            agent_read=agent_means is IdentifiedBy.CARD,
        )
    except MalformedInputError as error:
        return _show_field_error(request, error)
    run_id = open_run(node, clerk_of(principal), visit)
    log_access(request, principal, TrailAction.IDENTIFY, run_id)
    return go_to(request, f"{RUNS}/{run_id}")


@router.get(f"{RUNS}/{{run_id}}", response_class=HTMLResponse)
def read_run_page(request: Request, principal: Handler, run_id: str) -> Response:
    """The page of a visit, in whatever state it is."""
    run = load_run(get_runtime(request).node, run_id, principal.account_id)
    log_access(request, principal, TrailAction.READ, run_id)
    return page(request, principal, "window/run.html", _view(request, principal, run))


@router.get(f"{RUNS}/{{run_id}}/panel", response_class=HTMLResponse)
def read_panel(request: Request, principal: Handler, run_id: str, seen: str = "") -> Response:
    """What moved since `seen`; nothing (204) while nothing did."""
    run = load_run(get_runtime(request).node, run_id, principal.account_id)
    if run_tag(run) == seen:
        return Response(status_code=204)
    return fragment(request, principal, "window/panel.html", _view(request, principal, run))


@router.post(f"{RUNS}/{{run_id}}/service", response_class=HTMLResponse)
def change_service(
    request: Request,
    principal: Handler,
    run_id: str,
    item: Annotated[str, Form()],
    condition: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Choose the service, or answer its questions."""
    node = get_runtime(request).node
    run = load_run(node, run_id, principal.account_id)
    kept = condition or []
    if run.visit.agent is not None:
        kept = [*kept, "agent"]
    run = choose_service(node, run, load_catalogue(), item, kept)
    return _show(request, principal, run)


@router.post(f"{RUNS}/{{run_id}}/service/change", response_class=HTMLResponse)
def reopen_service(request: Request, principal: Handler, run_id: str) -> Response:
    """Show the list of services again; nothing is changed until one is chosen."""
    run = load_run(get_runtime(request).node, run_id, principal.account_id)
    view = _view(request, principal, run) | {"picking": True, "services": list_services()}
    return fragment(request, principal, "window/panel.html", view)


@router.post(f"{RUNS}/{{run_id}}/consent", response_class=HTMLResponse)
def ask_run_consent(request: Request, principal: Consenter, run_id: str) -> Response:
    """Draw up the consent and turn the screen to the person."""
    node = get_runtime(request).node
    run = load_run(node, run_id, principal.account_id)
    place = {"outlet": principal.outlet or "", "window": principal.window or ""}
    run = ensure_case(node, run, **place)
    run, ceremony = ask_consent(node, run, load_catalogue(), **place)
    log_access(request, principal, TrailAction.ASK_CONSENT, run_id)
    _, token = open_screen(node, ceremony)
    return go_to(request, f"{SCREEN}/{token}")


@router.post(f"{RUNS}/{{run_id}}/consent/home", response_class=HTMLResponse)
def use_run_home_consent(
    request: Request,
    principal: Consenter,
    run_id: str,
    ceremony: Annotated[str, Form(max_length=36)] = "",
) -> Response:
    """Go on with what the person agreed to at home; nobody signs again."""
    node = get_runtime(request).node
    run = load_run(node, run_id, principal.account_id)
    run = ensure_case(node, run, outlet=principal.outlet or "", window=principal.window or "")
    run = use_home_consent(node, run, load_catalogue(), ceremony)
    log_access(request, principal, TrailAction.USE_HOME_CONSENT, run_id)
    return _show(request, principal, run)


@router.post(f"{RUNS}/{{run_id}}/consent/drop", response_class=HTMLResponse)
def drop_run_consent(request: Request, principal: Handler, run_id: str) -> Response:
    """Take the screen back before anything was signed."""
    node = get_runtime(request).node
    run = load_run(node, run_id, principal.account_id)
    return _show(request, principal, take_back_screen(node, run))


@router.post(f"{RUNS}/{{run_id}}/again/{{city}}", response_class=HTMLResponse)
def ask_city_again(request: Request, principal: Handler, run_id: str, city: str) -> Response:
    """Ask a silent city once more."""
    node = get_runtime(request).node
    run = load_run(node, run_id, principal.account_id)
    return _show(request, principal, ask_again(node, run, CityId(city)))


@router.post(f"{RUNS}/{{run_id}}/decision", response_class=HTMLResponse)
async def decide(request: Request, principal: Decider, run_id: str) -> Response:
    """Decide on everything that came."""
    form = await request.form()
    wishes = {
        Commitment(bytes.fromhex(name[5:])): Wish(
            str(value) == "yes", str(form.get(f"reason-{name[5:]}") or "")
        )
        for name, value in form.items()
        if name.startswith("wish-") and len(name) == 69
    }

    def work() -> Response:
        node = get_runtime(request).node
        run = load_run(node, run_id, principal.account_id)
        try:
            run = decide_materials(node, run, clerk_of(principal).officer, wishes)
        except MalformedInputError as error:
            return _show_field_error(request, error)
        advance_own_case(node, run, load_catalogue())
        log_access(request, principal, TrailAction.DECIDE, run_id)
        return _show(request, principal, run)

    return await run_in_threadpool(work)


@router.get(f"{RUNS}/{{run_id}}/receipts/{{city}}")
def read_receipt(request: Request, principal: Reader, run_id: str, city: str) -> Response:
    """The receipt filed for what came from a city, as it can be given now."""
    node = get_runtime(request).node
    run = load_run(node, run_id, principal.account_id)
    receipts = [step.receipt_id for step in run.steps if step.city == city and step.receipt_id]
    if not receipts:
        raise RunNotFoundError
    log_access(request, principal, TrailAction.READ_RECEIPT, run_id)
    headers = {
        "Content-Disposition": f'attachment; filename="receipt-{receipts[0][:12]}.json"',
        "Cache-Control": "no-store",
    }
    return Response(complete_receipt(node, receipts[0]), 200, headers, "application/json")


@router.post(f"{RUNS}/{{run_id}}/close", response_class=HTMLResponse)
def close(
    request: Request, principal: Handler, run_id: str, give_up: Annotated[str, Form()] = ""
) -> Response:
    """End the visit."""
    node = get_runtime(request).node
    run = load_run(node, run_id, principal.account_id)
    if give_up:
        return _show(request, principal, close_run(node, run, RunEvent.GIVEN_UP))
    run = ensure_case(node, run, outlet=principal.outlet or "", window=principal.window or "")
    run = close_run(node, run)
    advance_own_case(node, run, load_catalogue())
    return _show(request, principal, run)


def clerk_of(principal: Principal) -> Clerk:
    """The account as a clerk; without an enrolled key it is named by its account."""
    return Clerk(principal.account_id, principal.officer or f"account-{principal.account_id[:8]}")


def go_to(request: Request, path: str) -> Response:
    """To another page, from a form or from a part of an open page."""
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def log_access(request: Request, principal: Principal, action: TrailAction, object_id: str) -> None:
    """Note that a clerk looked at somebody's visit."""
    runtime: Runtime = get_runtime(request)
    with runtime.node.database.transaction() as tx:
        tx.trail.log_access(
            runtime.node.clock.now(), principal.account_id, action, "reuse_run", object_id
        )


def field_problem(request: Request, error: LedgerError, template: str) -> Response:
    """A refusal that names a field: the form stays as it is, the field is marked by the page."""
    zh, en = say_refusal(error)
    field = str(error.fields.get("field", ""))
    context = {"field": field, "zh": zh, "en": en, "error": error}
    response = fragment(request, None, template, context, 422)
    response.headers["HX-Retarget"] = "#form-problem"
    response.headers["HX-Reswap"] = "innerHTML"
    return response


def _show_field_error(request: Request, error: LedgerError) -> Response:
    if not is_htmx(request):
        raise error
    return field_problem(request, error, "window/field_problem.html")


def _own_means(means: IdentifiedBy) -> IdentifiedBy:
    """A form says card or typed; that a case system identified somebody is not a clerk's word."""
    return IdentifiedBy.CARD if means is IdentifiedBy.CARD else IdentifiedBy.TYPED


def _view(request: Request, principal: Principal, run: Run) -> dict[str, object]:
    return build_run_view(get_runtime(request).node, run, principal)


def _show(request: Request, principal: Principal, run: Run) -> Response:
    if not is_htmx(request):
        return RedirectResponse(f"{RUNS}/{run.row.run_id}", 303)
    return fragment(request, principal, "window/panel.html", _view(request, principal, run))
