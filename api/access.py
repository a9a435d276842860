"""Who is asking, and whether this route is for them. Default deny: every route carries one mark.

A route declares `principal: Annotated[Principal, allow(Permission.X)]`, or `dependencies=[...]`
with `allow(...)`, `public()` or `peer()` where nothing of the principal is used. `demand_marks`
refuses to build an application in which a route has none.

A browser shows the session cookie; what changes something must also carry the session's form token
and come from this node's own pages. A machine shows a bearer key and needs neither. Spec:
docs/spec/access.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, cast
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute

from ledger_node.core.access import MACHINE_MAY, SECOND_FACTOR, Permission, Role, permissions_of
from ledger_node.core.errors import InvariantError, NotPermittedError
from ledger_node.core.sealed import Subject
from ledger_node.flows.accounts import find_machine, open_profile, split_roles
from ledger_node.flows.identity import is_check_due, revalidate
from ledger_node.flows.sessions import (
    OpenSession,
    derive_csrf_token,
    find_session,
    matches_csrf_token,
)
from ledger_node.flows.window import VisitPart, is_part_of_visit
from ledger_node.ports.database_accounts import AccountRow
from ledger_node.wiring import Runtime

COOKIE: Final = "__Host-tb"
MACHINE_API: Final = "/api/v1"
PANEL_COOKIE: Final = "__Host-tb-panel"  # inside another system's page; see api/routes/systems.py
CSRF_HEADER: Final = "x-csrf-token"
CSRF_FIELD: Final = "csrf_token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_VISIT: Final = re.compile(r"/window/runs/([0-9a-f-]{36})")
_PART: Final = re.compile(r"/(consent|window/papers)/([0-9a-f-]{36})(?=/|$)")
Person = Subject


class NotSignedInError(NotPermittedError):
    """Nobody is signed in; browsers are taken to the sign-in page, programs get 401."""

    code = "not_signed_in"

    def __init__(self) -> None:
        super().__init__("请先登录。", "Sign in first.")


class NotPermittedHereError(NotPermittedError):
    """The account's roles do not open this route."""

    code = "not_permitted_here"

    def __init__(self) -> None:
        super().__init__(
            "您的账号没有办理此事的权限。如有需要，请联系本单位管理员。",
            "Your account may not do this; ask your administrator if you need it.",
        )


class UnmarkedRouteError(InvariantError):
    """A route says nothing of who may use it; the program does not start."""

    code = "route_unmarked"


