"""The own account of whoever is signed in: changing the password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import COOKIE, NotSignedInError, Principal, find_principal
from api.deps import get_runtime
from api.pages.render import page
from ledger_node.core.access import Role
from ledger_node.core.errors import MalformedInputError
from ledger_node.flows.accounts import SignInRefusedError, WeakPasswordError
from ledger_node.flows.administering import change_own_password

router = APIRouter(tags=["account"], include_in_schema=False)


class PasswordsDifferError(MalformedInputError):
    """The new password was typed in two ways."""

    code = "passwords_differ"


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
    return page(request, _demand_staff(principal), "session/password.html", {"problem": ""})


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
        return page(request, who, "session/password.html", {"problem": problem}, 422)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response
