"""Endpoints and the one page of the simulated provider.

Nothing is kept in the browser: the page carries the request it answers, which is read anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import api
from ledger_node.core.commitment import frame_origin
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.sealed import Subject
from ledger_node.demo.people import RESIDENTS
from ledger_node.demo.provider.tokens import Asked, BadGrantError, Desk, read_salt

HERE: Final = Path(__file__).parent
FONT: Final = Path(api.__file__).parent / "pages" / "static" / "vendor" / "noto-sans-sc.ttf"
PARAMETERS: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "tongban_salt",
    "tongban_origin",
)
MAX_CHARS: Final = 512


class UnknownClientError(LookupError):
    """Nobody is sent to an address that was not registered."""


REFUSED: Final = (UnknownClientError, ValueError, MalformedInputError)


@dataclass(frozen=True)
class Office:
    """What the endpoints work with.

    Attributes:
        title: Name on the page.
        clients: Registered callback and shown name of each node, by client id.
    """

    title: str
    desk: Desk
    clients: Mapping[str, tuple[str, str]]


def build_provider(office: Office) -> FastAPI:
    """The application."""
    app = FastAPI(title=office.title, openapi_url=None, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["referrer-policy"] = "no-referrer"
        return response

    _add_files(app)
    _add_metadata(app, office)
    _add_authorization(app, office)
    return app


def _add_files(app: FastAPI) -> None:
    @app.get("/style.css")
    def read_style() -> FileResponse:
        return FileResponse(HERE / "templates" / "style.css", media_type="text/css")

    @app.get("/favicon.ico")
    def read_icon() -> Response:
        return Response(status_code=204)

    @app.get("/font.ttf")
    def read_font() -> FileResponse:
        return FileResponse(FONT, media_type="font/ttf")


def _add_metadata(app: FastAPI, office: Office) -> None:
    issuer = office.desk.issuer

    @app.get("/.well-known/openid-configuration")
    def read_configuration() -> dict[str, Any]:
        """OpenID Connect Discovery 1.0 section 3."""
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
        }

    @app.get("/keys")
    def read_keys() -> dict[str, Any]:
        return office.desk.read_keys()

    @app.post("/token")
    async def redeem(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if form.get("grant_type") != "authorization_code":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        try:
            token = office.desk.redeem(form)
        except BadGrantError:
            return JSONResponse({"error": "invalid_grant"}, 400)
        # no access to anything is given: the token has to be there (RFC 6749 section 5.1)
        return JSONResponse({"id_token": token, "access_token": "none", "token_type": "Bearer"})


def _add_authorization(app: FastAPI, office: Office) -> None:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )

    def show(name: str, status: int, back: str = "", **context: Any) -> HTMLResponse:
        text = environment.get_template(name).render(office=office, **context)
        to = " ".join(("'self'", *(["/".join(back.split("/")[:3])] if back else [])))
        policy = f"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action {to}"
        return HTMLResponse(text, status, {"content-security-policy": policy})

    @app.get("/")
    def read_start() -> Response:
        return show("start.html", 200, people=RESIDENTS)

    @app.get("/authorize")
    def read_page(request: Request) -> Response:
        """Who is it? One button per invented person."""
        given = _read_parameters(request.query_params)
        try:
            asked, name = _read_asked(office, given)
        except REFUSED as error:
            return show("problem.html", 400, reason=str(error))
        hidden = {key: value for key, value in given.items() if value}
        confirming = asked.salt is not None
        return show(
            "authorize.html",
            200,
            asked.redirect_uri,
            people=RESIDENTS,
            hidden=hidden,
            client=name,
            confirming=confirming,
        )

    @app.post("/authorize")
    async def answer(request: Request) -> Response:
        """Back to the node: with a code, or with the person's no."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        given = _read_parameters(form)
        try:
            asked, _ = _read_asked(office, given)
        except REFUSED as error:
            return show("problem.html", 400, reason=str(error))
        back = {"state": given["state"], "iss": office.desk.issuer}
        person = find_person(form.get("person", ""))
        if person is None:
            back["error"] = "access_denied"
        else:
            back["code"] = office.desk.issue_code(asked, person)
        return RedirectResponse(f"{asked.redirect_uri}?{urlencode(back)}", 303)


def find_person(slug: str) -> Subject | None:
    """An invented person as the provider's verified record has them."""
    for each in RESIDENTS:
        if each.slug == slug:
            return Subject(each.person.scheme, each.person.number, each.person.name)
    return None


def _read_parameters(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given.get(name, "")[:MAX_CHARS] for name in PARAMETERS}


def _read_asked(office: Office, given: Mapping[str, str]) -> tuple[Asked, str]:
    """The request, and who makes it.

    Raises:
        UnknownClientError: Client or callback are not registered.
        ValueError, MalformedInputError: The request is not one this provider answers.
    """
    callback, name = office.clients.get(given["client_id"], ("", ""))
    if not callback or given["redirect_uri"] != callback:
        raise UnknownClientError("client")
    if given["response_type"] != "code" or "openid" not in given["scope"].split():
        raise ValueError("response_type")
    if given["code_challenge_method"] != "S256" or not given["code_challenge"]:
        raise ValueError("code_challenge")
    if not given["nonce"] or not given["state"]:
        raise ValueError("nonce")
    salt = read_salt(given["tongban_salt"])
    if salt is not None and "profile" in given["scope"].split():
        raise ValueError("scope")  # a token that names a commitment names nobody
    if salt is not None:
        frame_origin(given["tongban_origin"])
    asked = Asked(
        given["client_id"],
        callback,
        given["nonce"],
        given["code_challenge"],
        salt,
        given["tongban_origin"],
    )
    return asked, name or urlsplit(callback).netloc
