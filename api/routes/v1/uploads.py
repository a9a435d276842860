"""Uploads: a slot, then its bytes, streamed to disk and never half there."""

from __future__ import annotations

import base64
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from api.access import Principal, allow
from api.deps import get_runtime
from api.routes.v1.base import (
    PREFIX,
    IdempotencyKey,
    MediaTypeUnsupportedError,
    RuntimeDep,
    UploadPath,
    V1Route,
    do_once,
)
from api.schemas.uploads import Slot, SlotRequest
from ledger_node.core.access import Permission
from ledger_node.core.errors import MalformedInputError
from ledger_node.flows.idempotency import Claim
from ledger_node.flows.inspecting import inspect_document
from ledger_node.flows.uploading import (
    Intake,
    UploadTooLargeError,
    keep_upload,
    load_slot,
    open_slot,
)
from ledger_node.ports.database_api import UploadRow
from ledger_node.wiring import Runtime

router = APIRouter(prefix=f"{PREFIX}/uploads", tags=["documents"], route_class=V1Route)

Registrar = Annotated[Principal, allow(Permission.MATERIALS_REGISTER)]
STREAM: Final = "application/octet-stream"
WRITTEN_AT_ONCE: Final = 256 * 1024
RAW_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {STREAM: {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ContentDigestMalformedError(MalformedInputError):
    """`Content-Digest` holds no SHA-256 as RFC 9530 writes it."""

    code = "content_digest_malformed"

    def __init__(self) -> None:
        super().__init__(
            "Content-Digest 须含 sha-256=:…:（RFC 9530）。",
            "Content-Digest has to hold sha-256=:…: (RFC 9530).",
            field="Content-Digest",
        )


def describe_slot(row: UploadRow, digest: bytes | None = None) -> Slot:
    """A slot as the API shows it."""
    return Slot.model_validate(
        {
            "upload_id": row.upload_id,
            "state": row.state,
            "media_type": row.media_type,
            "size_bytes": row.size_bytes,
            "sha256": None if digest is None else digest.hex(),
            "material_id": row.material_id,
            "expires_at": row.expires_at,
        }
    )


@router.post(
    "", status_code=201, response_model=Slot, summary="开一个上传位置 · Open an upload slot"
)
def create_upload(
    body: SlotRequest, key: IdempotencyKey, principal: Registrar, runtime: RuntimeDep
) -> Response:
    """A slot for one document; it and its bytes are gone after an hour without a material."""

    def act(claim: Claim) -> tuple[int, Slot]:
        row = open_slot(runtime.node, principal.account_id, body.media_type, claim.effect_id)
        return 201, describe_slot(row)

    return do_once(runtime.node, principal, "uploads", key, body, act)


@router.get("/{upload_id}", summary="查看上传位置 · Read an upload slot")
def read_upload(upload_id: UploadPath, principal: Registrar, runtime: RuntimeDep) -> Slot:
    """State of a slot of this account."""
    return describe_slot(load_slot(runtime.node, principal.account_id, upload_id))


@router.put("/{upload_id}", openapi_extra=RAW_BODY, summary="上传文件字节 · Send the bytes")
async def fill_upload(
    request: Request,
    upload_id: UploadPath,
    principal: Registrar,
    content_digest: Annotated[
        str | None, Header(description="RFC 9530; `sha-256=:<base64>:` is checked")
    ] = None,
    content_length: Annotated[int | None, Header(ge=0)] = None,
) -> Slot:
    """The document itself, as it is. The same bytes again are the same upload; nothing half-sent,
    of another digest or too large is kept."""
    runtime = get_runtime(request)
    if request.headers.get("content-type", STREAM).partition(";")[0].strip().lower() != STREAM:
        raise MediaTypeUnsupportedError(STREAM)
    promised = None if content_digest is None else parse_content_digest(content_digest)
    limit = runtime.settings.max_document_bytes
    if content_length is not None and content_length > limit:
        raise UploadTooLargeError(limit)
    row = await run_in_threadpool(load_slot, runtime.node, principal.account_id, upload_id)
    return await _receive(request, runtime, row, promised)


async def _receive(
    request: Request, runtime: Runtime, row: UploadRow, promised: bytes | None
) -> Slot:
    store = runtime.uploads
    sink = await run_in_threadpool(store.open_sink)
    try:
        taken = Intake(sink, runtime.settings.max_document_bytes)
        waiting = bytearray()
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= WRITTEN_AT_ONCE:
                await run_in_threadpool(taken.take, bytes(waiting))
                waiting.clear()
        if waiting:
            await run_in_threadpool(taken.take, bytes(waiting))
        inspect = partial(inspect_document, runtime.inspector)
        kept = await run_in_threadpool(
            keep_upload, runtime.node, store, row, sink, taken, promised, inspect
        )
        return describe_slot(kept.row, kept.digest)
    finally:
        sink.discard()


def parse_content_digest(text: str) -> bytes:
    """SHA-256 of a `Content-Digest` field.

    Raises:
        ContentDigestMalformedError: It holds none, or not 32 bytes.
    """
    for member in text.split(","):
        name, _, value = member.strip().partition("=")
        if name.lower() == "sha-256" and len(value) > 2 and value[0] == value[-1] == ":":
            try:
                digest = base64.b64decode(value[1:-1], validate=True)
            except ValueError as error:
                raise ContentDigestMalformedError from error
            if len(digest) == 32:
                return digest
    raise ContentDigestMalformedError
