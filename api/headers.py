"""Headers of every answer: what a browser may do with it. Nothing inline, nothing from elsewhere.

A route that is shown inside another system's page sets `request.state.frame_ancestors` to that
system's configured origin; all others are never framed.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger_node.wiring import Runtime

FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # with no-referrer a form's Origin would be "null"
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class SecurityHeaders:
    """Adds the headers to every HTTP answer, refusals included."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._bridge = runtime.settings.device_bridge_url
        # a form may end at a provider: the browser asks for leave for the redirect, too
        self._issuers = tuple(
            "/".join(provider.issuer.split("/")[:3])
            for provider in runtime.settings.identity_providers
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                framed_by = scope.get("state", {}).get("frame_ancestors", "'none'")
                policy = build_policy(self._bridge, framed_by, self._issuers)
                extra = [*FIXED, (b"content-security-policy", policy.encode("ascii"))]
                if framed_by == "'none'":
                    extra.append((b"x-frame-options", b"DENY"))
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        await self._app(scope, receive, add)


def build_policy(bridge: str, framed_by: str, issuers: tuple[str, ...] = ()) -> str:
    """Content Security Policy of a page; `bridge` is the device bridge of the same machine,
    `issuers` are the origins of identity providers."""
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self' {bridge}",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            " ".join(("form-action 'self'", *issuers)),
            f"frame-ancestors {framed_by}",
        )
    )
