"""Signing in and out: with a password and, where the role demands it, a one-time code; or at an
identity provider.

Another room takes part in the provider's answer by `app.state.on_assertion`: a callable
`(request, Assertion) -> Response` for assertions it began with `flows.identity.begin_assertion`.
"""

from __future__ import annotations

from typing import Annotated, Final

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
from ledger_node.core.canonical import encode_base64url
from ledger_node.core.errors import NotPermittedError
from ledger_node.flows.accounts import (
    SignInRefusedError,
    open_profile,
    split_roles,
    verify_credentials,
)
from ledger_node.flows.identity import (
    STATE_LIFE,
    Assertion,
    NoAccountLinkedError,
    NotConfirmedThereError,
    ProviderSignInError,
    Redirect,
    SignedIn,
    begin_sign_in,
    finish,
)
from ledger_node.flows.passkey_devices import read_passkey_page
from ledger_node.flows.sessions import begin_citizen_session, begin_session, end_session
from ledger_node.flows.staff_passkeys import SecondStep, begin_second_step, finish_second_step
from ledger_node.ports.database_accounts import AccountRow
from ledger_node.ports.identity import Audience, Provider
from ledger_node.wiring import Runtime

router = APIRouter(tags=["session"], include_in_schema=False)

# Per process and address: a lock on the account counts across processes.
ATTEMPTS = RateLimitItemPerMinute(30)
limiter = MovingWindowRateLimiter(MemoryStorage())

PROVIDER_COOKIE: Final = "__Host-tb-provider"
MAX_PARAMETER_CHARS: Final = 2000
PASSWORD_PAGE: Final = "/account/password"  # noqa: S105 (an address)
MaybePrincipal = Annotated[Principal | None, find_principal()]


class SecondFactorMissingError(NotPermittedError):
    """The provider saw no second factor, and the account's role demands one."""

    code = "second_factor_missing"

    def __init__(self) -> None:
        super().__init__(
            "您的岗位须用两种方式验证身份，单位平台只验证了一种。请改用账号、口令和动态码登录。",
            "Your role demands a second factor, and the provider saw one only; sign in with login, "
            "password and code instead.",
        )


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
    return page(
        request,
        None,
        "session/login.html",
        {"next": next, "login": "", "problem": "", **_providers(request)},
    )


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
    try:
        _count_attempt(request)
        step = None if code.strip() else begin_second_step(runtime.node, login.strip(), password)
        if step is not None:
            return _show_second_step(request, step, next)
        row = verify_credentials(runtime.node, login.strip(), password, code.strip())
    except (SignInRefusedError, TooManyAttemptsError) as error:
        return _refuse(request, error, login, next)
    return _open_session(runtime, row, next)


@router.post("/login/passkey")
def sign_in_with_passkey(
    request: Request,
    principal: MaybePrincipal,
    answer: Annotated[str, Form(max_length=40_000)] = "",
    next: Annotated[str, Form(max_length=300)] = "/",
) -> Response:
    """The device's answer after the password: the second factor beside one-time codes."""
    del principal
    runtime = get_runtime(request)
    demand_own_origin(request)
    try:
        _count_attempt(request)
        where = read_passkey_page(runtime.settings.origin)
        row = finish_second_step(runtime.node, where, answer)
    except (SignInRefusedError, TooManyAttemptsError) as error:
        return _refuse(request, error, "", next)
    return _open_session(runtime, row, next)


@router.post("/logout")
def sign_out(request: Request, principal: MaybePrincipal) -> Response:
    """End the session here and in the database.

    A form of another site comes without the cookie; it must not take the cookie away either.
    """
    response = RedirectResponse("/", 303)
    token = request.cookies.get(COOKIE)
    if principal is None or not token:
        return response
    end_session(get_runtime(request).node, token)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.get("/login/provider/{name}")
def begin_provider_sign_in(
    request: Request, principal: MaybePrincipal, name: str, next: str = "/"
) -> Response:
    """To an identity provider and back."""
    del principal
    runtime = get_runtime(request)
    path = next if is_own_path(next) else "/"
    origin = runtime.settings.origin
    return redirect_to_provider(begin_sign_in(runtime.node, runtime.identity, name, origin, path))


