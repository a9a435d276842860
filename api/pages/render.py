"""Templates to answers: one environment, one set of words every template may use.

`page(request, principal, "window/case.html", {...})` renders a whole page, `fragment(...)` the part
htmx swaps in. Templates escape everything; nothing inline runs (the policy forbids it).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.pages.assets import asset_url
from api.pages.cities import name_city
from api.pages.language import read_speech
from api.pages.navigation import list_links
from ledger_node.wiring import Runtime

if TYPE_CHECKING:
    from api.access import Principal

TEMPLATES: Final = Path(__file__).parent / "templates"
NO_STORE: Final = {"Cache-Control": "no-store"}


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(
    request: Request, principal: Principal | None, template: str, context: Mapping[str, Any]
) -> str:
    """Text of a template with the words of `_words` and the given context."""
    words = _words(request, principal)
    return _environment().get_template(template).render({**words, **context})


def page(
    request: Request,
    principal: Principal | None,
    template: str,
    context: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HTMLResponse:
    """A page; never kept by caches."""
    return HTMLResponse(render(request, principal, template, context or {}), status, NO_STORE)


fragment = page
"""A part that htmx swaps into a page; its template does not extend `base.html`."""


def _words(request: Request, principal: Principal | None) -> dict[str, Any]:
    """What every template may use; one meaning each.

    t, day, moment, span, number: see `language.Speech`. asset: address of a static file.
    csrf_field, csrf_token: of this session. principal: who is signed in, or None. city_name: of
    this node. name_city: name of any city by its code. links: navigation for this principal. path:
    of this page, for the current link. bridge_url: of the device bridge of the reader's machine.
    """
    speech = read_speech(request)
    runtime: Runtime = request.app.state.runtime
    token: str = getattr(request.state, "csrf_token", "")
    field = Markup('<input type="hidden" name="csrf_token" value="{}">').format(token)
    return {
        "speech": speech,
        "t": speech.t,
        "day": speech.day,
        "moment": speech.moment,
        "span": speech.span,
        "number": speech.number,
        "asset": asset_url,
        "csrf_token": token,
        "csrf_field": lambda: field,
        "principal": principal,
        "city_name": _name_own_city(runtime, speech.language),
        "links": list_links(principal),
        "name_city": partial(name_city, language=speech.language),
        "path": request.url.path,
        "bridge_url": runtime.settings.device_bridge_url,
    }


def _name_own_city(runtime: Runtime, language: str) -> str:
    """The name in the settings is Chinese; in English the city goes by its known name."""
    city, configured = runtime.node.city, runtime.settings.city_name
    known = name_city(city, language)
    return known if not configured or (language != "zh" and known != city) else configured
