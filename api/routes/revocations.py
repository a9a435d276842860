"""Taking a consent back at any window: the code on the slip, with the card or two facts.

What is wrong is never said: code, card and facts are one answer, here and between cities.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from api.access import Principal, allow
from api.deps import get_runtime
from api.pages.render import page
from ledger_node.core.access import Permission
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.revocation_messages import (
    CardShown,
    FactsTold,
    RevocationOutcome,
    build_facts,
)
from ledger_node.core.trail import TrailAction
from ledger_node.flows.revoking import revoke_by_code

router = APIRouter(tags=["consent"], include_in_schema=False)

Revoker = Annotated[Principal, allow(Permission.GRANTS_REVOKE)]


@router.get("/window/revoke", response_class=HTMLResponse)
def read_revocation(request: Request, principal: Revoker) -> Response:
    """The form."""
    return _show(request, principal)


@router.post("/window/revoke", response_class=HTMLResponse)
def revoke(
    request: Request,
    principal: Revoker,
    code: Annotated[str, Form(max_length=60)] = "",
    number: Annotated[str, Form(max_length=40)] = "",
    scheme: Annotated[str, Form(max_length=40)] = "cn-resident-id",
    born_on: Annotated[str, Form(max_length=10)] = "",
    last_four: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Hand code and card or facts to the city that recorded the consent."""
    node = get_runtime(request).node
    try:
        shown: CardShown | FactsTold = (
            CardShown(scheme, number) if number.strip() else build_facts(born_on, last_four)
        )
        outcome, grants = revoke_by_code(node, code, shown)
    except MalformedInputError as error:
        problem = (error.message_zh, error.message_en)
        return _show(request, principal, problem=problem, status=422)
    with node.database.transaction() as tx:
        tx.trail.log_access(
            node.clock.now(),
            principal.account_id,
            TrailAction.REVOKE_BY_CODE,
            "revocation",
            outcome.value,
        )
    done = outcome is RevocationOutcome.REVOKED
    return _show(request, principal, outcome=outcome.value, grants=grants if done else 0)


def _show(
    request: Request, principal: Principal, *, status: int = 200, **changes: Any
) -> HTMLResponse:
    context = {"outcome": "", "grants": 0, "problem": None, **changes}
    return page(request, principal, "consent/revoke.html", context, status)
