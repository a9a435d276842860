"""Releases to this city: asked for, followed, opened."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Path as PathParameter

from api.access import Principal, allow
from api.routes.v1.base import (
    PREFIX,
    Cursor,
    Hash,
    IdempotencyKey,
    Limit,
    Paged,
    RuntimeDep,
    V1Route,
    demand_officer,
    do_once,
    mark_at,
    plain,
)
from api.routes.v1.materials import attach_file, log_access
from api.schemas.releases import (
    ReleasedDocumentOut,
    ReleasedMaterialOut,
    ReleasedMaterials,
    ReleaseIn,
    ReleaseLine,
    ReleasePage,
    ReleaseStarted,
)
from ledger_node.core.access import Permission
from ledger_node.core.release_check import ReceivedMaterial
from ledger_node.core.release_request import RequestedMaterial
from ledger_node.core.trail import TrailAction
from ledger_node.core.types import Commitment, GrantId
from ledger_node.flows.idempotency import Claim
from ledger_node.flows.receiving import (
    INCOMING,
    load_incoming,
    open_document,
    open_release,
    prepare_release,
)
from ledger_node.ports.database_exchange import ReleaseRow

router = APIRouter(prefix=f"{PREFIX}/releases", tags=["releases"], route_class=V1Route)

Maker = Annotated[Principal, allow(Permission.RELEASES_MAKE)]
Reader = Annotated[Principal, allow(Permission.RELEASES_READ)]
Viewer = Annotated[Principal, allow(Permission.DOCUMENTS_VIEW)]
Index = Annotated[int, PathParameter(ge=0, le=1000)]
PAGES = Paged("releases")


@router.post(
    "", status_code=202, response_model=ReleaseStarted, summary="申请放行 · Ask for a release"
)
def create_release(
    body: ReleaseIn, key: IdempotencyKey, principal: Maker, runtime: RuntimeDep
) -> Response:
    """Store the request; it is sent, permitted on chain and fetched from then on by itself."""
    node, officer = runtime.node, demand_officer(principal)

    def act(claim: Claim) -> tuple[int, ReleaseStarted]:
        if claim.effects:
            digest = claim.effects[0]
        else:
            materials = [
                RequestedMaterial(
                    Commitment(bytes.fromhex(each.commitment)),
                    tuple(sorted(set(each.fields))),
                    tuple(sorted(set(each.documents))),
                )
                for each in body.materials
            ]
            grant_id = GrantId(bytes.fromhex(body.grant_id))
            digest = prepare_release(node, grant_id, materials, officer, claim.link)
        return 202, ReleaseStarted(release_id=digest.hex(), state="prepared")

    return do_once(node, principal, "releases", key, body, act)


@router.get("", summary="放行列表 · List releases")
def list_releases(
    principal: Reader, runtime: RuntimeDep, limit: Limit = 50, cursor: Cursor = ""
) -> ReleasePage:
    """Releases to this city, newest first."""
    del principal
    node = runtime.node
    before = PAGES.parse(node, cursor)
    with node.database.read() as tx:
        rows = tx.paging.page_releases(INCOMING, before, limit + 1)
    return ReleasePage(
        items=[describe_release(row) for row in rows[:limit]],
        next=PAGES.next_of(
            node, rows, limit, lambda row: mark_at(row.created_at, row.request_digest)
        ),
    )


@router.get("/{release_id}", summary="一次放行 · One release")
def read_release(release_id: Hash, principal: Reader, runtime: RuntimeDep) -> ReleaseLine:
    """How far a release is."""
    del principal
    return describe_release(load_incoming(runtime.node, bytes.fromhex(release_id)))


@router.get("/{release_id}/materials", summary="放行的材料 · What came")
def read_released_materials(
    release_id: Hash, principal: Reader, runtime: RuntimeDep
) -> ReleasedMaterials:
    """The disclosed fields, verified again; the reading is written to the access trail."""
    node = runtime.node
    row = load_incoming(node, bytes.fromhex(release_id))
    materials = open_release(node, row).materials
    log_access(node, principal, TrailAction.READ, "release", release_id)
    return ReleasedMaterials(
        release_id=release_id, items=[describe_received(each) for each in materials]
    )


@router.get(
    "/{release_id}/materials/{commitment}/documents/{index}",
    response_class=Response,
    summary="放行的文件 · A document that came",
)
def read_released_document(
    release_id: Hash,
    commitment: Hash,
    index: Index,
    principal: Viewer,
    runtime: RuntimeDep,
) -> Response:
    """The document's exact bytes as an attachment, after its digest was checked."""
    node, target = runtime.node, runtime.uploads.name_scratch()
    try:
        wanted = Commitment(bytes.fromhex(commitment))
        open_document(node, bytes.fromhex(release_id), wanted, index, target)
        log_access(node, principal, TrailAction.VIEW, "release", release_id)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return attach_file(target, f"release-{release_id[:16]}-{index}.bin")


def describe_release(row: ReleaseRow) -> ReleaseLine:
    """A release as lists show it."""
    return ReleaseLine(
        release_id=row.request_digest.hex(),
        city=row.city,
        grant_id=row.grant_id.hex(),
        state=str(row.state),
        problem_code=row.problem_code,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def describe_received(each: ReceivedMaterial) -> ReleasedMaterialOut:
    """A material that came."""
    return ReleasedMaterialOut(
        commitment=each.material.commitment.hex(),
        type_code=each.showing.statement_type.code,
        values={
            name: plain(value)
            for name, value in each.showing.values.items()
            if not name.startswith("document.")
        },
        documents=[
            ReleasedDocumentOut(
                index=document.document.index,
                sha256=document.part.digest.hex(),
                media_type=document.part.media_type,
                size_bytes=document.part.size_bytes,
            )
            for document in each.documents
        ],
    )
