"""Who is asking, and whether this route is for them. Default deny: every route carries one mark.

A route declares `principal: Annotated[Principal, allow(Permission.X)]`, or `dependencies=[...]`
with `allow(...)`, `public()` or `peer()` where nothing of the principal is used. `demand_marks`
refuses to build an application in which a route has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute

from ledger_node.core.access import Permission, Role, permissions_of
from ledger_node.core.errors import InvariantError, NotPermittedError


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
            "您的账号没有办理此事的权限。如有需要,请联系本单位管理员。",
            "Your account may not do this; ask your administrator if you need it.",
        )


class UnmarkedRouteError(InvariantError):
    """A route says nothing of who may use it; the program does not start."""

    code = "route_unmarked"


@dataclass(frozen=True, slots=True)
class Person:
    """A citizen as their identity provider verified them."""

    scheme: str
    number: str
    name: str


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

    def may(self, permission: Permission) -> bool:
        """Whether one of the roles has the permission."""
        return permission in permissions_of(self.roles)


class Allow:
    """Mark and check: only principals with the permission pass."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> Principal:
        """The principal.

        Raises:
            NotSignedInError, NotPermittedHereError: Nobody, or somebody else.
        """
        principal = resolve_principal(request)
        if principal is None:
            raise NotSignedInError
        if not principal.may(self.permission):
            raise NotPermittedHereError
        return principal


class Optional_:  # noqa: N801 (not `typing.Optional`)
    """Mark: open to all; the principal where somebody is signed in."""

    def __call__(self, request: Request) -> Principal | None:
        """The principal or None."""
        return resolve_principal(request)


class Public:
    """Mark: open to all."""

    def __call__(self) -> None:
        """Nothing to check."""


class Peer:
    """Mark: signed messages of member cities; `api/deps.py` verifies them."""

    def __call__(self) -> None:
        """Nothing more to check."""


MARKS = (Allow, Optional_, Public, Peer)
_PUBLIC, _PEER, _OPTIONAL = Public(), Peer(), Optional_()


def allow(permission: Permission) -> Any:
    """Only principals with the permission."""
    return Depends(Allow(permission))


def public() -> Any:
    """Open to all."""
    return Depends(_PUBLIC)


def find_principal() -> Any:
    """Open to all; gives the principal where somebody is signed in."""
    return Depends(_OPTIONAL)


def peer() -> Any:
    """Signed messages of member cities."""
    return Depends(_PEER)


def resolve_principal(request: Request) -> Principal | None:
    """The principal of the session or key of a request, kept on the request."""
    return getattr(request.state, "principal", None)


def list_marks(dependant: Dependant) -> Iterator[Allow | Optional_ | Public | Peer]:
    """Marks of a route, of its own and of its dependencies."""
    for each in dependant.dependencies:
        if isinstance(each.call, MARKS):
            yield each.call
        yield from list_marks(each)


def demand_marks(app: FastAPI, walk: Callable[[FastAPI], Iterator[BaseRoute]]) -> None:
    """Refuse an application with an unmarked route.

    Raises:
        UnmarkedRouteError: A route without exactly one mark; the message names it.
    """
    for route in walk(app):
        dependant = getattr(route, "dependant", None)
        marks = list(list_marks(dependant)) if dependant is not None else []
        if len(marks) != 1:
            path = getattr(route, "path", "?")
            raise UnmarkedRouteError(
                f"路由 {path} 没有唯一的访问标记。",
                f"the route {path} does not carry exactly one access mark.",
            )
