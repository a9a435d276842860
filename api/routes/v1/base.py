"""What the routes of the API share: order of checks, limits, keys, pages, answers.

Order for every request: who asks -> whether they may ask at all -> how often they asked -> kind and
size of the body -> the route's own permission -> the body's form -> the flow.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.access import Allow, NotSignedInError, Principal, list_marks, resolve_principal
from api.deps import get_runtime
from api.rate_limits import PerMinute, RateLimits
from ledger_node.core.canonical import JsonValue, encode_canonical
from ledger_node.core.errors import MalformedInputError, NotPermittedError
from ledger_node.flows.idempotency import Answer, Claim, KeyScope, run_once
from ledger_node.flows.node import Node
from ledger_node.ports.database_api import PageMark
from ledger_node.wiring import Runtime

PREFIX: Final = "/api/v1"
MAX_JSON_BYTES: Final = 1024 * 1024
MAX_PAGE: Final = 200
JSON: Final = "application/json"
_CURSOR_SCHEME: Final = "api-cursor"
_TAG_BYTES: Final = 16

RuntimeDep = Annotated[Runtime, Depends(get_runtime)]
Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="32 bytes, lower-case hex")]
MaterialPath = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="Lower-case UUID",
        alias="material_id",
    ),
]
UploadPath = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="Lower-case UUID",
        alias="upload_id",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Rows of a page")]
Cursor = Annotated[
    str, Query(max_length=400, description="`next` of the page before; empty for the first page")
]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._~-]{8,64}$",
        description="Chosen by the caller; the same key and body are done once in 24 hours",
    ),
]
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "未变 · Not changed since the tag in If-None-Match"}
}
RowT = TypeVar("RowT")
ModelT = TypeVar("ModelT", bound=BaseModel)


class RequestTooLargeError(MalformedInputError):
    """The body of a request is larger than the API takes; files go into upload slots."""

    code = "request_too_large"

    def __init__(self) -> None:
        super().__init__(
            "请求内容超过 1 MiB。文件请走上传接口。",
            "The body exceeds 1 MiB; files go into upload slots.",
        )


class MediaTypeUnsupportedError(MalformedInputError):
    """The body is not of the media type this route takes."""

    code = "media_type_unsupported"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"请求内容须为 {wanted}。", f"The body has to be {wanted}.", wanted=wanted)


class CursorMalformedError(MalformedInputError):
    """The cursor was not given out by this city for this list."""

    code = "page_cursor_malformed"

    def __init__(self) -> None:
        super().__init__(
            "翻页标记不是本市为该列表发出的，请从第一页重新开始。",
            "The cursor was not given out here for this list; begin with the first page.",
            field="cursor",
        )


class NotAnOfficerError(NotPermittedError):
    """The account has no officer's key; what is asked for carries an officer's name."""

    code = "not_an_officer"

    def __init__(self) -> None:
        super().__init__(
            "您的账号没有登记经办人，不能办理此事。请联系管理员。",
            "Your account has no enrolled officer; ask your administrator.",
        )


class V1Route(APIRoute):
    """A route of the API; see the order of checks above."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the checks."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            principal = await resolve_principal(request)
            closed = any(isinstance(mark, Allow) for mark in list_marks(self.dependant))
            account = None if principal is None else principal.account_id
            address = "-" if request.client is None else request.client.host
            get_limits(request).count(account, address)
            if closed and principal is None:
                raise NotSignedInError
            if self.body_field is not None:
                await _take_json(request)
            return await handle(request)

        return checked


def get_limits(request: Request) -> RateLimits:
    """Counters of this application, from the node's settings."""
    state = request.app.state
    if not hasattr(state, "rate_limits"):
        settings = get_runtime(request).settings
        state.rate_limits = RateLimits(
            PerMinute(
                settings.api_requests_per_account_per_minute,
                settings.api_requests_per_address_per_minute,
                settings.api_requests_per_minute,
            )
        )
    limits: RateLimits = state.rate_limits
    return limits


async def _take_json(request: Request) -> None:
    """Read the body, at most so much of it; the framework finds it kept on the request."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_JSON_BYTES:
            raise RequestTooLargeError
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if received and media_type != JSON:
        raise MediaTypeUnsupportedError(JSON)
    request._body = bytes(received)


def demand_officer(principal: Principal) -> str:
    """Pseudonymous officer id of who asks.

    Raises:
        NotAnOfficerError: None.
    """
    if principal.officer is None:
        raise NotAnOfficerError
    return principal.officer


def do_once(
    node: Node,
    principal: Principal,
    route: str,
    key: str,
    body: BaseModel,
    act: Callable[[Claim], tuple[int, BaseModel]],
) -> Response:
    """Do a change once per key; the stored answer, or the one made now."""

    def encode(claim: Claim) -> Answer:
        status, model = act(claim)
        return Answer(status, encode_model(model))

    request = encode_canonical(body.model_dump(mode="json"))
    answer = run_once(node, KeyScope(principal.account_id, route, key, request), encode)
    return Response(answer.body, answer.status, media_type=JSON)


def encode_model(model: BaseModel) -> bytes:
    """JSON bytes of an answer."""
    return model.model_dump_json().encode()


def answer_tagged(
    request: Request, body: bytes, media_type: str = JSON, headers: dict[str, str] | None = None
) -> Response:
    """An answer with an entity tag; 304 without a body when the caller has it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    extra = {"ETag": tag, "Cache-Control": "private, no-cache", **(headers or {})}
    known = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=extra)
    return Response(body, 200, extra, media_type)


@dataclass(frozen=True, slots=True)
class Paged:
    """How one list is paged: its name, and the mark of a row."""

    name: str

    def parse(self, node: Node, cursor: str) -> PageMark | None:
        """The place a cursor names.

        Raises:
            CursorMalformedError: Not given out here for this list.
        """
        if not cursor:
            return None
        try:
            raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
            payload, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
            if not hmac.compare_digest(tag, self._tag(node, payload)):
                raise CursorMalformedError
            at, row_id = json.loads(payload)
            return PageMark(at, bytes.fromhex(row_id))
        except (binascii.Error, ValueError, TypeError) as error:
            raise CursorMalformedError from error

    def encode(self, node: Node, mark: PageMark) -> str:
        """A cursor: place and tag, opaque to callers."""
        payload = json.dumps([mark.at, mark.row_id.hex()], separators=(",", ":")).encode()
        return base64.b64encode(payload + self._tag(node, payload), altchars=b"-_").decode()

    def next_of(
        self, node: Node, rows: Sequence[RowT], limit: int, mark_of: Callable[[RowT], PageMark]
    ) -> str | None:
        """Cursor of the page after `rows`, which were asked for with one row more than `limit`."""
        if len(rows) <= limit:
            return None
        return self.encode(node, mark_of(rows[limit - 1]))

    def _tag(self, node: Node, payload: bytes) -> bytes:
        name = f"{_CURSOR_SCHEME}/{self.name}"
        return node.keys.compute_index_tag(name, payload.decode("latin-1"))[:_TAG_BYTES]


def mark_at(at: datetime, row_id: bytes) -> PageMark:
    """Mark of a row that is ordered by time and id."""
    whole_s = int(at.timestamp())  # of an aware time without its fraction: exact
    return PageMark(whole_s * 1_000_000 + at.microsecond, row_id)


def plain(value: JsonValue) -> Any:
    """Canonical JSON values as pydantic takes them."""
    return json.loads(encode_canonical({"value": value}))["value"]
