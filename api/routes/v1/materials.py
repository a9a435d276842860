"""Materials: registered from uploads, read, proven."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from api.access import Principal, allow
from api.routes.v1.base import (
    NOT_MODIFIED,
    PREFIX,
    Cursor,
    IdempotencyKey,
    Limit,
    MaterialPath,
    Paged,
    RuntimeDep,
    V1Route,
    answer_tagged,
    do_once,
    encode_model,
    plain,
)
from api.routes.v1.describe import describe_block
from api.schemas.materials import (
    DocumentIn,
    DocumentOut,
    MaterialIn,
    MaterialLine,
    MaterialOut,
    MaterialPage,
    MaterialRegistered,
    ProofOut,
)
from ledger_node.core.access import Permission
from ledger_node.core.entry import EntryKind
from ledger_node.core.receipt_v1 import encode_receipt_of_any_version
from ledger_node.core.statement_parts import Extent
from ledger_node.core.trail import TrailAction
from ledger_node.core.types import Digest, MaterialId
from ledger_node.flows.facts import NotYetAnchoredError, build_placement, leaf_hash_of
from ledger_node.flows.idempotency import Claim
from ledger_node.flows.intake import Registered, find_registered, register
from ledger_node.flows.materials import OpenedMaterial, load_material, write_document
from ledger_node.flows.node import Node
from ledger_node.flows.receipts import build_registration_receipt
from ledger_node.flows.submission import (
    Document,
    DocumentDigest,
    MalformedSubmissionError,
    Subject,
    Submission,
)
from ledger_node.flows.uploading import UploadUse, build_documents, settle_uploads
from ledger_node.ports.database_api import PageMark
from ledger_node.ports.database_intake import StoredMaterial
from ledger_node.wiring import Runtime

router = APIRouter(prefix=f"{PREFIX}/materials", tags=["materials"], route_class=V1Route)

Registrar = Annotated[Principal, allow(Permission.MATERIALS_REGISTER)]
Reader = Annotated[Principal, allow(Permission.MATERIALS_READ)]
Viewer = Annotated[Principal, allow(Permission.DOCUMENTS_VIEW)]
Position = Annotated[int, PathParameter(ge=0, le=1000)]
PAGES = Paged("materials")


@router.post(
    "",
    status_code=201,
    response_model=MaterialRegistered,
    summary="登记材料 · Register a material",
)
def register_material(
    body: MaterialIn, key: IdempotencyKey, principal: Registrar, runtime: RuntimeDep
) -> Response:
    """Metadata that names uploads; answered once everything is durable."""

    def act(claim: Claim) -> tuple[int, MaterialRegistered]:
        material_id = MaterialId(claim.effect_id)
        uploads = [each.upload_id for each in body.documents if each.upload_id is not None]
        done = find_registered(runtime.node, material_id) if claim.resumed else None
        if done is None:
            done = register(
                runtime.node, runtime.queue, build_submission(runtime, principal, body), material_id
            )
        settle_uploads(runtime.node, runtime.uploads, uploads, material_id)
        return 201, describe_registered(done)

    return do_once(runtime.node, principal, "materials", key, body, act)


@router.get("", summary="材料列表 · List materials")
def list_materials(
    principal: Reader, runtime: RuntimeDep, limit: Limit = 50, cursor: Cursor = ""
) -> MaterialPage:
    """What this city registered, newest first; nothing of its content."""
    del principal
    node = runtime.node
    before = PAGES.parse(node, cursor)
    with node.database.read() as tx:
        rows = tx.paging.page_materials(before, limit + 1)
    return MaterialPage(
        items=[describe_line(row) for row in rows[:limit]],
        next=PAGES.next_of(node, rows, limit, lambda row: PageMark(row.entry.entry_id)),
    )


@router.get(
    "/{material_id}",
    response_model=MaterialOut,
    responses=NOT_MODIFIED,
    summary="一份材料 · One material",
)
def read_material(
    request: Request, material_id: MaterialPath, principal: Reader, runtime: RuntimeDep
) -> Response:
    """A material with its content; the reading is written to the access trail."""
    opened = load_material(runtime.node, MaterialId(material_id))
    log_access(runtime.node, principal, TrailAction.READ, "material", material_id)
    return answer_tagged(request, encode_model(describe_material(opened)))


@router.get("/{material_id}/proof", summary="存证位置 · Proof of inclusion")
def read_proof(material_id: MaterialPath, principal: Reader, runtime: RuntimeDep) -> ProofOut:
    """Where the material's entry stands; `pending` until a final anchor covers it."""
    del principal
    node = runtime.node
    with node.database.read() as tx:
        commitment = tx.intake.load_material(MaterialId(material_id)).row.commitment
        leaf_hash = leaf_hash_of(EntryKind.MATERIAL, commitment).hex()
        try:
            placement, head = build_placement(node, tx, commitment)
        except NotYetAnchoredError:
            return ProofOut(state="pending", commitment=commitment.hex(), leaf_hash=leaf_hash)
    return ProofOut(
        state="anchored",
        commitment=commitment.hex(),
        leaf_hash=leaf_hash,
        generation=placement.generation,
        leaf_index=placement.leaf_index,
        tree_size=placement.tree_head.size,
        root=placement.tree_head.root.hex(),
        inclusion_proof=[each.hex() for each in placement.proof],
        anchor=describe_block(head.place),
    )


