"""Other cities' logs as this city mirrors them, and its cosignatures. Public.

Spec: C2SP tlog-mirror, tlog-tiles; docs/spec/mirror.md. A log stands under the hash of its origin.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from api.access import public
from api.deps import get_runtime
from api.routes.log import FRESH, IMMUTABLE
from ledger_node.flows.mirror_files import read_mirrored_checkpoint, read_mirrored_tile
from ledger_node.flows.witnessing import encode_cosigned
from ledger_node.wiring import Runtime

router = APIRouter(prefix="/mirror", tags=["mirror"], dependencies=[public()])

RuntimeDep = Annotated[Runtime, Depends(get_runtime)]
OriginHash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.get("/checkpoints", response_class=Response)
def list_cosigned(runtime: RuntimeDep) -> Response:
    """Newest cosigned checkpoint of every log mirrored here, and the newest signed ones seen."""
    return Response(encode_cosigned(runtime.node), media_type="application/json", headers=FRESH)


@router.get("/{origin_hash}/checkpoint", response_class=Response)
def read_checkpoint(origin_hash: OriginHash, runtime: RuntimeDep) -> Response:
    """Checkpoint of the largest head mirrored here, with this city's cosignature."""
    note = read_mirrored_checkpoint(runtime.node, origin_hash)
    return Response(note, media_type="text/plain; charset=utf-8", headers=FRESH)


@router.get("/{origin_hash}/tile/{path:path}", response_class=Response)
def read_tile(origin_hash: OriginHash, path: str, runtime: RuntimeDep) -> Response:
    """A hash tile or entry bundle of a mirrored log, full or partial."""
    data = read_mirrored_tile(runtime.node, origin_hash, f"tile/{path}")
    return Response(data, media_type="application/octet-stream", headers=IMMUTABLE)