class ForgedRequestError(NotPermittedError):
    """The request did not come from a page of this node in this session."""

    code = "forged_request"

    def __init__(self) -> None:
        super().__init__(
            "页面已过期或请求来自别处。请刷新页面后再试。",
            "The page is out of date, or the request came from elsewhere; reload it and try again.",
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in.

    Attributes:
        account_id: Of the account row.
        login, display_name: As the account has them.
        roles: What the account may be.
        officer: Pseudonymous officer id whose key signs; None for who is no officer.
        outlet, window: Where the officer sits.
        person: Citizens only.
        system: The case system a machine account belongs to.
        second_factor: Whether this session showed one.
        scope: Path the session is limited to; None: nothing.
        provider: Identity provider the session began at, if it did.
        given: Permissions of a machine by name, for the API only.
    """

    account_id: str
    login: str
    display_name: str
    roles: frozenset[Role]
    officer: str | None = None
    outlet: str | None = None
    window: str | None = None
    person: Person | None = None
    system: str | None = None
    second_factor: bool = False
    scope: str | None = None
    provider: str | None = None
    given: frozenset[Permission] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Whether one of the roles has the permission, or the account by name."""
        return permission in permissions_of(self.roles) or permission in self.given


class Allow:
    """Mark and check: only principals with the permission pass.

    A session limited to one visit (the panel inside another system's page) opens that visit's
    addresses, its consent and its papers, and nothing else.
    """

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Principal:
        """The principal.

        Raises:
            NotSignedInError, NotPermittedHereError, ForgedRequestError: Nobody, or not for them.
        """
        principal = await resolve_principal(request)
        if principal is None:
            raise NotSignedInError
        if not principal.may(self.permission):
            raise NotPermittedHereError
        if principal.scope is not None and not is_below(request.url.path, principal.scope):
            await _demand_part_of_visit(request, principal.scope)
        await demand_own_page(request)
        return principal


class Optionally:
    """Mark: open to all; the principal where somebody is signed in."""

    async def __call__(self, request: Request) -> Principal | None:
        """The principal or None.

        Raises:
            ForgedRequestError: Somebody is signed in, and the request is not of their pages.
        """
        principal = await resolve_principal(request)
        if principal is not None:
            await demand_own_page(request)
        return principal


class Public:
    """Mark: open to all. A browser that changes something does so from this node's own pages."""

    async def __call__(self, request: Request) -> None:
        """Nothing to check of programs; browsers say where a change comes from.

        Raises:
            ForgedRequestError: From a page of somebody else.
        """
        if PANEL_COOKIE in request.cookies:
            await resolve_principal(request)  # says whose page may show this one
        origin = request.headers.get("origin")
        if request.method in SAFE_METHODS or origin is None:
            return
        if origin != _runtime(request).settings.origin:
            raise ForgedRequestError


class Peer:
    """Mark: signed messages of member cities; `api/deps.py` verifies them."""

    def __call__(self) -> None:
        """Nothing more to check."""


MARKS: Final = (Allow, Optionally, Public, Peer)
_PUBLIC, _PEER, _OPTIONALLY = Public(), Peer(), Optionally()


def allow(permission: Permission) -> Any:
    """Only principals with the permission."""
    return Depends(Allow(permission))


def public() -> Any:
    """Open to all."""
    return Depends(_PUBLIC)


def find_principal() -> Any:
    """Open to all; gives the principal where somebody is signed in."""
    return Depends(_OPTIONALLY)


def peer() -> Any:
    """Signed messages of member cities."""
    return Depends(_PEER)


async def resolve_principal(request: Request) -> Principal | None:
    """The principal of a request's key or session; kept on the request, with the form token."""
    if not hasattr(request.state, "principal"):
        request.state.principal = await run_in_threadpool(_resolve, request)
    return cast("Principal | None", request.state.principal)


async def demand_own_page(request: Request) -> None:
    """Refuse a change that does not come from a page of this node in this session.

    Raises:
        ForgedRequestError: Origin or form token are missing or another's.
    """
    if request.method in SAFE_METHODS or getattr(request.state, "by_key", False):
        return
    runtime = _runtime(request)
    given = request.headers.get(CSRF_HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(FORM_TYPES):
        given = str((await request.form()).get(CSRF_FIELD, ""))
    token = read_session_token(request)
    if request.headers.get("origin") != runtime.settings.origin:
        raise ForgedRequestError
    if not matches_csrf_token(token, given):
        raise ForgedRequestError


def _runtime(request: Request) -> Runtime:
    return cast(Runtime, request.app.state.runtime)


def read_session_token(request: Request) -> str:
    """Token of the session's cookie; empty without one."""
    return request.cookies.get(COOKIE) or request.cookies.get(PANEL_COOKIE, "")


def is_below(path: str, scope: str) -> bool:
    """Whether an address is the scope's or stands below it; an empty scope opens nothing."""
    return scope != "" and (path == scope or path.startswith(f"{scope}/"))


async def _demand_part_of_visit(request: Request, scope: str) -> None:
    """Consent and papers of a visit stand at addresses of their own; open those of this visit.

    Raises:
        NotPermittedHereError: It is not part of the visit.
    """
    visit, part = _VISIT.fullmatch(scope), _PART.match(request.url.path)
    if visit is not None and part is not None:
        node = _runtime(request).node
        kind = VisitPart(part[1])
        if await run_in_threadpool(is_part_of_visit, node, visit[1], kind, part[2]):
            return
    raise NotPermittedHereError


def _resolve(request: Request) -> Principal | None:
    runtime = _runtime(request)
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        account = find_machine(runtime.node, key)
        request.state.by_key = True
        principal = None if account is None else _of_account(runtime, account, None)
        return None if principal is None else _limit_given(principal, request.url.path)
    token = read_session_token(request)
    if not token or request.headers.get("host") != urlsplit(runtime.settings.origin).netloc:
        return None
    session = find_session(runtime.node, token)
    if session is None:
        return None
    row = session.row
    if is_check_due(runtime.node, row) and not revalidate(runtime.node, runtime.identity, row):
        return None
    request.state.csrf_token = derive_csrf_token(token)
    system, _, scope = (session.row.scope or "").partition(":")
    if scope:
        shown_by = runtime.case_systems.systems.get(system)
        request.state.frame_ancestors = shown_by.page_origin if shown_by else "'none'"
    if session.account is None:
        return _of_citizen(session)
    return _of_account(runtime, session.account, session)


def _of_citizen(session: OpenSession) -> Principal | None:
    if session.person is None:
        return None
    return Principal(
        account_id=session.row.account_id,
        login="",
        display_name=session.person.name,
        roles=frozenset({Role.CITIZEN}),
        person=session.person,
        second_factor=session.row.second_factor,
        provider=session.row.provider,
    )


def _of_account(runtime: Runtime, row: AccountRow, session: OpenSession | None) -> Principal | None:
    roles = split_roles(row.roles)
    second_factor = session is not None and session.row.second_factor
    if roles & SECOND_FACTOR and not second_factor:
        return None
    profile = open_profile(runtime.node, row)
    return Principal(
        account_id=row.account_id,
        login=row.login,
        display_name=profile.display_name,
        roles=roles,
        officer=row.officer,
        outlet=row.outlet,
        window=row.window,
        system=row.system,
        second_factor=second_factor,
        scope=_read_scope(session),
        given=profile.permissions if session is None else frozenset(),
    )


def _limit_given(principal: Principal, path: str) -> Principal:
    """What a machine was given by name counts at the API and while it is a machine."""
    machine = principal.roles == {Role.SYSTEM} and is_below(path, MACHINE_API)
    given = principal.given & MACHINE_MAY if machine else frozenset[Permission]()
    return replace(principal, given=given)


def _read_scope(session: OpenSession | None) -> str | None:
    if session is None or session.row.scope is None:
        return None
    return session.row.scope.partition(":")[2]


def list_marks(dependant: Dependant) -> Iterator[Allow | Optionally | Public | Peer]:
    """Marks of a route, of its own and of its dependencies."""
    for each in dependant.dependencies:
        if isinstance(each.call, MARKS):
            yield each.call
        yield from list_marks(each)


def walk_routes(app: FastAPI) -> Iterator[BaseRoute]:
    """Every route of an application, included routers and mounts walked."""
    yield from _walk(app.routes)


def _walk(routes: Any) -> Iterator[BaseRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)
        mounted = getattr(route, "routes", None)
        if included is not None:
            yield from _walk(included.routes)
        elif mounted:
            yield from _walk(mounted)
        else:
            yield route


def demand_marks(app: FastAPI) -> None:
    """Refuse an application with an unmarked route.

    Raises:
        UnmarkedRouteError: A route without exactly one mark; the message names it.
    """
    for route in walk_routes(app):
        marks = list(list_marks(route.dependant)) if isinstance(route, APIRoute) else []
        if len(marks) != 1:
            path = getattr(route, "path", "?")
            raise UnmarkedRouteError(
                f"路由 {path} 没有唯一的访问标记。",
                f"the route {path} does not carry exactly one access mark.",
            )
