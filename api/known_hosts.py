"""Only the node's own names are answered: a page under another name is somebody else's page.

A browser that was led to this node under a stranger's name (DNS rebinding, a forgotten proxy) would
show public pages, and links in them, as the stranger's. Own names are those of `public_url` and of
`url`, at which members reach the node, and this machine's own names at any port.

Not here: messages between members. What they were signed for is compared with the node's own
registered address, and no header is believed (`api/routes/peer.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger_node.core.errors import MalformedInputError
from ledger_node.wiring import Runtime

SIGNED: Final = "/peer/"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class UnknownHostError(MalformedInputError):
    """The request names a host that this node is not."""

    code = "unknown_host"

    def __init__(self) -> None:
        super().__init__(
            "这个地址不属于本市节点。请从本市公布的网址进入。",
            "This node does not go by that name; use the address the city published.",
        )


class KnownHosts:
    """Refuses what is meant for another host, before any route."""

    def __init__(
        self, app: ASGIApp, runtime: Runtime, respond: Callable[[Request, BaseException], Response]
    ) -> None:
        self._app = app
        self._names = list_names(runtime.settings.origin, runtime.settings.url)
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        signed = scope["type"] == "http" and scope["path"].startswith(SIGNED)
        if scope["type"] == "http" and not signed and not self.is_known(Headers(scope=scope)):
            await self._respond(Request(scope), UnknownHostError())(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def is_known(self, headers: Headers) -> bool:
        """Whether exactly one host is named, and it is this node."""
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return False
        host = hosts[0].lower()
        return host in self._names or is_loopback(host)


def list_names(*urls: str) -> frozenset[str]:
    """Hosts of addresses as browsers write them: a default port may be left out."""
    names = set()
    for url in urls:
        parts = urlsplit(url.lower())
        default = DEFAULT_PORTS.get(parts.scheme, "")
        names.add(parts.netloc)
        names.add(parts.netloc + default if parts.port is None else parts.netloc)
        names.add(parts.netloc.removesuffix(default))
    return frozenset(names - {""})


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, at whatever port."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname in LOOPBACK and (parts.port or 0) >= 0 and "@" not in host
    except ValueError:
        return False
