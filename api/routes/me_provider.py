"""Confirming a citizen's own consent: at an identity provider, or with a passkey after all.

The provider's answer comes back through the sign-in callback (`api/routes/session.py`), which hands
it to `take_assertion`; it counts only in the session that asked for it.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.access import NotSignedInError, Principal, allow
from api.deps import get_runtime
from api.routes.me import finish_confirmed, load_own_ceremony
from api.routes.session import redirect_to_provider
from ledger_node.core.access import Permission
from ledger_node.flows.citizen import return_to_passkey
from ledger_node.flows.identity import Assertion
from ledger_node.flows.providers import begin_provider_confirmation, confirm_ceremony_by_provider

router = APIRouter(prefix="/me", tags=["me"], include_in_schema=False)

Citizen = Annotated[Principal, allow(Permission.ME_USE)]


@router.post("/confirm/{ceremony_id}/provider")
def go_to_provider(
    request: Request,
    principal: Citizen,
    ceremony_id: str,
    name: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """To the provider that vouches for the person, and back."""
    runtime = get_runtime(request)
    ceremony = load_own_ceremony(request, principal, ceremony_id)
    origin = runtime.settings.origin
    return redirect_to_provider(
        begin_provider_confirmation(runtime.node, runtime.identity, ceremony, name, origin)
    )


@router.post("/confirm/{ceremony_id}/passkey")
def use_passkey(request: Request, principal: Citizen, ceremony_id: str) -> Response:
    """The person came back and wants to confirm with a passkey instead."""
    node = get_runtime(request).node
    ceremony = load_own_ceremony(request, principal, ceremony_id)
    return_to_passkey(node, ceremony)
    return RedirectResponse(f"/me/confirm/{ceremony_id}", 303)


def take_assertion(request: Request, assertion: Assertion) -> Response:
    """What the provider signed confirms the ceremony of the person who is signed in here.

    Raises:
        NotSignedInError: The session ended meanwhile.
        CeremonyNotFoundError: The ceremony is another person's.
        VerificationError, ConflictError: It confirms nothing; see `confirm_ceremony_by_provider`.
    """
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None or not principal.may(Permission.ME_USE):
        raise NotSignedInError
    node = get_runtime(request).node
    ceremony = load_own_ceremony(request, principal, assertion.ceremony)
    return finish_confirmed(node, confirm_ceremony_by_provider(node, ceremony, assertion))
