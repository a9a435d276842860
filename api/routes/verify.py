"""The verification page: a receipt is brought, a verdict in plain words is given. No login.

Nothing is stored and nothing of what is brought reaches a log. Never a search by file: without a
receipt there is no answer. With script the document is hashed in the browser and does not travel;
without script the form sends it, and it is hashed as it arrives. Machines ask
`/api/v1/verifications`; both call `flows/verifying.py`.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from api.access import Principal, find_principal, public, resolve_principal
from api.brought import Brought, read_brought
from api.deps import get_runtime
from api.pages.certificate import build_certificate
from api.pages.cities import list_city_names
from api.pages.errors import is_htmx
from api.pages.language import read_speech
from api.pages.render import NO_STORE, fragment, page
from api.pages.verify_words import describe_verification
from api.rate_limits import PerMinute, RateLimits
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.freshness import RULES
from ledger_node.core.receipt import NotAReceiptError
from ledger_node.flows.verifying import Verification, verify_brought_receipt
from ledger_node.papers import PaperSize
from ledger_node.wiring import Runtime

router = APIRouter(prefix="/verify", tags=["verify"], include_in_schema=False)

RuntimeDep = Annotated[Runtime, Depends(get_runtime)]
LIMITS: Final = PerMinute(account=30, address=30, city=600)


class ReceiptUnreadableError(MalformedInputError):
    """The file brought as a receipt is none, byte for byte."""

    code = "receipt_unreadable"

    def __init__(self) -> None:
        super().__init__(
            "这不是凭证文件，或在传递中被改动过。请用出具时给您的原文件，不要复制粘贴或另存。",
            "This is no receipt, or it was changed on its way. Use the file as it was given to "
            "you; do not copy and paste or save it anew.",
        )


def get_limits(request: Request) -> RateLimits:
    """Counters of this application's verification page."""
    state = request.app.state
    if not hasattr(state, "verify_limits"):
        state.verify_limits = RateLimits(LIMITS)
    limits: RateLimits = state.verify_limits
    return limits


@router.get("", response_class=HTMLResponse)
def read_verify(
    request: Request, principal: Annotated[Principal | None, find_principal()]
) -> Response:
    """The form."""
    return page(request, principal, "verify/verify.html", {"result": None, "necessity": ""})


@router.post("", response_class=HTMLResponse, dependencies=[public()])
async def verify(request: Request, runtime: RuntimeDep) -> Response:
    """The verdict: a fragment for the page that is open, or a page of its own.

    Changes nothing, so it asks for no form token.
    """
    verification, brought = await judge_brought(request, runtime)
    result = describe_verification(read_speech(request), verification, brought.necessity)
    context = {"result": result, "necessity": brought.necessity.value}
    if is_htmx(request):
        return fragment(request, None, "verify/result.html", context)
    principal = await resolve_principal(request)
    return page(request, principal, "verify/verify.html", context)


@router.post("/certificate", dependencies=[public()])
async def certify(request: Request, runtime: RuntimeDep) -> Response:
    """The same check, its outcome as a PDF to print or to keep with a file; nothing is stored."""
    verification, brought = await judge_brought(request, runtime)
    size = PaperSize.THERMAL_80 if brought.action == "80mm" else PaperSize.A4
    pdf = await run_in_threadpool(build_certificate, runtime, verification, brought, size)
    disposition = {"Content-Disposition": 'inline; filename="verification.pdf"'}
    return Response(pdf, media_type="application/pdf", headers={**NO_STORE, **disposition})


async def judge_brought(request: Request, runtime: Runtime) -> tuple[Verification, Brought]:
    """Count the address, read what is brought, judge it.

    Raises:
        RateLimitedError: Too many from this address.
        BroughtMalformedError, BroughtTooLargeError, NoReceiptError: See `api/brought.py`.
        ReceiptUnreadableError: The receipt is none.
        MalformedInputError: The trust file is none.
        FactsInDoubtError, NotFollowedError: This node cannot say.
    """
    address = request.client.host if request.client else "-"
    get_limits(request).count(None, address)
    brought = await read_brought(request, runtime.settings.max_document_bytes)
    names = list_city_names(read_speech(request).language)
    try:
        verification = await run_in_threadpool(
            verify_brought_receipt,
            runtime.node,
            brought.receipt,
            document=brought.document,
            trust=brought.trust,
            names=names,
            rule=RULES[brought.necessity],
        )
    except NotAReceiptError as error:
        raise ReceiptUnreadableError from error
    return verification, brought
