"""The OpenAPI document: what the routes declare, and what every answer has in common.

Problems, security and the header `X-Request-Id` are the same rules for all operations, so they are
added here from the routes' marks and shapes, not repeated at each route. Written to
docs/openapi.json by scripts/export_openapi.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.access import COOKIE, Allow, Peer, list_marks, walk_routes
from api.problems import MEDIA_TYPE
from api.request_ids import HEADER
from api.schemas.common import Problem

OPENAPI_VERSION: Final = "3.1.0"
TITLE: Final = "通办账本节点 · Tongban node"
DESCRIPTION: Final = (
    "材料登记一次，处处可验，凭授权放行。A materials ledger for cities: registered once, checkable "
    "everywhere, released only with a permit. Conventions: docs/spec/api.md."
)
TAGS: Final = {
    "materials": "材料 · Materials this city registered",
    "documents": "文件上传 · Documents on their way to a material",
    "finds": "查询 · What other cities have",
    "grants": "授权 · Grants",
    "revocations": "撤回 · Revocations",
    "releases": "放行 · Releases to this city",
    "decisions": "采信 · Decisions that rely on a release",
    "receipts": "凭证 · Reliance receipts",
    "verifications": "核验 · Receipts somebody brings",
    "members": "成员 · Member cities",
    "audit": "审计 · State and events of the ledger",
    "log": "日志 · The public log (C2SP tlog-tiles)",
    "peer": "城际消息 · Signed messages of member cities (docs/spec/messages.md)",
    "systems": "对接系统 · Case systems",
    "health": "运行 · Is the node up",
}
DETAILS: Final = {
    401: "未登录 · Nobody is signed in, or the signature does not hold",
    403: "无权 · Not permitted",
    404: "没有 · Not here, or not for who asks",
    409: "冲突 · The order of events forbids it",
    413: "过大 · Too large",
    415: "类型不符 · Another media type is wanted",
    422: "不合格 · The request, or evidence in it, does not hold",
    429: "过于频繁 · Too many requests",
    500: "内部错误 · Our own promise is broken",
    503: "暂不可用 · Try again later",
}
RETRIED: Final = (409, 429, 503)
METHODS: Final = ("get", "put", "post", "delete", "patch")
SECURITY: Final[dict[str, Any]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "浏览器会话；改动另须 X-CSRF-Token 与 Origin。A browser's session; changes "
        "also need X-CSRF-Token and Origin.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "系统账号 · Machine accounts"},
    "message": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "RFC 9421 · docs/spec/messages.md",
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of an application; hidden routes are not in it."""
    document = get_openapi(
        title=TITLE,
        version="1",
        openapi_version=OPENAPI_VERSION,
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = SECURITY
    components["responses"] = {f"Problem{status}": _describe_problem(status) for status in DETAILS}
    for route in walk_routes(app):
        if not isinstance(route, APIRoute):
            continue
        for method in route.methods or ():
            operation = document["paths"].get(route.path_format, {}).get(method.lower())
            if operation is not None:
                _complete(route, operation)
    return document


def _describe_problem(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if status in RETRIED:
        headers["Retry-After"] = {"schema": {"type": "integer"}, "required": False}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}, "required": False}
    return {
        "description": DETAILS[status],
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _complete(route: APIRoute, operation: dict[str, Any]) -> None:
    """Security and problems of one operation, from its route."""
    (mark,) = list_marks(route.dependant)
    closed, peer = isinstance(mark, Allow), isinstance(mark, Peer)
    operation["security"] = (
        [{"session": []}, {"bearer": []}] if closed else [{"message": []}] if peer else []
    )
    responses = operation["responses"]
    for status in _list_problems(route, operation, open_to_all=not (closed or peer)):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    validation = responses.get("422", {})
    if "HTTPValidationError" in str(validation):
        responses["422"] = {"$ref": "#/components/responses/Problem422"}
    for status, response in responses.items():
        if "$ref" not in response:
            response.setdefault("headers", {})[HEADER] = {"schema": {"type": "string"}}
            if status == "304":
                response.pop("content", None)


def _list_problems(
    route: APIRoute, operation: dict[str, Any], *, open_to_all: bool
) -> Iterator[int]:
    if not open_to_all:
        yield from (401, 403)
    if "{" in route.path or not open_to_all or "log" in operation.get("tags", ()):
        yield 404
    if "requestBody" in operation or "peer" in operation.get("tags", ()):
        yield from (409, 413, 415)
    yield from (422, 429, 500, 503)