@router.get(
    "/{material_id}/receipt",
    response_model=dict[str, Any],
    responses=NOT_MODIFIED,
    summary="登记凭证 · Registration receipt",
)
def read_receipt(
    request: Request, material_id: MaterialPath, principal: Reader, runtime: RuntimeDep
) -> Response:
    """The receipt file as it can be given now: sealed once anchored, pending before."""
    del principal
    receipt = encode_receipt_of_any_version(
        build_registration_receipt(runtime.node, MaterialId(material_id))
    )
    name = f'attachment; filename="registration-{material_id}.json"'
    return answer_tagged(request, receipt, headers={"Content-Disposition": name})


@router.get(
    "/{material_id}/documents/{position}",
    response_class=Response,
    summary="材料文件 · A document",
)
def read_document(
    material_id: MaterialPath, position: Position, principal: Viewer, runtime: RuntimeDep
) -> Response:
    """The document's exact bytes as an attachment, after its digest was checked."""
    target = runtime.uploads.name_scratch()
    try:
        write_document(runtime.node, MaterialId(material_id), position, target)
        log_access(
            runtime.node, principal, TrailAction.VIEW, "document", f"{material_id}/{position}"
        )
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return attach_file(target, f"material-{material_id}-{position}.bin")


def log_access(
    node: Node, principal: Principal, action: TrailAction, kind: str, object_id: str
) -> None:
    """Write who read what to the trail."""
    with node.database.transaction() as tx:
        tx.trail.log_access(node.clock.now(), principal.account_id, action, kind, object_id)


def attach_file(target: Path, name: str) -> Response:
    """A file as an attachment of no type a browser would open; removed once it was sent."""
    return FileResponse(
        target,
        media_type="application/octet-stream",
        filename=name,
        headers={"Cache-Control": "private, no-store"},
        background=BackgroundTask(target.unlink, missing_ok=True),
    )


def build_submission(runtime: Runtime, principal: Principal, body: MaterialIn) -> Submission:
    """What intake takes, from what was handed in."""
    return Submission(
        type_code=body.type_code,
        subjects=tuple(Subject(s.role, s.scheme, s.number, s.name) for s in body.subjects),
        grade=body.grade,
        documents=tuple(
            _build_document(runtime, principal, position, each)
            for position, each in enumerate(body.documents)
        ),
        issuer=None if body.issuer is None else body.issuer.model_dump(),
        number=body.number,
        issued_on=body.issued_on,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        original_check=body.original_check,
        retention=body.retention,
        attributes=body.attributes,
        predecessor=None if body.predecessor is None else MaterialId(body.predecessor),
    )


def _build_document(
    runtime: Runtime, principal: Principal, position: int, each: DocumentIn
) -> Document:
    extent, concerns = Extent(each.extent), tuple(each.concerns)
    if each.upload_id is not None and each.sha256 is None:
        use = UploadUse(each.upload_id, each.pages, extent, concerns)
        return build_documents(runtime.node, runtime.uploads, principal.account_id, [use])[0]
    if each.sha256 is None or each.upload_id is not None:
        raise MalformedSubmissionError(
            f"document.{position}", "须且只须指明上传或摘要之一", "name an upload or a digest, one"
        )
    media_type = each.media_type or "application/octet-stream"
    digest = Digest(bytes.fromhex(each.sha256))
    return DocumentDigest(digest, media_type, each.size_bytes, each.pages, extent, concerns)


def describe_registered(done: Registered) -> MaterialRegistered:
    """A registration as the API answers it."""
    return MaterialRegistered(
        material_id=done.material_id,
        type_code=done.type_code,
        commitment=done.commitment.hex(),
        registered_at=done.registered_at,
        predecessor=done.predecessor,
    )


def describe_line(stored: StoredMaterial) -> MaterialLine:
    """A material without its content."""
    row = stored.row
    return MaterialLine(
        material_id=row.material_id,
        type_code=row.type_code,
        type_version=row.type_version,
        grade=row.grade,
        state=stored.state,
        commitment=row.commitment.hex(),
        registered_at=row.registered_at,
        leaf_index=stored.entry.leaf_index,
        predecessor=row.predecessor,
        successor=stored.successor,
    )


def describe_material(opened: OpenedMaterial) -> MaterialOut:
    """A material with its content."""
    documents = [
        DocumentOut(
            position=row.position,
            sha256=part.digest.hex(),
            media_type=part.media_type,
            size_bytes=part.size_bytes,
            pages=part.pages,
            extent=part.extent.value,
            concerns=list(part.concerns),
            held=row.address is not None,
        )
        for row, part in zip(opened.stored.row.documents, opened.parts, strict=True)
    ]
    values = {name: plain(value) for name, value in opened.values.values.items()}
    line = describe_line(opened.stored).model_dump()
    return MaterialOut(**line, values=values, documents=documents)
