"""A page of a paper that came, drawn with a watermark; never kept by caches, always logged."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParameter

from api.access import Principal, allow
from api.deps import get_runtime
from api.pages.cities import name_city
from api.pages.language import CHINA
from api.routes.window import RUNS
from ledger_node.core.access import Permission
from ledger_node.core.trail import TrailAction
from ledger_node.core.types import CityId, Commitment
from ledger_node.flows.viewing import view_page
from ledger_node.flows.window import load_run

router = APIRouter(tags=["window"], include_in_schema=False)
Viewer = Annotated[Principal, allow(Permission.DOCUMENTS_VIEW)]
Hex32 = Annotated[str, PathParameter(pattern="^[0-9a-f]{64}$")]
Small = Annotated[int, PathParameter(ge=0, le=9999)]


@router.get(f"{RUNS}/{{run_id}}/pages/{{city}}/{{commitment}}/{{index}}/{{number}}.png")
def read_page(
    request: Request,
    principal: Viewer,
    run_id: str,
    city: str,
    commitment: Hex32,
    index: Small,
    number: Small,
) -> Response:
    """One page of a document that came with this visit, for the clerk whose visit it is."""
    runtime = get_runtime(request)
    node = runtime.node
    run = load_run(node, run_id, principal.account_id)
    now = node.clock.now()
    city_name = runtime.settings.city_name or name_city(node.city, "zh")
    looked = f"{now.astimezone(CHINA):%Y-%m-%d %H:%M}"
    watermark = f"{city_name} {run.row.officer} {looked} 办件 {run.visit.case}"
    with node.database.transaction() as tx:
        tx.trail.log_access(
            now, principal.account_id, TrailAction.VIEW, "document", f"{commitment}/{index}"
        )
    rendered = view_page(
        node,
        runtime.renderer,
        run,
        CityId(city),
        Commitment(bytes.fromhex(commitment)),
        index,
        number,
        watermark,
    )
    headers = {"Cache-Control": "no-store", "X-Page-Count": str(rendered.pages)}
    return Response(rendered.png, 200, headers, "image/png")
