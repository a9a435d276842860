"""Pages of the three administrators: accounts, what they may do, and the access trail.

What may be done to an account stands in `flows/administering.py`. A secret is shown once, in the
answer that made it, and never again.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.access import Principal, allow
from api.deps import get_runtime
from api.pages.accounts import list_account_views, view_account
from api.pages.language import read_speech
from api.pages.qr import draw_totp
from api.pages.render import page
from api.pages.trail_words import ACTIONS, KINDS
from ledger_node.core.access import Permission, Role
from ledger_node.core.errors import LedgerError
from ledger_node.flows import administering
from ledger_node.flows.accounts import NewAccount, add_account
from ledger_node.ports.database_accounts import OutletRow
from ledger_node.ports.identity import Audience

router = APIRouter(prefix="/admin", tags=["admin"], include_in_schema=False)

PAGE_ROWS = 50
SystemAdmin = Annotated[Principal, allow(Permission.ACCOUNTS_MANAGE)]
SecurityAdmin = Annotated[Principal, allow(Permission.SECURITY_MANAGE)]
AuditAdmin = Annotated[Principal, allow(Permission.TRAIL_READ)]
Short = Annotated[str, Form(max_length=64)]
After = Annotated[str, Query(max_length=64)]
GIVEN_ROLES = tuple(role for role in Role if role is not Role.CITIZEN)


def _back(to: str) -> Response:
    return RedirectResponse(to, 303)


def _accounts_page(
    request: Request, principal: Principal, after: str = "", status: int = 200, **more: Any
) -> Response:
    runtime = get_runtime(request)
    views, next_login = list_account_views(runtime.node, after, PAGE_ROWS)
    with runtime.node.database.read() as tx:
        outlets = tx.accounts.list_outlets()
        officers = [row.officer for row in tx.officers.list_officers()]
    context = {
        "accounts": views,
        "next_url": f"/admin/accounts?after={next_login}" if next_login else "",
        "outlets": outlets,
        "officers": officers,
        "problem": None,
        "typed": {},
        **more,
    }
    return page(request, principal, "admin/accounts.html", context, status)


@router.get("/accounts", response_class=HTMLResponse)
def read_accounts(request: Request, principal: SystemAdmin, after: After = "") -> Response:
    """Every account, by login."""
    return _accounts_page(request, principal, after)


@router.post("/accounts")
def create_account(
    request: Request,
    principal: SystemAdmin,
    login: Short = "",
    display_name: Short = "",
    kind: Short = "person",
    system: Short = "",
) -> Response:
    """Make an account that opens nothing yet; its first password or key is shown once."""
    node = get_runtime(request).node
    machine = kind == "machine"
    password = None if machine else administering.make_initial_password(node)
    new = NewAccount(
        login=login.strip(),
        display_name=display_name.strip() or login.strip(),
        roles=frozenset(),
        password=password,
        system=system.strip() or login.strip() if machine else None,
        initial=not machine,
    )
    try:
        made = add_account(node, new, principal.account_id)
    except LedgerError as error:
        request.app.state.log_problem(request, error)
        typed = {"login": login, "display_name": display_name, "system": system}
        problem = (error.message_zh, error.message_en)
        return _accounts_page(request, principal, status=422, problem=problem, typed=typed)
    context = {"account": view_account(node, made.row), "password": password, "key": made.key}
    return page(request, principal, "admin/secret.html", {**context, "totp": None})


@router.post("/outlets")
def create_outlet(
    request: Request,
    principal: SystemAdmin,
    outlet: Annotated[str, Form(max_length=32)] = "",
    name_zh: Annotated[str, Form(max_length=100)] = "",
    name_en: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Make a service outlet."""
    row = OutletRow(outlet.strip(), name_zh.strip() or outlet, name_en.strip() or outlet)
    try:
        administering.add_outlet(get_runtime(request).node, row, principal.account_id)
    except LedgerError as error:
        request.app.state.log_problem(request, error)
        problem = (error.message_zh, error.message_en)
        return _accounts_page(request, principal, status=422, problem=problem)
    return _back("/admin/accounts")


