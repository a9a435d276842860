"""The consent screen turned to the person, and the window's side of it.

The person's screen needs no login: a random token opens it, for a quarter of an hour, after the
officer of that window turned it. Officers' keys sign here and nowhere else in the pages; who must
sign comes from the evidence rules (`find_reason_for_second`).
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

import segno
from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import Principal, allow, public
from api.deps import get_runtime
from api.pages.consent_slip import build_slip
from api.pages.consent_view import build_ceremony_view
from api.pages.language import read_speech
from api.pages.render import fragment, page
from ledger_node.core.access import Permission, permissions_of
from ledger_node.core.ceremony import CeremonyState
from ledger_node.core.errors import NotPermittedError
from ledger_node.core.pad_image import MAX_SLIP_BYTES, PadImageError
from ledger_node.core.trail import TrailAction
from ledger_node.flows.accounts import split_roles, verify_credentials
from ledger_node.flows.consenting import (
    Ceremony,
    CeremonyMovedError,
    SecondOfficerNeededError,
    Signer,
    choose_options,
    confirm_ceremony_at_counter,
    decline_ceremony,
    find_reason_for_second,
    load_ceremony,
    load_screen,
    open_screen,
    sign_on_pad,
    strike_ceremony,
)
from ledger_node.flows.inspecting import UNDECLARED, inspect_document
from ledger_node.flows.node import Node
from ledger_node.flows.revoking import issue_revocation_code
from ledger_node.flows.welcoming import open_welcome
from ledger_node.papers.values import PaperSize
from ledger_node.wiring import Runtime, open_officer_keys

router = APIRouter(tags=["consent"], include_in_schema=False)

Collector = Annotated[Principal, allow(Permission.CONSENT_COLLECT)]
SCREEN: Final = "/consent/screen"
_DATA_URL: Final = "data:image/png;base64,"
_RUN_STATES: Final = ("asked", "running", "ready", "open", "closed")


class OfficerKeyMissingError(NotPermittedError):
    """The account has no officer's key on this machine, so it cannot sign for a consent."""

    code = "officer_key_missing"

    def __init__(self) -> None:
        super().__init__(
            "您的账号没有经办人签名密钥，不能确认授权。请由已登记密钥的工作人员确认。",
            "Your account has no officer's key here and cannot confirm a consent; an officer with "
            "an enrolled key has to.",
        )


class SameOfficerError(NotPermittedError):
    """The second officer is the first, or may not collect consents."""

    code = "second_officer_same"

    def __init__(self) -> None:
        super().__init__(
            "第二名工作人员须是另一位有授权办理权限的人。",
            "The second officer has to be another person who may collect consents.",
        )


@router.get(f"{SCREEN}/{{token}}", response_class=HTMLResponse, dependencies=[public()])
def read_screen(request: Request, token: str) -> Response:
    """What the person sees: nothing is ticked beforehand."""
    ceremony = load_screen(get_runtime(request).node, token)
    return _show_screen(request, token, ceremony)


