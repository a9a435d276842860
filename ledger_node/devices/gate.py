"""The door of the bridge: which requests reach a handler at all.

Any page a person has open can send requests to the loopback, and a name that an attacker's server
resolves to 127.0.0.1 makes its page same-origin (DNS rebinding). So: `Host` is the bridge's own
address and nothing else; commands need an `Origin` of the settings, exactly; everything that
changes something needs `application/json`, which forces a preflight; preflights, Private Network
Access ones too, are answered for those origins only. The bridge's own page answers to itself alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger_node.devices.errors import (
    CommandMalformedError,
    CommandTooLargeError,
    DeviceError,
    HostRefusedError,
    OriginRefusedError,
)

COMMANDS: Final = "/v1/"
MAX_BODY_BYTES: Final = 1024 * 1024
MAX_SLIP_BODY_BYTES: Final = 6 * 1024 * 1024
SLIP_PATH: Final = "/v1/print-slip"
FIXED: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; style-src 'self'; form-action 'self'"),
    (b"vary", b"Origin"),
)


def encode_error(error: DeviceError) -> bytes:
    """The body of a refusal."""
    body: dict[str, object] = {"code": error.code, "zh": error.zh, "en": error.en}
    reason = getattr(error, "reason", None)
    if reason:
        body["reason"] = reason
    if error.retry_after_s is not None:
        body["retry_after_s"] = error.retry_after_s
    return json.dumps({"error": body}, ensure_ascii=False).encode()


class Gate:
    """Wraps the application.

    Args:
        hosts: Values of `Host` that are the bridge's own.
        origins: Pages that may use it.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self._app = app
        self._hosts, self._origins = frozenset(hosts), frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _single(scope)
        origin = headers.get("origin", "")
        allowed = origin in self._origins
        try:
            self._demand(scope, headers, allowed)
        except DeviceError as error:
            await _refuse(send, error, _cors(origin) if allowed else ())
            return
        if scope["method"] == "OPTIONS":
            await _answer(send, 204, (*_cors(origin), *_preflight(headers)), b"")
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = _cors(origin) if allowed else ()
                message["headers"] = [*message.get("headers", []), *FIXED, *extra]
            await send(message)

        await self._app(scope, receive, add)

    def _demand(self, scope: Scope, headers: Mapping[str, str], allowed: bool) -> None:
        if headers.get("host") not in self._hosts:
            raise HostRefusedError
        if not scope["path"].startswith(COMMANDS):
            self._demand_own(scope, headers)
            return
        if not allowed:
            raise OriginRefusedError
        if scope["method"] == "POST":
            _demand_body(scope["path"], headers)

    def _demand_own(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """The bridge's own page: opened by hand, or by itself."""
        own = {f"http://{host}" for host in self._hosts}
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            raise OriginRefusedError
        if headers.get("origin", next(iter(own))) not in own or scope["method"] == "OPTIONS":
            raise OriginRefusedError
        if scope["method"] == "POST" and int(_length(headers)) > MAX_BODY_BYTES:
            raise CommandTooLargeError


def _single(scope: Scope) -> dict[str, str]:
    """Headers by name; one sent twice has no value that could be allowed."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        found[name] = "\0twice" if name in found else raw_value.decode("latin-1")
    return found


def _demand_body(path: str, headers: Mapping[str, str]) -> None:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise CommandMalformedError
    limit = MAX_SLIP_BODY_BYTES if path == SLIP_PATH else MAX_BODY_BYTES
    if int(_length(headers)) > limit:
        raise CommandTooLargeError


def _length(headers: Mapping[str, str]) -> str:
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or len(length) > 12:
        raise CommandMalformedError  # also bodies without a length
    return length


def _cors(origin: str) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"access-control-allow-origin", origin.encode("latin-1")),)


def _preflight(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    answer = [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"authorization, content-type"),
        (b"access-control-max-age", b"600"),
    ]
    if headers.get("access-control-request-private-network") == "true":
        answer.append((b"access-control-allow-private-network", b"true"))
    return tuple(answer)


async def _refuse(send: Send, error: DeviceError, extra: Sequence[tuple[bytes, bytes]]) -> None:
    kind = (b"content-type", b"application/json")
    await _answer(send, error.status, (kind, *extra), encode_error(error))


async def _answer(
    send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [length, *FIXED, *headers]}
    )
    await send({"type": "http.response.body", "body": body})
