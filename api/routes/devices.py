"""Pages of the window's devices: pairing and trying them, and batch scanning.

The pages speak to the bridge on the clerk's own machine; the node never does. What the bridge
read goes into the same forms a typed value goes into.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from api.access import Principal, allow
from api.deps import get_runtime
from api.pages.assets import STATIC
from api.pages.render import NO_STORE, page
from api.pages.window_view import list_open_runs
from ledger_node.core.access import Permission
from ledger_node.core.errors import MalformedInputError
from ledger_node.papers import Fonts, SeparatorSheet, render_separator_sheets
from ledger_node.seed import load_catalogue

router = APIRouter(tags=["devices"], include_in_schema=False)
User = Annotated[Principal, allow(Permission.DEVICES_USE)]
FONT: Final = "vendor/noto-sans-sc.ttf"
MAX_SHEETS: Final = 50


class SeparatorChoiceError(MalformedInputError):
    """No type was chosen, too many, or one the catalogue does not have."""

    code = "separator_choice"

    def __init__(self) -> None:
        super().__init__(
            f"请选择要打印的材料种类，每次最多 {MAX_SHEETS} 种。",
            f"Choose the types of paper to print sheets for, at most {MAX_SHEETS} at a time.",
        )


@router.get("/window/devices", response_class=HTMLResponse)
def read_devices(request: Request, principal: User) -> Response:
    """Pair this browser with the bridge, and try every device."""
    return page(request, principal, "devices/devices.html", {"bridge": _bridge(request)})


@router.get("/window/batch", response_class=HTMLResponse)
def read_batch(request: Request, principal: User) -> Response:
    """Scan a stack and put its pages in order."""
    context = {
        "types": list(load_catalogue().types.values()),
        "runs": list_open_runs(get_runtime(request).node, principal.account_id),
    }
    return page(request, principal, "devices/batch.html", context)


@router.post("/window/batch/separators", dependencies=[allow(Permission.DEVICES_USE)])
def print_separators(
    request: Request, type_code: Annotated[list[str] | None, Form()] = None
) -> Response:
    """Separator sheets of the chosen types, one page each, as a PDF to print."""
    types = load_catalogue().types
    chosen = type_code or []
    if not 1 <= len(chosen) <= MAX_SHEETS or any(code not in types for code in chosen):
        raise SeparatorChoiceError
    now = get_runtime(request).node.clock.now()
    batch = f"b{now:%Y%m%d%H%M%S}"
    sheets = [
        SeparatorSheet(batch, code, place, types[code].zh, now, types[code].en)
        for place, code in enumerate(chosen, 1)
    ]
    pdf = render_separator_sheets(sheets, Fonts(STATIC / FONT))
    disposition = {"Content-Disposition": 'inline; filename="separators.pdf"'}
    return Response(pdf, media_type="application/pdf", headers={**NO_STORE, **disposition})


def _bridge(request: Request) -> str:
    return get_runtime(request).settings.device_bridge_url
