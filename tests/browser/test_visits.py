"""Runs last: every page of the app was looked at by some journey of this run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import Town
from tests.browser.visits import list_page_routes, list_unseen

PARTS = {
    "/audit/replays/{replay_id}/progress": "part of the page of the replay",
    "/consent/{ceremony_id}/panel": "part of the page of the consent",
    "/window/papers/{material_id}/state": "part of the page of the paper",
    "/window/runs/{run_id}/panel": "part of the page of the visit",
}


def test_parts_are_routes_of_the_app() -> None:
    assert PARTS.keys() <= {route.path for route in list_page_routes()}


def test_every_page_was_looked_at(town: Town, request: pytest.FixtureRequest) -> None:
    """A page nobody opened has no picture and was not checked by axe-core."""
    collected = {item.path.name for item in request.session.items}
    here = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    if collected != here:
        pytest.skip("counts over a run of all journeys only")
    unseen = list_unseen(set(town.facts["cities"].values()))
    assert [path for path in unseen if path not in PARTS] == []
