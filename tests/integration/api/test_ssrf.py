"""T19: whatever address somebody writes wherever it fits, the node goes to nobody it was not told
to by the consortium or its own settings. A listener on the loopback counts who came: nobody.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from ledger_node.core.consortium import NotAMemberError
from ledger_node.core.errors import LedgerError
from ledger_node.core.types import Address, CityId
from ledger_node.edges.case_systems import HttpCaseSystems
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.clock import SystemClock, system_entropy
from ledger_node.edges.identity import HttpIdentityProviders
from ledger_node.edges.peers import HttpPeers
from ledger_node.ports.case_systems import CaseSystem, CaseSystemUnavailableError
from ledger_node.ports.identity import Audience, Provider
from tests.integration.api.canary_listener import REACHING, Listener, leading_to, listening
from tests.support.desk import new_key, post, upload
from tests.support.hall import PERSON, Hall, open_hall
from tests.support.pdf import build_pdf

pytestmark = pytest.mark.integration

NAME_AND_NUMBER = {"number": PERSON.number, "name": PERSON.name}


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as running:
        yield running


@pytest.fixture(scope="module")
def leading(listener: Listener) -> Iterator[str]:
    with leading_to(f"http://127.0.0.1:{listener.port}/") as url:
        yield url


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("ssrf")) as opened:
        yield opened


@pytest.fixture
def untouched(listener: Listener) -> Iterator[None]:
    """Nobody comes to the listener during the test."""
    before = listener.connections
    yield
    assert listener.connections == before


@pytest.fixture
def desk(hall: Hall) -> TestClient:
    return hall.sign_in("supervisor")


def test_twin_the_listener_counts_whoever_goes_there(listener: Listener, leading: str) -> None:
    before = listener.connections
    reached = 0
    with httpx2.Client(timeout=3, trust_env=False) as client:
        for spelling in listener.spellings():
            seen = listener.connections
            with suppress(httpx2.HTTPError, httpx2.InvalidURL, ValueError):
                client.get(spelling)
            reached += listener.connections > seen
        assert reached >= REACHING
        seen = listener.connections
        client.get(leading, follow_redirects=True)
        assert listener.connections == seen + 1
    listener.connections = before


@pytest.mark.usefixtures("untouched")
def test_addresses_in_every_field_of_the_api_lead_nowhere(
    desk: TestClient, listener: Listener
) -> None:
    sent = 0
    for spelling in listener.spellings():
        body = {
            "type_code": "marriage-cert",
            "grade": "A",
            "subjects": [{"role": "holder", "scheme": "cn-resident-id", **NAME_AND_NUMBER}],
            "issuer": {"code": spelling, "name": spelling},
            "number": f"{sent} {spelling}",
            "retention": spelling,
            "attributes": {"url": spelling, "callback": spelling, "$ref": spelling},
            "documents": [{"sha256": "ab" * 32, "media_type": "text/html"}],
        }
        answer = desk.post("/api/v1/materials", json=body, headers=new_key())
        assert answer.status_code == 201, answer.text
        extra = {**body, "callback_url": spelling}
        assert desk.post("/api/v1/materials", json=extra, headers=new_key()).status_code == 422
        for path in ("grants/{}", "finds/{}", "releases/{}", "receipts/{}", "revocations/{}"):
            address = "/api/v1/" + path.format(httpx2.QueryParams({"q": spelling}))
            assert desk.get(address).status_code in (404, 422)
        sent += 1
    assert sent >= 20


@pytest.mark.usefixtures("untouched")
def test_host_and_forwarded_headers_lead_nowhere(hall: Hall, listener: Listener) -> None:
    names = ("host", "x-forwarded-host", "forwarded", "origin", "referer", "x-original-url")
    client = hall.client()
    for spelling in listener.spellings():
        value = spelling.encode("ascii", "replace").decode()
        for name in names:
            sent = value.split("//")[-1].rstrip("/") if name == "host" else value
            for path in ("/api/v1/members", "/peer/v1/find", "/login"):
                method = "POST" if path.startswith("/peer") else "GET"
                answer = client.request(method, path, headers={name: sent})
                assert answer.status_code < 500 or answer.status_code == 503


@pytest.mark.usefixtures("untouched")
def test_links_in_documents_and_receipts_lead_nowhere(
    hall: Hall, desk: TestClient, listener: Listener
) -> None:
    links = listener.spellings()
    pdf = build_pdf(more=[f"<</Type/Action/S/URI/URI({link})>>".encode() for link in links])
    untouched_pdf = upload(desk, pdf, "application/pdf")  # looked at, its links not followed
    assert desk.get(f"/api/v1/uploads/{untouched_pdf}").json()["state"] == "stored"
    html = "".join(f'<img src="{link}"><script src="{link}"></script>' for link in links)
    svg = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{links[0]}">]><svg><image href="{links[0]}"/>&e;</svg>'
    for content, media_type in (
        (pdf, "application/pdf"),
        (html.encode(), "text/html"),
        (svg.encode(), "image/svg+xml"),
    ):
        with suppress(AssertionError):  # refused by inspection is as good
            upload_id = upload(desk, content, media_type)
            body = {
                "type_code": "marriage-cert",
                "grade": "C",
                "subjects": [{"role": "holder", "scheme": "cn-resident-id", **NAME_AND_NUMBER}],
                "documents": [{"upload_id": upload_id}],
            }
            made = post(desk, "/api/v1/materials", body, 201)
            desk.get(f"/api/v1/materials/{made['material_id']}/documents/0")
    made = desk.get("/api/v1/materials").json()["items"][0]["material_id"]
    receipt = desk.get(f"/api/v1/materials/{made}/receipt").json()
    for link in links:
        for changed in ({**receipt, "url": link}, {**receipt, "trust": {"url": link}}):
            encoded = base64.b64encode(json.dumps(changed).encode()).decode()
            answer = hall.client().post("/api/v1/verifications", json={"receipt": encoded})
            assert answer.status_code == 422
            trust = base64.b64encode(json.dumps({"v": link, "rpc": link}).encode()).decode()
            brought = {"receipt": encoded, "trust": trust}
            answer = hall.client().post("/api/v1/verifications", json=brought)
            assert answer.status_code == 422


@pytest.mark.usefixtures("untouched")
def test_identity_providers_are_those_of_the_settings_only(hall: Hall, listener: Listener) -> None:
    client = hall.client()
    for spelling in listener.spellings():
        name = httpx2.QueryParams({"x": spelling})
        begun = client.get(f"/login/provider/{name}", params={"next": spelling, "iss": spelling})
        assert begun.status_code in (303, 404, 422)
        assert "127.0.0.1" not in begun.headers.get("location", "")
        answer = client.get("/login", params={"next": spelling, "issuer": spelling})
        assert answer.status_code < 500


@dataclass
class OneMember:
    """A directory with one member, whose address leads on."""

    url: str

    def url_of(self, city: CityId) -> str:
        if city != "510107":
            raise NotAMemberError("不是成员。", "not a member", city=city)
        return self.url

    def is_message_key(self, city: CityId, key: bytes) -> bool:
        return True


def build_peers(hall: Hall, url: str) -> HttpPeers:
    node = hall.runtime.node
    return HttpPeers(
        node.city, OneMember(url), node.keys, SystemClock(), system_entropy, lambda *_: None
    )


@pytest.mark.usefixtures("untouched")
def test_peers_that_are_no_members_or_lead_on_are_not_followed(
    hall: Hall, listener: Listener, leading: str
) -> None:
    peers, before = build_peers(hall, leading), listener.connections
    for spelling in listener.spellings():
        with pytest.raises(NotAMemberError):
            peers.send(CityId(spelling), "/peer/v1/find", b"{}")
    with pytest.raises(LedgerError):
        peers.send(CityId("510107"), "/peer/v1/find", b"{}", timeout_s=3)
    with pytest.raises(LedgerError):
        list(peers.fetch_blob(CityId("510107"), "/peer/v1/blob", b"{}", max_bytes=10))
    peers.close()
    assert listener.connections == before


@pytest.mark.usefixtures("untouched")
def test_case_system_that_leads_on_is_not_followed(hall: Hall, leading: str) -> None:
    states: Any = None  # not looked at on the way out
    system = CaseSystem("zongchuang", "综窗", states, leading, "/events", "", None)
    systems = HttpCaseSystems(
        hall.runtime.node.city, [system], hall.runtime.node.keys, SystemClock(), system_entropy
    )
    with pytest.raises(CaseSystemUnavailableError):
        systems.deliver("zongchuang", 1, b"{}")
    systems.close()


@pytest.mark.usefixtures("untouched")
def test_issuer_that_leads_on_is_not_followed(leading: str) -> None:
    provider = Provider(
        name="leading",
        title_zh="x",
        title_en="x",
        issuer=leading,
        client_id="x",
        client_secret="x",
        city=CityId("510107"),
        audience=Audience.CITIZEN,
        scheme_claim="s",
        number_claim="n",
        name_claim="m",
    )
    identity = HttpIdentityProviders([provider], SystemClock())
    with pytest.raises(LedgerError):
        identity.fetch_keys(provider)
    identity.close()


@pytest.mark.usefixtures("untouched")
def test_chain_endpoint_that_leads_on_is_not_followed(leading: str) -> None:
    for url in (leading, f"{leading}/rpc"):
        chain = EvmChain(url, 7107, 3.0)
        for ask in (
            chain.fetch_head,
            lambda chain=chain: chain.call(Address(b"\x22" * 20), b"data"),
        ):
            with pytest.raises(LedgerError):
                ask()
        chain.close()


def test_nothing_was_started_that_goes_there_later(listener: Listener) -> None:
    assert listener.connections == 0
    assert threading.active_count() < 100
