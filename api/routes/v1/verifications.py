"""Verification of a brought receipt, open to all; a file alone only inside an open case."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.access import Principal, allow, public
from api.brought import read_brought
from api.deps import get_runtime
from api.routes.v1.base import (
    PREFIX,
    IdempotencyKey,
    RuntimeDep,
    V1Route,
    demand_officer,
    do_once,
)
from api.schemas.verifications import (
    FileSearchIn,
    FileSearchOut,
    FoundMaterial,
    VerificationIn,
    VerificationOut,
)
from ledger_node.core.access import Permission
from ledger_node.core.catalogue_words import Necessity
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.freshness import RULES
from ledger_node.core.types import Digest
from ledger_node.flows.idempotency import Claim
from ledger_node.flows.searching import search_by_file
from ledger_node.flows.verifying import (
    Verification,
    encode_verification,
    verify_brought_receipt,
)
from ledger_node.ports.database_intake import StoredMaterial

router = APIRouter(prefix=f"{PREFIX}/verifications", tags=["verifications"], route_class=V1Route)

Searcher = Annotated[Principal, allow(Permission.VERIFICATIONS_FILE)]
BINARY: Final = {"type": "string", "format": "binary"}
FORM_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"receipt": BINARY, "document": BINARY, "trust": BINARY},
                    "required": ["receipt"],
                }
            }
        },
    }
}


class Base64MalformedError(MalformedInputError):
    """A member that carries bytes is not canonical base64."""

    code = "base64_malformed"

    def __init__(self, field: str) -> None:
        super().__init__(
            f"“{field}”不是合格的 base64。", f"{field} is not canonical base64.", field=field
        )


@router.post("", dependencies=[public()], summary="核验凭证 · Verify a receipt")
def verify(body: VerificationIn, runtime: RuntimeDep) -> VerificationOut:
    """The verdict on a receipt, with the file's digest if there is one. Nothing is stored."""
    verification = verify_brought_receipt(
        runtime.node,
        decode_bytes(body.receipt, "receipt"),
        document=None if body.sha256 is None else Digest(bytes.fromhex(body.sha256)),
        trust=None if body.trust is None else decode_bytes(body.trust, "trust"),
        rule=RULES[Necessity(body.necessity)],
    )
    return VerificationOut.model_validate(encode_verification(verification))


@router.post(
    "/file",
    dependencies=[public()],
    openapi_extra=FORM_BODY,
    summary="核验凭证与文件 · Verify a receipt with its file",
)
async def verify_with_file(request: Request) -> VerificationOut:
    """Receipt and file in one form; the file is hashed as it passes and never stored."""
    runtime = get_runtime(request)
    brought = await read_brought(request, runtime.settings.max_document_bytes)

    def judge() -> Verification:
        return verify_brought_receipt(
            runtime.node, brought.receipt, document=brought.document, trust=brought.trust
        )

    verification = await run_in_threadpool(judge)
    return VerificationOut.model_validate(encode_verification(verification))


@router.post("/search", response_model=FileSearchOut, summary="按文件查询 · Search by file")
def search(
    body: FileSearchIn, key: IdempotencyKey, principal: Searcher, runtime: RuntimeDep
) -> Response:
    """Which material carries exactly this file: only inside an open case, logged like a find."""
    demand_officer(principal)
    digest = Digest(bytes.fromhex(body.sha256))

    def act(claim: Claim) -> tuple[int, FileSearchOut]:
        found = search_by_file(runtime.node, principal.account_id, body.case_id, digest, claim)
        return 200, FileSearchOut(items=[describe_found(each) for each in found])

    return do_once(runtime.node, principal, "verifications/search", key, body, act)


def describe_found(each: StoredMaterial) -> FoundMaterial:
    """A material that carries the file."""
    return FoundMaterial(
        material_id=each.row.material_id,
        type_code=each.row.type_code,
        state=each.state,
        commitment=each.row.commitment.hex(),
    )


def decode_bytes(text: str, field: str) -> bytes:
    """Bytes of a member.

    Raises:
        Base64MalformedError: Not canonical base64.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError as error:  # not of the alphabet, or not ASCII at all
        raise Base64MalformedError(field) from error
    if base64.b64encode(decoded).decode() != text:
        raise Base64MalformedError(field)
    return decoded