@router.post(f"{SCREEN}/{{token}}/sign", response_class=HTMLResponse, dependencies=[public()])
def sign_screen(
    request: Request,
    token: str,
    pad: Annotated[str, Form(max_length=720_000)] = "",
    tick: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """The person agrees to what is ticked and signs for exactly that."""
    node = get_runtime(request).node
    ceremony = choose_options(node, load_screen(node, token), set(tick or []))
    if ceremony.challenge is None:
        raise CeremonyMovedError
    sign_on_pad(node, ceremony, _read_data_url(pad), ceremony.challenge)
    return RedirectResponse(f"{SCREEN}/{token}", 303)


@router.post(f"{SCREEN}/{{token}}/decline", response_class=HTMLResponse, dependencies=[public()])
def decline_screen(request: Request, token: str) -> Response:
    """The person says no; nothing is asked of any city."""
    node = get_runtime(request).node
    decline_ceremony(node, load_screen(node, token))
    return RedirectResponse(f"{SCREEN}/{token}", 303)


@router.get("/consent/{ceremony_id}", response_class=HTMLResponse)
def read_ceremony(request: Request, principal: Collector, ceremony_id: str) -> Response:
    """The window's side: turn the screen, wait, confirm."""
    return _show(request, principal, _load(request, principal, ceremony_id))


@router.get("/consent/{ceremony_id}/panel", response_class=HTMLResponse)
def read_ceremony_panel(
    request: Request,
    principal: Collector,
    ceremony_id: str,
    seen: Annotated[int, Query()] = -1,
) -> Response:
    """What moved since revision `seen`; nothing (204) while nothing did."""
    ceremony = _load(request, principal, ceremony_id)
    if ceremony.row.revision == seen:
        return Response(status_code=204)
    return fragment(request, principal, "consent/panel.html", _view(request, principal, ceremony))


@router.post("/consent/{ceremony_id}/screen", response_class=HTMLResponse)
def turn_screen(
    request: Request,
    principal: Collector,
    ceremony_id: str,
    where: Annotated[str, Form()] = "here",
) -> Response:
    """Turn this screen to the person, or show the address for a second one."""
    ceremony, token = open_screen(get_runtime(request).node, _load(request, principal, ceremony_id))
    if where != "second":
        return RedirectResponse(f"{SCREEN}/{token}", 303)
    origin = get_runtime(request).settings.origin
    extra: dict[str, object] = {"second_screen": f"{origin}{SCREEN}/{token}"}
    return _show(request, principal, ceremony, extra)


@router.post("/consent/{ceremony_id}/confirm", response_class=HTMLResponse)
def confirm(
    request: Request,
    principal: Collector,
    ceremony_id: str,
    login: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=128)] = "",
    code: Annotated[str, Form(max_length=8)] = "",
    tick: Annotated[list[str] | None, Form()] = None,
    slip: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """The officer signs for it; a second one where the rules want two."""
    runtime = get_runtime(request)
    ceremony = _load(request, principal, ceremony_id)
    image = _read_slip(runtime, slip)
    if image is not None and ceremony.state is not CeremonyState.CONFIRMED:
        ceremony = choose_options(runtime.node, ceremony, set(tick or []))
    officers = _collect_signers(runtime, principal, ceremony, login, password, code)
    confirm_ceremony_at_counter(runtime.node, ceremony, officers, slip=image)
    _log(request, principal, TrailAction.CONFIRM_CONSENT, ceremony_id)
    back = _find_way_back(request, principal, ceremony)
    return RedirectResponse(f"/consent/{ceremony_id}" if back == "/window" else back, 303)


@router.post("/consent/{ceremony_id}/strike", response_class=HTMLResponse)
def strike(request: Request, principal: Collector, ceremony_id: str) -> Response:
    """Take the consent back before it is confirmed."""
    ceremony = _load(request, principal, ceremony_id)
    strike_ceremony(get_runtime(request).node, ceremony)
    return RedirectResponse(_find_way_back(request, principal, ceremony), 303)


@router.post("/consent/{ceremony_id}/slip")
def print_slip(
    request: Request,
    principal: Collector,
    ceremony_id: str,
    size: Annotated[PaperSize, Form()] = PaperSize.A4,
    blank: Annotated[str, Form()] = "",
) -> Response:
    """The slip as PDF. Of a confirmed consent it carries a fresh withdrawal code, and codes printed
    before are void; a blank one is to be signed on paper."""
    runtime = get_runtime(request)
    ceremony = _load(request, principal, ceremony_id)
    revocation = None if blank else issue_revocation_code(runtime.node, ceremony)
    content = build_slip(runtime, ceremony, revocation, size)
    _log(request, principal, TrailAction.PRINT_SLIP, ceremony_id)
    headers = {"Content-Disposition": 'inline; filename="consent-slip.pdf"'}
    headers["Cache-Control"] = "no-store"
    return Response(content, 200, headers, "application/pdf")


