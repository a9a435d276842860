"""The HTTP application of one node: public log, signed peer routes, health.

Errors become problem+json here and nowhere else; an exception that is not ours is logged by its
type, never by its content, and answered with 500 without detail.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import openapi
from api.access import NotSignedInError, demand_marks
from api.headers import SecurityHeaders
from api.known_hosts import KnownHosts
from api.pages.errors import error_page, is_htmx, wants_page
from api.problems import MEDIA_TYPE, build_problem
from api.request_ids import RequestIds, find_request_id
from api.routes import (
    account,
    admin,
    audit,
    audit_items,
    audit_replays,
    cases,
    consent,
    devices,
    health,
    log,
    me,
    me_provider,
    mirror,
    pages,
    papers,
    peer,
    revocations,
    session,
    systems,
    verify,
    window,
    window_pages,
    window_papers,
)
from api.routes.v1 import (
    decisions,
    document,
    finds,
    grants,
    ledger,
    materials,
    releases,
    uploads,
    verifications,
)
from ledger_node.core.errors import LedgerError, MalformedInputError, NotFoundError
from ledger_node.wiring import Runtime

MODULES = (
    health,
    log,
    mirror,
    peer,
    session,
    account,
    admin,
    pages,
    audit,
    audit_items,
    audit_replays,
    verify,
    window,
    window_pages,
    window_papers,
    consent,
    me,
    me_provider,
    revocations,
    devices,
    systems,
    papers,
    cases,
)
V1_MODULES: Final = (
    materials,
    uploads,
    grants,
    finds,
    releases,
    decisions,
    verifications,
    ledger,
    document,
)


class RouteNotFoundError(NotFoundError):
    """There is no such route."""

    code = "route_not_found"


class RequestMalformedError(MalformedInputError):
    """Path or query of a request are not acceptable."""

    code = "request_malformed"


class MethodNotAllowedError(MalformedInputError):
    """The address is there, but not for this method."""

    code = "method_not_allowed"


def _respond(request: Request, error: BaseException, status: int | None = None) -> Response:
    log_problem(request, error)
    if wants_page(request) and not request.url.path.startswith("/api/"):
        if isinstance(error, NotSignedInError):
            return _send_to_login(request)
        return error_page(request, error, status)
    status, body, headers = build_problem(error, status, find_request_id(request))
    return Response(body, status, headers, media_type=MEDIA_TYPE)


def _send_to_login(request: Request) -> Response:
    """To the sign-in page, and back afterwards; a part of an open page takes the page there."""
    to = f"/login?next={quote(_find_open_page(request))}"
    if is_htmx(request):
        return Response(status_code=401, headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)


def _find_open_page(request: Request) -> str:
    """Path of the page the person looks at: parts and forms have addresses nobody can open."""
    if is_htmx(request):
        return urlsplit(request.headers.get("hx-current-url", "")).path or "/"
    if request.method in ("GET", "HEAD"):
        return request.url.path
    return urlsplit(request.headers.get("referer", "")).path or "/"


def log_problem(request: Request, error: BaseException) -> None:
    """One line per refusal: route pattern and code, never a path, body or message."""
    route = request.scope.get("route")
    code = error.code if isinstance(error, LedgerError) else type(error).__name__
    structlog.get_logger().warning("request_refused", route=getattr(route, "path", "-"), code=code)


async def on_ledger_error(request: Request, error: Exception) -> Response:
    """Errors of ours that a route did not answer itself."""
    return _respond(request, error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Refusals of the framework, in our form; what it could not read at all is malformed."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return _respond(request, RouteNotFoundError("没有这个地址。", "There is no such route."))
    if status == 405:
        refusal = MethodNotAllowedError("请求方法不被接受。", "The method is not accepted here.")
        response = _respond(request, refusal)
        response.headers.update(getattr(error, "headers", None) or {})
        return response
    return _respond(
        request, RequestMalformedError("请求内容无法读取。", "The request cannot be read.")
    )


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """Path or query that do not parse; the values are not repeated."""
    del error
    return _respond(
        request, RequestMalformedError("请求参数不合格。", "The request's parameters are wrong.")
    )


class ContainErrors:
    """What no handler answered becomes a bare 500 here, before the server would log its message.

    An answer that has begun is cut off: its length or its signed digest tells the receiver.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:  # noqa: BLE001 (the last one: nothing may pass with its message)
            response = _respond(Request(scope), error)
            if not begun:
                await response(scope, receive, send)


def build_app(runtime: Runtime) -> FastAPI:
    """The application that serves `runtime`."""
    app = FastAPI(
        title="Tongban node", version="1", docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.runtime = runtime
    app.state.log_problem = log_problem
    app.state.on_assertion = me_provider.take_assertion
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    for module in (*MODULES, *V1_MODULES):
        app.include_router(module.router)
    app.add_exception_handler(LedgerError, on_ledger_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_middleware(ContainErrors)
    app.add_middleware(KnownHosts, runtime=runtime, respond=_respond)
    app.add_middleware(SecurityHeaders, runtime=runtime)
    app.add_middleware(RequestIds, runtime=runtime)
    demand_marks(app)
    return app
