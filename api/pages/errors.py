"""Errors as a person meets them: what is the matter, and what to do, in their own language."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.pages.render import fragment, page
from api.problems import OURS_EN, OURS_ZH, status_of
from ledger_node.core.errors import LedgerError


def wants_page(request: Request) -> bool:
    """Whether a browser asked: programs ask for JSON or do not say."""
    return "text/html" in request.headers.get("accept", "") or is_htmx(request)


def is_htmx(request: Request) -> bool:
    """Whether the answer is swapped into a page that is open."""
    return request.headers.get("hx-request") == "true"


def error_page(request: Request, error: BaseException, status: int | None = None) -> HTMLResponse:
    """The error as a page, or as a fragment for a page that is open; the status is kept.

    What is not ours, and what went wrong inside, is told without its message.
    """
    status = status or status_of(error)
    ours = isinstance(error, LedgerError) and status != 500
    context = {
        "status": status,
        "code": error.code if isinstance(error, LedgerError) and ours else "internal",
        "zh": error.message_zh if isinstance(error, LedgerError) and ours else OURS_ZH,
        "en": error.message_en if isinstance(error, LedgerError) and ours else OURS_EN,
    }
    if is_htmx(request):
        response = fragment(request, None, "error_fragment.html", context, status)
        response.headers["HX-Retarget"] = "#problem"
        response.headers["HX-Reswap"] = "innerHTML"
        return response
    principal = getattr(request.state, "principal", None)
    return page(request, principal, "error.html", context, status)
