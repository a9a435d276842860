"""Decisions that rely on a release, and the receipts they leave."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access import Principal, allow
from api.routes.v1.base import (
    NOT_MODIFIED,
    PREFIX,
    Cursor,
    Hash,
    IdempotencyKey,
    Limit,
    Paged,
    RuntimeDep,
    V1Route,
    answer_tagged,
    demand_officer,
    do_once,
)
from api.routes.v1.materials import log_access
from api.schemas.releases import DecisionIn, DecisionOut, ReceiptLine, ReceiptPage
from ledger_node.core.access import Permission
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.trail import TrailAction
from ledger_node.core.types import Commitment
from ledger_node.flows.idempotency import Claim
from ledger_node.flows.relying import complete_receipt, rely
from ledger_node.ports.database_api import PageMark

router = APIRouter(prefix=PREFIX, route_class=V1Route)

Decider = Annotated[Principal, allow(Permission.DECISIONS_MAKE)]
Reader = Annotated[Principal, allow(Permission.RELEASES_READ)]
PAGES = Paged("receipts")


@router.post(
    "/decisions",
    tags=["decisions"],
    status_code=201,
    response_model=DecisionOut,
    summary="采信 · Rely on a release",
)
def create_decision(
    body: DecisionIn, key: IdempotencyKey, principal: Decider, runtime: RuntimeDep
) -> Response:
    """Decide, and file the receipt of everything the decision stands on."""
    node, officer = runtime.node, demand_officer(principal)
    chosen = None if body.materials is None else [bytes.fromhex(each) for each in body.materials]

    def act(claim: Claim) -> tuple[int, DecisionOut]:
        del claim  # the same decision again gives the same receipt
        receipt_id = rely(
            node,
            bytes.fromhex(body.release_id),
            officer,
            OfficerRole(body.role),
            body.outcome,
            materials=None if chosen is None else [Commitment(each) for each in chosen],
        )
        return 201, DecisionOut(receipt_id=receipt_id)

    return do_once(node, principal, "decisions", key, body, act)


@router.get("/receipts", tags=["receipts"], summary="采信凭证列表 · List reliance receipts")
def list_receipts(
    principal: Reader, runtime: RuntimeDep, limit: Limit = 50, cursor: Cursor = ""
) -> ReceiptPage:
    """Receipts this city filed, newest first."""
    del principal
    node = runtime.node
    before = PAGES.parse(node, cursor)
    with node.database.read() as tx:
        rows = tx.paging.page_receipts(before, limit + 1)
    return ReceiptPage(
        items=[
            ReceiptLine(
                receipt_id=row.receipt_id,
                release_id=row.request_digest.hex(),
                commitment=row.commitment.hex(),
                created_at=row.created_at,
            )
            for row in rows[:limit]
        ],
        next=PAGES.next_of(node, rows, limit, lambda row: PageMark(row.entry_id)),
    )


@router.get(
    "/receipts/{receipt_id}",
    tags=["receipts"],
    response_model=dict[str, Any],
    responses=NOT_MODIFIED,
    summary="一份采信凭证 · One reliance receipt",
)
def read_receipt(
    request: Request, receipt_id: Hash, principal: Reader, runtime: RuntimeDep
) -> Response:
    """The receipt file as it can be given now; the reading is written to the access trail."""
    node = runtime.node
    receipt = complete_receipt(node, receipt_id)
    log_access(node, principal, TrailAction.READ, "receipt", receipt_id)
    name = f'attachment; filename="reliance-{receipt_id[:16]}.json"'
    return answer_tagged(request, receipt, headers={"Content-Disposition": name})
