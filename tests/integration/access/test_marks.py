"""An application with a route that says nothing of who may use it does not start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount, Route

from api import app as application
from api.access import UnmarkedRouteError, allow, demand_marks, peer, public
from ledger_node.core.access import Permission


def build_with(router: APIRouter, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    modules = (*application.MODULES, SimpleNamespace(router=router))
    monkeypatch.setattr(application, "MODULES", modules)
    return application.build_app(cast(Any, SimpleNamespace()))


def answer() -> str:
    return "open"


@pytest.mark.parametrize("marks", [[], [public(), peer()]], ids=["none", "two"])
def test_build_app_route_without_mark_does_not_start(
    marks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()
    router.add_api_route("/new-route", answer, dependencies=marks)
    with pytest.raises(UnmarkedRouteError) as refused:
        build_with(router, monkeypatch)
    assert "/new-route" in refused.value.message_en


@pytest.mark.parametrize("mark", [public(), peer(), allow(Permission.ME_USE)])
def test_build_app_route_with_one_mark_starts(mark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()
    router.add_api_route("/new-route", answer, dependencies=[mark])
    build_with(router, monkeypatch)


def test_build_app_unmarked_route_of_a_router_in_a_router_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner, outer = APIRouter(), APIRouter()
    inner.add_api_route("/inner-route", answer)
    outer.include_router(inner, prefix="/outer")
    with pytest.raises(UnmarkedRouteError):
        build_with(outer, monkeypatch)


def test_demand_marks_mounted_routes_and_plain_ones_do_not_start() -> None:
    for route in (
        Mount("/mounted", routes=[Route("/x", cast(Any, answer))]),
        Route("/x", cast(Any, answer)),
    ):
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.router.routes.append(route)
        with pytest.raises(UnmarkedRouteError):
            demand_marks(app)
