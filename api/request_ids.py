"""Every request has an id: the caller's if it is one, else a new one; in the answer's header
`X-Request-Id`, in every problem, and in every log line written while the request is at work.
"""

from __future__ import annotations

import re
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from ledger_node.wiring import Runtime

HEADER: Final = "x-request-id"
NEW_BYTES: Final = 12
_ACCEPTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_RUN_OF_DIGITS = re.compile(r"[0-9]{11}")  # a number of a person or a phone is no id


def find_request_id(request: Request) -> str | None:
    """Id of a request, once the middleware gave it one."""
    return getattr(request.state, "request_id", None)


def is_acceptable(text: str) -> bool:
    """Whether a caller's id may stand in logs and answers."""
    return _ACCEPTED.fullmatch(text) is not None and _RUN_OF_DIGITS.search(text) is None


class RequestIds:
    """The outermost middleware but one: answers of all others carry the id."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    def _make(self) -> str:
        return self._runtime.node.entropy(NEW_BYTES).hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if is_acceptable(given) else self._make()
        scope.setdefault("state", {})["request_id"] = request_id

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                header = (HEADER.encode("ascii"), request_id.encode("ascii"))
                message["headers"] = [*message.get("headers", []), header]
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self._app(scope, receive, add)
