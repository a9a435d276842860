"""Requests under a stranger's name are refused before any route, public ones too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.datastructures import Headers

from api.known_hosts import KnownHosts, list_names
from tests.support.hall import ORIGIN, Hall, open_hall

pytestmark = pytest.mark.integration
PATHS = ("/", "/login", "/verify", "/healthz", "/static/x.css", "/api/v1/members", "/nowhere")
OWN = ("wuhou.localhost", "WUHOU.localhost", "wuhou.localhost:443", "127.0.0.1:9", "localhost:1234")
STRANGE = (
    "evil.example",
    "wuhou.localhost.evil.example",
    "wuhou.localhost:444",
    "evil.example:443",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "evil.example@127.0.0.1",
    "127.0.0.1:port",
    "[::1",
    "",
)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("hosts")) as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
def test_every_path_under_an_unknown_host_is_misdirected(hall: Hall, path: str) -> None:
    client = hall.client()
    refused = client.get(path, headers={"host": "evil.example"})
    assert refused.status_code == 421
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.json()["code"] == "unknown_host"
    assert "evil" not in refused.text
    assert client.get(path).status_code != 421


@pytest.mark.parametrize("host", STRANGE)
def test_strange_spelling_is_no_name_of_this_node(hall: Hall, host: str) -> None:
    assert hall.client().get("/verify", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", OWN)
def test_own_names_and_this_machine_are_answered(hall: Hall, host: str) -> None:
    assert hall.client().get("/verify", headers={"host": host}).status_code == 200


def test_two_hosts_or_none_are_refused(hall: Hall) -> None:
    known = KnownHosts(hall.app, hall.runtime, lambda *_: pytest.fail("not asked"))
    host = (b"host", b"wuhou.localhost")
    assert known.is_known(Headers(raw=[host]))
    assert not known.is_known(Headers(raw=[host, host]))
    assert not known.is_known(Headers(raw=[]))


def test_list_names_leaves_default_ports_out_and_keeps_others() -> None:
    assert list_names(ORIGIN) == {"wuhou.localhost", "wuhou.localhost:443"}
    assert list_names("http://a.example:8080") == {"a.example:8080"}
    assert list_names("http://a.example:80") == {"a.example", "a.example:80"}
