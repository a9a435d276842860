"""A citizen's own pages: what is held where, consents, everything asked, passkeys.

Only the person signed in is ever shown; a consent of somebody else is answered as one that never
was. Confirming is done with a passkey here, or at the provider (`api/routes/me_provider.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import NotSignedInError, Principal, allow, public
from api.deps import get_runtime
from api.pages.cities import name_city
from api.pages.consent_slip import build_slip
from api.pages.consent_view import build_ceremony_view, name_type
from api.pages.language import read_speech
from api.pages.me_view import build_overview, describe_grants, describe_timeline, list_services
from api.pages.render import page
from api.routes.session import set_session_cookie
from ledger_node.core.access import Permission
from ledger_node.core.canonical import encode_base64url
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantBasis, TypeGrant
from ledger_node.core.types import GrantId
from ledger_node.flows.citizen import (
    SELF_ITEM,
    begin_own_ceremony,
    begin_self_find,
    list_own_grants,
    list_timeline,
    run_self_find,
    withdraw_own_grant,
)
from ledger_node.flows.consenting import (
    Ceremony,
    choose_options,
    decline_ceremony,
    load_ceremony,
)
from ledger_node.flows.node import Node
from ledger_node.flows.passkey_devices import read_assertion
from ledger_node.flows.passkeys import (
    begin_enrolment,
    confirm_ceremony_by_passkey,
    finish_enrolment,
    list_passkeys,
)
from ledger_node.flows.providers import list_confirming
from ledger_node.flows.revoking import issue_revocation_code
from ledger_node.flows.sessions import begin_citizen_session
from ledger_node.flows.welcoming import take_welcome
from ledger_node.flows.window import SHOWN_FIELDS
from ledger_node.papers.values import PaperSize
from ledger_node.ports.identity import Provider
from ledger_node.seed import load_catalogue

router = APIRouter(prefix="/me", tags=["me"], include_in_schema=False)

Citizen = Annotated[Principal, allow(Permission.ME_USE)]
NO_STORE: Final = {"Cache-Control": "no-store"}


class UnknownServiceError(MalformedInputError):
    """No service of that name is offered."""

    code = "unknown_service"


@router.get("", response_class=HTMLResponse)
def read_overview(request: Request, principal: Citizen) -> Response:
    """What is held where."""
    node, person = get_runtime(request).node, person_of(principal)
    view = build_overview(node, person, read_speech(request).language)
    providers = list_own_providers(request, principal)
    return page(request, principal, "me/overview.html", {**view, "providers": providers})


@router.post("/elsewhere")
def ask_elsewhere(request: Request, principal: Citizen) -> Response:
    """Draw up the one question to all other cities; it is confirmed on the next page."""
    node, person = get_runtime(request).node, person_of(principal)
    types = sorted(load_catalogue().types)
    provider = bool(list_own_providers(request, principal))
    ceremony = begin_self_find(node, person, principal.account_id, types, provider=provider)
    return RedirectResponse(f"/me/confirm/{ceremony.ceremony_id}", 303)


@router.get("/request", response_class=HTMLResponse)
def read_request(request: Request, principal: Citizen, item: str = "") -> Response:
    """Choose a service; then each material with a box of its own, none ticked."""
    language = read_speech(request).language
    found = load_catalogue().items.get(item)
    types = [] if found is None else _list_types(found.code)
    view = {
        "services": list_services(language),
        "item": "" if found is None else found.code,
        "item_name": "" if found is None else (found.zh if language == "zh" else found.en),
        "types": [(code, name_type(code, language)) for code in types],
        "city": name_city(get_runtime(request).node.city, language),
    }
    return page(request, principal, "me/request.html", view)


@router.post("/request")
def make_request(
    request: Request,
    principal: Citizen,
    item: Annotated[str, Form(max_length=64)] = "",
    tick: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Terms for exactly what is ticked; confirmed on the next page."""
    node, person = get_runtime(request).node, person_of(principal)
    types = _list_types(item)
    granted = tuple(TypeGrant(code, SHOWN_FIELDS, True) for code in types)
    provider = bool(list_own_providers(request, principal))
    ceremony = begin_own_ceremony(
        node, person, principal.account_id, item, granted, provider=provider
    )
    choose_options(node, ceremony, {f"t-{code}" for code in tick or []})
    return RedirectResponse(f"/me/confirm/{ceremony.ceremony_id}", 303)


