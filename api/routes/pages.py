"""The start page, the static files of all pages, and how this browser wants to read.

Everything here is public: it shows nothing of anybody.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from api.access import Principal, find_principal, public
from api.pages.assets import find_asset
from api.pages.language import LANGUAGE_COOKIE, LANGUAGES, SIZE_COOKIE, SIZES
from api.pages.navigation import list_links
from api.pages.render import page

router = APIRouter(tags=["pages"], include_in_schema=False)

YEAR_S = 31_536_000
IMMUTABLE = {"Cache-Control": f"public, max-age={YEAR_S}, immutable"}
FRESH = {"Cache-Control": "no-cache"}


@router.get("/", response_class=HTMLResponse)
def read_start(
    request: Request, principal: Annotated[Principal | None, find_principal()]
) -> Response:
    """Where a person may go; whoever has one area only is taken there."""
    links = list_links(principal)
    if len(links) == 1:
        return RedirectResponse(links[0].path, 303)
    return page(request, principal, "start.html")


@router.get("/static/{name:path}", dependencies=[public()])
def read_asset(name: str, v: str = "") -> Response:
    """A file of the pages; kept for ever under an address that names its content."""
    asset = find_asset(name)
    headers = IMMUTABLE if v == asset.digest else FRESH
    return FileResponse(asset.path, headers=headers, media_type=asset.media_type)


@router.post("/preferences", dependencies=[public()])
def save_preferences(
    language: Annotated[str, Form()] = "",
    size: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Keep language or size in this browser and go back to the page."""
    response = RedirectResponse(next if is_own_path(next) else "/", 303)
    for cookie, value, known in (
        (LANGUAGE_COOKIE, language, LANGUAGES),
        (SIZE_COOKIE, size, SIZES),
    ):
        if value in known:
            response.set_cookie(cookie, value, max_age=YEAR_S, httponly=True, samesite="lax")
    return response


def is_own_path(path: str) -> bool:
    """Whether an address is a path of this node and leads nowhere else."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
