"""Which pages of a city the run has looked at, so that a page nobody looks at can be named."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from api.app import MODULES

_looked: set[tuple[str, str]] = set()


def note_look(url: str) -> None:
    """A page was checked by axe-core at this address."""
    parts = urlsplit(url)
    _looked.add((f"{parts.scheme}://{parts.netloc}", parts.path))


def list_page_routes() -> list[APIRoute]:
    """Every route of the app that answers GET with a page or a part of one."""
    return [
        route
        for module in MODULES
        for route in module.router.routes
        if isinstance(route, APIRoute)
        and "GET" in route.methods
        and getattr(route.response_class, "value", route.response_class) is HTMLResponse
    ]


def list_unseen(origins: set[str]) -> list[str]:
    """Patterns of page routes no look fell on, in the order of the app; `origins` are the cities'.

    The first route that matches counts, as in the app.
    """
    routes = list_page_routes()
    seen = set()
    for origin, path in _looked:
        if origin in origins:
            found = next((each for each in routes if each.path_regex.match(path)), None)
            if found is not None:
                seen.add(found.path)
    return [route.path for route in routes if route.path not in seen]