@router.get("/confirm/{ceremony_id}", response_class=HTMLResponse)
def read_confirmation(
    request: Request, principal: Citizen, ceremony_id: str, back: str = ""
) -> Response:
    """What is about to be confirmed, or the receipt of what was; `back`: from a provider, without
    its word."""
    ceremony = load_own_ceremony(request, principal, ceremony_id)
    return _show_confirmation(request, principal, ceremony, came_back=back != "")


@router.post("/confirm/{ceremony_id}")
def confirm(
    request: Request,
    principal: Citizen,
    ceremony_id: str,
    answer: Annotated[str, Form(max_length=40_000)] = "",
) -> Response:
    """The device's answer confirms it; a question to other cities is asked at once."""
    runtime = get_runtime(request)
    ceremony = load_own_ceremony(request, principal, ceremony_id)
    origin = runtime.settings.origin
    confirmed = confirm_ceremony_by_passkey(
        runtime.node, ceremony, read_assertion(answer), rp_id_of(origin), origin
    )
    return finish_confirmed(runtime.node, confirmed)


@router.post("/confirm/{ceremony_id}/decline")
def decline(request: Request, principal: Citizen, ceremony_id: str) -> Response:
    """Nothing is confirmed and no city is asked."""
    decline_ceremony(get_runtime(request).node, load_own_ceremony(request, principal, ceremony_id))
    return RedirectResponse("/me", 303)


@router.post("/confirm/{ceremony_id}/slip")
def download_slip(request: Request, principal: Citizen, ceremony_id: str) -> Response:
    """The receipt as PDF with a fresh withdrawal code; codes printed before are void."""
    runtime = get_runtime(request)
    ceremony = load_own_ceremony(request, principal, ceremony_id)
    code = issue_revocation_code(runtime.node, ceremony)
    content = build_slip(runtime, ceremony, code, PaperSize.A4)
    headers = {**NO_STORE, "Content-Disposition": 'attachment; filename="consent-receipt.pdf"'}
    return Response(content, 200, headers, "application/pdf")


@router.get("/grants", response_class=HTMLResponse)
def read_grants(request: Request, principal: Citizen) -> Response:
    """Consents given, newest first; each can be withdrawn in one step."""
    node, person = get_runtime(request).node, person_of(principal)
    grants = describe_grants(list_own_grants(node, person), read_speech(request).language)
    return page(request, principal, "me/grants.html", {"grants": grants})


@router.post("/grants/{grant_id}/withdraw")
def withdraw(request: Request, principal: Citizen, grant_id: str) -> Response:
    """Withdraw a consent."""
    node, person = get_runtime(request).node, person_of(principal)
    withdraw_own_grant(node, person, _read_grant_id(grant_id))
    return RedirectResponse("/me/grants", 303)


@router.get("/timeline", response_class=HTMLResponse)
def read_timeline(request: Request, principal: Citizen) -> Response:
    """Every find, release and refusal that concerns the person, newest first."""
    node, person = get_runtime(request).node, person_of(principal)
    events = describe_timeline(list_timeline(node, person), read_speech(request).language)
    return page(request, principal, "me/timeline.html", {"events": events})


@router.get("/passkeys", response_class=HTMLResponse)
def read_passkeys(request: Request, principal: Citizen) -> Response:
    """Passkeys of the person, and enrolling another."""
    found = list_passkeys(get_runtime(request).node, person_of(principal))
    keys = [{"at": row.created_at, "usable": usable} for _, row, usable in found]
    return page(request, principal, "me/passkeys.html", {"keys": keys})


@router.post("/passkeys/options")
def begin_passkey(request: Request, principal: Citizen) -> Response:
    """Options for the device, as JSON."""
    runtime = get_runtime(request)
    name = runtime.settings.city_name or runtime.node.city
    rp_id = rp_id_of(runtime.settings.origin)
    options = begin_enrolment(runtime.node, person_of(principal), rp_id, name)
    return Response(options, 200, NO_STORE, "application/json")