@router.post("/consent/{ceremony_id}/phone", response_class=HTMLResponse)
def open_phone(request: Request, principal: Collector, ceremony_id: str) -> Response:
    """A one-time address and its QR code, for the person's own phone."""
    runtime = get_runtime(request)
    ceremony = _load(request, principal, ceremony_id)
    token = open_welcome(runtime.node, ceremony)
    address = f"{runtime.settings.origin}/me/open/{token}"
    _log(request, principal, TrailAction.OPEN_OWN_PAGES, ceremony_id)
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=2)
    return page(
        request,
        principal,
        "consent/phone.html",
        {
            "address": address,
            "picture": picture,
            "back": f"/consent/{ceremony_id}",
        },
    )


def _collect_signers(
    runtime: Runtime,
    principal: Principal,
    ceremony: Ceremony,
    login: str,
    password: str,
    code: str,
) -> tuple[Signer, ...]:
    """The officer of the session, and the second one where the rules want two."""
    first = _signer(runtime, principal.officer)
    reason = find_reason_for_second(runtime.node, ceremony)
    if reason is None or ceremony.state is CeremonyState.CONFIRMED:
        return (first,)
    if not login:
        raise SecondOfficerNeededError(reason)
    row = verify_credentials(runtime.node, login.strip(), password, code.strip())
    may = Permission.CONSENT_COLLECT in permissions_of(split_roles(row.roles))
    if row.account_id == principal.account_id or row.officer == principal.officer or not may:
        raise SameOfficerError
    return (first, _signer(runtime, row.officer))


def _signer(runtime: Runtime, officer: str | None) -> Signer:
    keys = open_officer_keys(runtime.settings.data_dir)
    if officer is None or not keys.has(officer):
        raise OfficerKeyMissingError
    return officer, lambda message: keys.sign(officer, message)


def _load(request: Request, principal: Principal, ceremony_id: str) -> Ceremony:
    return load_ceremony(get_runtime(request).node, ceremony_id, principal.account_id)


def _view(request: Request, principal: Principal, ceremony: Ceremony) -> dict[str, object]:
    node = get_runtime(request).node
    view = build_ceremony_view(node, ceremony, read_speech(request).language)
    back = _find_way_back(request, principal, ceremony)
    return {**view, "back": back, "second_screen": "", "problem": None}


def _show(
    request: Request,
    principal: Principal,
    ceremony: Ceremony,
    extra: dict[str, object] | None = None,
) -> Response:
    view = {**_view(request, principal, ceremony), **(extra or {})}
    return page(request, principal, "consent/window.html", view)


def _show_screen(request: Request, token: str, ceremony: Ceremony) -> Response:
    node: Node = get_runtime(request).node
    view = build_ceremony_view(node, ceremony, read_speech(request).language)
    context = {**view, "base": f"{SCREEN}/{token}"}
    return page(request, None, "consent/screen.html", context)


def _find_way_back(request: Request, principal: Principal, ceremony: Ceremony) -> str:
    """The visit this consent belongs to, or the start of the window."""
    with get_runtime(request).node.database.read() as tx:
        runs = tx.reuse.list_runs(principal.account_id, _RUN_STATES)
    for run in runs:
        if run.ceremony_id == ceremony.ceremony_id:
            return f"/window/runs/{run.run_id}"
    return "/window"


def _read_data_url(text: str) -> bytes:
    if not text.startswith(_DATA_URL):
        raise PadImageError("form")
    try:
        return base64.b64decode(text[len(_DATA_URL) :], validate=True)
    except (binascii.Error, ValueError):
        raise PadImageError("form") from None


def _read_slip(runtime: Runtime, slip: UploadFile | None) -> bytes | None:
    if slip is None or not slip.filename:
        return None
    data = slip.file.read(MAX_SLIP_BYTES + 1)
    if len(data) > MAX_SLIP_BYTES:
        raise PadImageError("size")
    inspect_document(runtime.inspector, slip.file, UNDECLARED)
    return data


def _log(request: Request, principal: Principal, action: TrailAction, ceremony_id: str) -> None:
    node = get_runtime(request).node
    with node.database.transaction() as tx:
        tx.trail.log_access(node.clock.now(), principal.account_id, action, "ceremony", ceremony_id)