@router.get("/login/callback")
def finish_provider_sign_in(request: Request, principal: MaybePrincipal) -> Response:
    """What the provider sent back through the browser; a new session with every sign-in."""
    del principal
    runtime = get_runtime(request)
    token = request.cookies.get(PROVIDER_COOKIE, "")
    parameters = {name: value[:MAX_PARAMETER_CHARS] for name, value in request.query_params.items()}
    try:
        done = finish(runtime.node, runtime.identity, runtime.settings.origin, parameters, token)
    except NotConfirmedThereError as error:
        request.app.state.log_problem(request, error)
        return RedirectResponse(f"/me/confirm/{error.ceremony}?back=yes", 303)
    if isinstance(done, Assertion):
        take = getattr(request.app.state, "on_assertion", None)
        if take is None:
            raise ProviderSignInError("nobody waits for the assertion")
        response: Response = take(request, done)
    else:
        response = RedirectResponse(done.next if is_own_path(done.next) else "/", 303)
        set_session_cookie(response, _begin_provider_session(runtime, done))
    response.delete_cookie(PROVIDER_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


def redirect_to_provider(redirect: Redirect) -> Response:
    """Send the browser to a provider, with the cookie that brings its answer back to it alone."""
    response = RedirectResponse(redirect.url, 303)
    response.set_cookie(
        PROVIDER_COOKIE,
        redirect.browser_token,
        max_age=int(STATE_LIFE.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return response


def _count_attempt(request: Request) -> None:
    address = request.client.host if request.client else "-"
    if not limiter.hit(ATTEMPTS, get_runtime(request).node.city, address):
        raise TooManyAttemptsError


def _refuse(
    request: Request, error: SignInRefusedError | TooManyAttemptsError, login: str, next_path: str
) -> Response:
    request.app.state.log_problem(request, error)
    problem = (error.message_zh, error.message_en)
    context = {"next": next_path, "login": login, "problem": problem, **_providers(request)}
    status = 429 if isinstance(error, TooManyAttemptsError) else 403
    return page(request, None, "session/login.html", context, status)


def _show_second_step(request: Request, step: SecondStep, next_path: str) -> Response:
    where = read_passkey_page(get_runtime(request).settings.origin)
    context = {
        "next": next_path,
        "challenge": encode_base64url(step.challenge),
        "rp_id": where.rp_id,
        "credentials": ",".join(encode_base64url(each) for each in step.credentials),
    }
    return page(request, None, "session/second.html", context)


def _open_session(runtime: Runtime, row: AccountRow, next_path: str) -> Response:
    shown = bool(split_roles(row.roles) & SECOND_FACTOR)
    initial = open_profile(runtime.node, row).initial
    scope = f":{PASSWORD_PAGE}" if initial else None  # in no other system's page; opens no other
    token = begin_session(runtime.node, row, second_factor=shown, scope=scope)
    to = PASSWORD_PAGE if initial else next_path
    response = RedirectResponse(to if is_own_path(to) else "/", 303)
    set_session_cookie(response, token)
    return response


def _begin_provider_session(runtime: Runtime, done: SignedIn) -> str:
    name = done.provider.name
    if done.person is not None:
        return begin_citizen_session(runtime.node, done.person, name)
    account = done.account
    if account is None:
        raise NoAccountLinkedError
    if split_roles(account.roles) & SECOND_FACTOR and not done.second_factor:
        raise SecondFactorMissingError
    return begin_session(
        runtime.node,
        account,
        second_factor=done.second_factor,
        provider=name,
        refresh_token=done.refresh_token,
    )


def set_session_cookie(response: Response, token: str) -> None:
    """The session's cookie: this host only, never to scripts, gone with the browser."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")


def _providers(request: Request) -> dict[str, list[Provider]]:
    """Providers by audience, for the buttons of the sign-in page."""
    every = list(get_runtime(request).identity.providers.values())
    return {
        "staff_providers": [each for each in every if each.audience is Audience.STAFF],
        "citizen_providers": [each for each in every if each.audience is Audience.CITIZEN],
    }


def demand_own_origin(request: Request) -> None:
    """Refuse a sign-in sent from a page of somebody else.

    Raises:
        ForgedRequestError: Another origin, or none.
    """
    if request.headers.get("origin") != get_runtime(request).settings.origin:
        raise ForgedRequestError
