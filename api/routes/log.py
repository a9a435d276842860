"""The city's log as any C2SP client reads it: checkpoint, tiles, entry bundles. Public.

Spec: C2SP tlog-tiles. Tiles never change once written and may be cached for ever; the checkpoint
may not. The current generation stands at `/log/`, every generation also at `/log/<generation>/`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from api.access import public
from api.deps import get_runtime
from ledger_node.core.tiles import parse_tile_path
from ledger_node.ports.tiles import TileNotFoundError, TileStore
from ledger_node.wiring import Runtime

router = APIRouter(prefix="/log", tags=["log"], dependencies=[public()])

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}

Size = Annotated[int, Path(ge=0, le=2**62)]
RuntimeDep = Annotated[Runtime, Depends(get_runtime)]
Generation = Annotated[int, Path(ge=1, le=2**31)]


def _checkpoint(tiles: TileStore) -> Response:
    note = tiles.read_checkpoint()
    if note is None:
        raise TileNotFoundError("checkpoint")
    return Response(note, media_type="text/plain; charset=utf-8", headers=FRESH)


def _tile(tiles: TileStore, path: str) -> Response:
    parse_tile_path(path)  # refuses everything that is not a tile's one spelling
    return Response(tiles.read(path), media_type="application/octet-stream", headers=IMMUTABLE)


@router.get("/checkpoint", response_class=Response)
def read_checkpoint(runtime: RuntimeDep) -> Response:
    """Latest signed checkpoint (C2SP signed note); 404 before the first."""
    return _checkpoint(runtime.node.tiles)


@router.get("/tile/{path:path}", response_class=Response)
def read_tile(path: str, runtime: RuntimeDep) -> Response:
    """A hash tile or entry bundle, full or partial."""
    return _tile(runtime.node.tiles, f"tile/{path}")


@router.get("/{generation}/checkpoint", response_class=Response)
def read_generation_checkpoint(generation: Generation, runtime: RuntimeDep) -> Response:
    """Latest checkpoint of one generation."""
    return _checkpoint(runtime.open_tiles(generation))


@router.get("/{generation}/checkpoint/{size}", response_class=Response)
def read_signed_head(generation: Generation, size: Size, runtime: RuntimeDep) -> Response:
    """The signed checkpoint of exactly this size, if one was published."""
    with runtime.node.database.read() as tx:
        found = tx.log.find_checkpoint(generation, size)
    if found is None:
        raise TileNotFoundError(f"checkpoint/{size}")
    return Response(found.note, media_type="text/plain; charset=utf-8", headers=IMMUTABLE)


@router.get("/{generation}/tile/{path:path}", response_class=Response)
def read_generation_tile(generation: Generation, path: str, runtime: RuntimeDep) -> Response:
    """A tile of one generation."""
    return _tile(runtime.open_tiles(generation), f"tile/{path}")
