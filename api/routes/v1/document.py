"""The OpenAPI document of this node, for whoever writes a program against it."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from api.access import public
from api.routes.v1.base import NOT_MODIFIED, PREFIX, V1Route, answer_tagged

router = APIRouter(prefix=PREFIX, tags=["health"], route_class=V1Route)


@router.get(
    "/openapi.json",
    dependencies=[public()],
    response_model=dict[str, Any],
    responses=NOT_MODIFIED,
    summary="接口说明 · This document",
)
def read_document(request: Request) -> Response:
    """OpenAPI 3.1."""
    return answer_tagged(request, json.dumps(request.app.openapi(), ensure_ascii=False).encode())