@router.get("/accounts/{account_id}", response_class=HTMLResponse)
def read_account(request: Request, principal: SystemAdmin, account_id: str) -> Response:
    """One account: where the person sits, the provider's name for them, switching off."""
    runtime = get_runtime(request)
    with runtime.node.database.read() as tx:
        row = tx.accounts.load_account(account_id)
        outlets = tx.accounts.list_outlets()
        officers = [each.officer for each in tx.officers.list_officers()]
    providers = [
        each for each in runtime.identity.providers.values() if each.audience is Audience.STAFF
    ]
    context = {
        "account": view_account(runtime.node, row),
        "outlets": outlets,
        "officers": officers,
        "providers": providers,
    }
    return page(request, principal, "admin/account.html", context)


@router.post("/accounts/{account_id}/place")
def place_account(
    request: Request,
    principal: SystemAdmin,
    account_id: str,
    officer: Short = "",
    outlet: Short = "",
    window: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """Seat somebody."""
    place = administering.Place(officer or None, outlet or None, window.strip() or None)
    node = get_runtime(request).node
    administering.place_account(node, account_id, place, principal.account_id)
    return _back(f"/admin/accounts/{account_id}")


@router.post("/accounts/{account_id}/link")
def link_account(
    request: Request,
    principal: SystemAdmin,
    account_id: str,
    provider: Short = "",
    subject: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    """Let somebody sign in at a provider, or no longer."""
    runtime = get_runtime(request)
    known = runtime.identity.providers.get(provider)
    issuer, name = (known.issuer, subject.strip()) if known else ("", "")
    administering.link_account(runtime.node, account_id, issuer, name, principal.account_id)
    return _back(f"/admin/accounts/{account_id}")


@router.post("/accounts/{account_id}/disable")
def disable_account(request: Request, principal: SystemAdmin, account_id: str) -> Response:
    """Switch an account off; whoever is signed in with it is out at once."""
    administering.disable_account(get_runtime(request).node, account_id, principal.account_id)
    return _back(f"/admin/accounts/{account_id}")


@router.post("/accounts/{account_id}/enable")
def enable_account(request: Request, principal: SystemAdmin, account_id: str) -> Response:
    """Switch an account on again, without roles."""
    administering.enable_account(get_runtime(request).node, account_id, principal.account_id)
    return _back(f"/admin/accounts/{account_id}")


@router.get("/security", response_class=HTMLResponse)
def read_security(request: Request, principal: SecurityAdmin, after: After = "") -> Response:
    """Every account with what it may do and whether it is locked."""
    views, next_login = list_account_views(get_runtime(request).node, after, PAGE_ROWS)
    next_url = f"/admin/security?after={next_login}" if next_login else ""
    return page(
        request, principal, "admin/security.html", {"accounts": views, "next_url": next_url}
    )


def _security_page(
    request: Request, principal: Principal, account_id: str, status: int = 200, problem: Any = None
) -> Response:
    node = get_runtime(request).node
    with node.database.read() as tx:
        row = tx.accounts.load_account(account_id)
        sessions = tx.accounts.list_sessions_of(account_id)
    context = {
        "account": view_account(node, row),
        "sessions": sessions,
        "roles": GIVEN_ROLES,
        "own": account_id == principal.account_id,
        "problem": problem,
    }
    return page(request, principal, "admin/security_account.html", context, status)


@router.get("/security/{account_id}", response_class=HTMLResponse)
def read_account_security(request: Request, principal: SecurityAdmin, account_id: str) -> Response:
    """Roles, lock, second factor and sessions of one account."""
    return _security_page(request, principal, account_id)


@router.post("/security/{account_id}/roles")
async def change_roles(request: Request, principal: SecurityAdmin, account_id: str) -> Response:
    """Say what an account may do."""
    form = await request.form()
    wanted = frozenset(role for role in GIVEN_ROLES if role.value in form.getlist("roles"))
    return await run_in_threadpool(_change_roles, request, principal, account_id, wanted)


def _change_roles(
    request: Request, principal: Principal, account_id: str, roles: frozenset[Role]
) -> Response:
    node = get_runtime(request).node
    try:
        totp = administering.change_roles(node, account_id, roles, principal.account_id)
    except administering.ROLE_PROBLEMS as error:
        request.app.state.log_problem(request, error)
        problem = (error.message_zh, error.message_en)
        return _security_page(request, principal, account_id, 422, problem)
    if totp is None:
        return _back(f"/admin/security/{account_id}")
    return _show_secret(request, principal, account_id, totp=totp)


@router.post("/security/{account_id}/unlock")
def unlock_account(request: Request, principal: SecurityAdmin, account_id: str) -> Response:
    """Let a locked account try again."""
    administering.unlock_account(get_runtime(request).node, account_id, principal.account_id)
    return _back(f"/admin/security/{account_id}")


@router.post("/security/{account_id}/second-factor")
def reset_second_factor(request: Request, principal: SecurityAdmin, account_id: str) -> Response:
    """A new secret for the authenticator, shown once."""
    node = get_runtime(request).node
    totp = administering.reset_second_factor(node, account_id, principal.account_id)
    return _show_secret(request, principal, account_id, totp=totp)


@router.post("/security/{account_id}/password")
def reset_password(request: Request, principal: SecurityAdmin, account_id: str) -> Response:
    """A new password, shown once, to be changed at the next sign-in."""
    node = get_runtime(request).node
    password = administering.reset_password(node, account_id, principal.account_id)
    return _show_secret(request, principal, account_id, password=password)


@router.post("/security/{account_id}/sessions")
def end_sessions(request: Request, principal: SecurityAdmin, account_id: str) -> Response:
    """Sign an account out everywhere."""
    administering.end_sessions(get_runtime(request).node, account_id, principal.account_id)
    return _back(f"/admin/security/{account_id}")


def _show_secret(
    request: Request,
    principal: Principal,
    account_id: str,
    *,
    password: str | None = None,
    totp: str | None = None,
) -> Response:
    runtime = get_runtime(request)
    with runtime.node.database.read() as tx:
        row = tx.accounts.load_account(account_id)
    issuer = f"Tongban {runtime.settings.city_name or runtime.node.city}"
    context = {
        "account": view_account(runtime.node, row),
        "password": password,
        "key": None,
        "totp": totp,
        "qr": draw_totp(totp, row.login, issuer) if totp else None,
    }
    return page(request, principal, "admin/secret.html", context)


@router.get("/trail", response_class=HTMLResponse)
def read_trail(
    request: Request,
    principal: AuditAdmin,
    before: Annotated[int | None, Query(ge=1)] = None,
    kind: Annotated[str, Query(max_length=32)] = "",
    object: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Who read or changed what, newest first."""
    node = get_runtime(request).node
    with node.database.read() as tx:
        if kind and object:
            lines = list(tx.trail.list_access_of(kind, object.strip(), PAGE_ROWS))
        else:
            lines = list(tx.trail.list_access(before, PAGE_ROWS))
        logins = tx.accounts.find_logins({row.account_id for _, row in lines})
    full = len(lines) == PAGE_ROWS and not (kind and object)
    speech = read_speech(request)
    kinds = [(code, speech.t(*words)) for code, words in KINDS.items()]
    context = {
        "lines": lines,
        "logins": logins,
        "actions": ACTIONS,
        "kinds": kinds,
        "kinds_by_code": dict(kinds),
        "kind": kind,
        "object": object,
        "next_url": f"/admin/trail?before={lines[-1][0]}" if full else "",
    }
    return page(request, principal, "admin/trail.html", context)