@router.post("/passkeys")
def enrol_passkey(
    request: Request,
    principal: Citizen,
    answer: Annotated[str, Form(max_length=40_000)] = "",
) -> Response:
    """Take the device's new passkey."""
    runtime = get_runtime(request)
    origin = runtime.settings.origin
    finish_enrolment(runtime.node, person_of(principal), rp_id_of(origin), origin, answer)
    return RedirectResponse("/me/passkeys", 303)


@router.get("/open/{token}", response_class=HTMLResponse, dependencies=[public()])
def read_welcome(request: Request, token: str) -> Response:
    """The one-time page a window opened for the person's phone; nothing personal before the
    press of the button."""
    return page(request, None, "me/open.html", {"token": token})


@router.post("/open/{token}", dependencies=[public()])
def open_own_pages(request: Request, token: str) -> Response:
    """Use the one-time token up and sign the person in."""
    node = get_runtime(request).node
    response = RedirectResponse("/me/passkeys", 303)
    set_session_cookie(response, begin_citizen_session(node, take_welcome(node, token), None))
    return response


def person_of(principal: Principal) -> Subject:
    """The person signed in.

    Raises:
        NotSignedInError: The session carries none.
    """
    person = principal.person
    if person is None:
        raise NotSignedInError
    return Subject(person.scheme, person.number, person.name)


def rp_id_of(origin: str) -> str:
    """Relying party of passkeys: the host of this node's pages."""
    return urlsplit(origin).hostname or ""


def finish_confirmed(node: Node, confirmed: Ceremony) -> Response:
    """What follows a confirmation: a question to other cities is asked at once, else the receipt is
    shown."""
    if confirmed.body.item == SELF_ITEM:
        run_self_find(node, confirmed)
        return RedirectResponse("/me", 303)
    return RedirectResponse(f"/me/confirm/{confirmed.ceremony_id}", 303)


def list_own_providers(request: Request, principal: Principal) -> list[Provider]:
    """Providers that can confirm for this person: the one they signed in at, else all."""
    runtime = get_runtime(request)
    usable = list_confirming(runtime.node, runtime.identity)
    own = [each for each in usable if each.name == principal.provider]
    return own if principal.provider else usable


def load_own_ceremony(request: Request, principal: Principal, ceremony_id: str) -> Ceremony:
    """A ceremony of the person signed in.

    Raises:
        CeremonyNotFoundError: There is none, or it is somebody else's.
    """
    return load_ceremony(get_runtime(request).node, ceremony_id, principal.account_id)


def _show_confirmation(
    request: Request, principal: Principal, ceremony: Ceremony, *, came_back: bool
) -> Response:
    runtime = get_runtime(request)
    view: Mapping[str, Any] = build_ceremony_view(
        runtime.node, ceremony, read_speech(request).language
    )
    keys = list_passkeys(runtime.node, person_of(principal))
    challenge = ceremony.challenge
    context = {
        **view,
        "self_find": ceremony.body.item == SELF_ITEM,
        "challenge": "" if challenge is None else encode_base64url(challenge),
        "rp_id": rp_id_of(runtime.settings.origin),
        "credentials": ",".join(encode_base64url(each) for each, _, usable in keys if usable),
        "passkey": any(usable for _, _, usable in keys),
        "waiting": bool(keys) and not any(usable for _, _, usable in keys),
        "came_back": came_back,
        "by_provider": ceremony.row.basis == GrantBasis.ASSERTION,
        "providers": list_own_providers(request, principal),
    }
    return page(request, principal, "me/confirm.html", context)


def _list_types(item: str) -> list[str]:
    found = load_catalogue().items.get(item)
    if found is None:
        raise UnknownServiceError("没有这个事项。", "There is no such service.")
    return list(dict.fromkeys(code for need in found.needs for code in need.any_of))


def _read_grant_id(text: str) -> GrantId:
    try:
        return GrantId(bytes.fromhex(text))
    except ValueError:
        return GrantId(b"")
