"""The own account of whoever is signed in: the password, and passkeys as a second factor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import COOKIE, NotSignedInError, Principal, find_principal
from api.deps import get_runtime
from api.pages.render import page
from ledger_node.core.access import SECOND_FACTOR, Role
from ledger_node.core.errors import MalformedInputError, NotPermittedError
from ledger_node.flows.accounts import SignInRefusedError, WeakPasswordError
from ledger_node.flows.administering import change_own_password
from ledger_node.flows.passkey_devices import read_passkey_page
from ledger_node.flows.staff_passkeys import (
    begin_staff_enrolment,
    finish_staff_enrolment,
    list_staff_passkeys,
    remove_staff_passkey,
)

router = APIRouter(tags=["account"], include_in_schema=False)


class PasswordsDifferError(MalformedInputError):
    """The new password was typed in two ways."""

    code = "passwords_differ"


class NoSecondFactorRoleError(NotPermittedError):
    """This role shows no second factor, or this session has not shown one yet."""

    code = "no_second_factor_role"

    def __init__(self) -> None:
        super().__init__(
            "您的岗位登录时不需要第二种验证方式。",
            "Your role needs no second factor to sign in.",
        )


MaybePrincipal = Annotated[Principal | None, find_principal()]


def _demand_staff(principal: Principal | None) -> Principal:
    """Staff and administrators have passwords; citizens and machines have none.

    Raises:
        NotSignedInError: Nobody of these.
    """
    if principal is None or principal.roles & {Role.CITIZEN, Role.SYSTEM}:
        raise NotSignedInError
    return principal


@router.get("/account/password", response_class=HTMLResponse)
def read_password_page(request: Request, principal: MaybePrincipal) -> Response:
    """Where the password is changed."""
    return _show_password(request, _demand_staff(principal))


@router.post("/account/password")
def change_password(
    request: Request,
    principal: MaybePrincipal,
    current: Annotated[str, Form(max_length=128)] = "",
    new: Annotated[str, Form(max_length=128)] = "",
    again: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    """Change it and sign in anew: every session of the account ends."""
    who = _demand_staff(principal)
    try:
        if new != again:
            raise PasswordsDifferError("两次输入的新口令不同。", "The two new passwords differ.")
        change_own_password(get_runtime(request).node, who.account_id, current, new)
    except (SignInRefusedError, WeakPasswordError, PasswordsDifferError) as error:
        request.app.state.log_problem(request, error)
        problem = (error.message_zh, error.message_en)
        return _show_password(request, who, problem, 422)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.get("/account/passkeys", response_class=HTMLResponse)
def read_passkey_list(request: Request, principal: MaybePrincipal) -> Response:
    """Passkeys that are a second factor of this account, and enrolling another."""
    who = _demand_second_factor(principal)
    rows = list_staff_passkeys(get_runtime(request).node, who.account_id)
    keys = [{"id": row.credential_hash.hex(), "at": row.created_at} for row in rows]
    return page(request, who, "session/passkeys.html", {"keys": keys})


@router.post("/account/passkeys/options")
def begin_enrolling(request: Request, principal: MaybePrincipal) -> Response:
    """Options for the device, as JSON."""
    who = _demand_second_factor(principal)
    runtime = get_runtime(request)
    where = read_passkey_page(runtime.settings.origin)
    name = runtime.settings.city_name or runtime.node.city
    options = begin_staff_enrolment(runtime.node, who.account_id, where, name)
    return Response(options, 200, {"Cache-Control": "no-store"}, "application/json")


@router.post("/account/passkeys")
def enrol(
    request: Request,
    principal: MaybePrincipal,
    answer: Annotated[str, Form(max_length=40_000)] = "",
) -> Response:
    """Take the device's new passkey."""
    who = _demand_second_factor(principal)
    runtime = get_runtime(request)
    where = read_passkey_page(runtime.settings.origin)
    finish_staff_enrolment(runtime.node, who.account_id, where, answer)
    return RedirectResponse("/account/passkeys", 303)


@router.post("/account/passkeys/remove")
def remove(
    request: Request, principal: MaybePrincipal, key: Annotated[str, Form(max_length=64)] = ""
) -> Response:
    """Take one of the own passkeys away; one-time codes go on."""
    who = _demand_second_factor(principal)
    try:
        credential_hash = bytes.fromhex(key)
    except ValueError:
        credential_hash = b""
    remove_staff_passkey(get_runtime(request).node, who.account_id, credential_hash)
    return RedirectResponse("/account/passkeys", 303)


def _demand_second_factor(principal: Principal | None) -> Principal:
    """Whoever signed in with a second factor may enrol another.

    Raises:
        NotSignedInError: Nobody, or a first password is still to be changed.
        NoSecondFactorRoleError: The role shows none.
    """
    who = _demand_staff(principal)
    if who.scope is not None:
        raise NotSignedInError
    if not who.roles & SECOND_FACTOR or not who.second_factor:
        raise NoSecondFactorRoleError
    return who


def _show_password(
    request: Request,
    who: Principal,
    problem: tuple[str, str] | str = "",
    status: int = 200,
) -> Response:
    second = bool(who.roles & SECOND_FACTOR) and who.scope is None
    context = {"problem": problem, "second": second}
    return page(request, who, "session/password.html", context, status)
