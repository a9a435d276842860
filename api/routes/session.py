"""Signing in and out with a password and, where the role demands it, a one-time code."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.access import COOKIE, ForgedRequestError, Principal, find_principal
from api.deps import get_runtime
from api.pages.render import page
from api.routes.pages import is_own_path
from ledger_node.core.access import SECOND_FACTOR
from ledger_node.core.errors import NotPermittedError
from ledger_node.flows.accounts import SignInRefusedError, split_roles, verify_credentials
from ledger_node.flows.sessions import begin_session, end_session

router = APIRouter(tags=["session"], include_in_schema=False)

# Per process and address: a lock on the account counts across processes.
ATTEMPTS = RateLimitItemPerMinute(30)
_limiter = MovingWindowRateLimiter(MemoryStorage())

MaybePrincipal = Annotated[Principal | None, find_principal()]


class TooManyAttemptsError(NotPermittedError):
    """This address tried to sign in too often."""

    code = "too_many_attempts"

    def __init__(self) -> None:
        super().__init__(
            "尝试次数过多，请一分钟后再试。", "Too many attempts; try again in a minute."
        )


@router.get("/login", response_class=HTMLResponse)
def read_login(request: Request, principal: MaybePrincipal, next: str = "/") -> Response:
    """The sign-in page."""
    if principal is not None:
        return RedirectResponse(next if is_own_path(next) else "/", 303)
    return page(request, None, "session/login.html", {"next": next, "login": "", "problem": ""})


@router.post("/login")
def sign_in(
    request: Request,
    principal: MaybePrincipal,
    login: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=128)] = "",
    code: Annotated[str, Form(max_length=8)] = "",
    next: Annotated[str, Form(max_length=300)] = "/",
) -> Response:
    """Check login, password and code; a new session with every sign-in."""
    del principal
    runtime = get_runtime(request)
    demand_own_origin(request)
    address = request.client.host if request.client else "-"
    try:
        if not _limiter.hit(ATTEMPTS, runtime.node.city, address):
            raise TooManyAttemptsError
        row = verify_credentials(runtime.node, login.strip(), password, code.strip())
    except (SignInRefusedError, TooManyAttemptsError) as error:
        request.app.state.log_problem(request, error)
        context = {"next": next, "login": login, "problem": (error.message_zh, error.message_en)}
        status = 429 if isinstance(error, TooManyAttemptsError) else 403
        return page(request, None, "session/login.html", context, status)
    shown = bool(split_roles(row.roles) & SECOND_FACTOR)
    token = begin_session(runtime.node, row, second_factor=shown)
    response = RedirectResponse(next if is_own_path(next) else "/", 303)
    set_session_cookie(response, token)
    return response


@router.post("/logout")
def sign_out(request: Request, principal: MaybePrincipal) -> Response:
    """End the session here and in the database."""
    token = request.cookies.get(COOKIE)
    if principal is not None and token:
        end_session(get_runtime(request).node, token)
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


def set_session_cookie(response: Response, token: str) -> None:
    """The session's cookie: this host only, never to scripts, gone with the browser."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")


def demand_own_origin(request: Request) -> None:
    """Refuse a sign-in sent from a page of somebody else.

    Raises:
        ForgedRequestError: Another origin, or none.
    """
    if request.headers.get("origin") != get_runtime(request).settings.origin:
        raise ForgedRequestError
