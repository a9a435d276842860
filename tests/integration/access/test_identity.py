"""Signing in at a real identity provider: code with PKCE, state, nonce, leavers, egress."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from api.access import COOKIE
from ledger_node.core.types import Salt
from ledger_node.flows.administering import disable_account, link_account
from ledger_node.flows.identity import (
    CHECK_EVERY,
    STATE_LIFE,
    AskedAssertion,
    Assertion,
    begin_assertion,
)
from ledger_node.flows.identity import finish as finish_sign_in
from ledger_node.ports.identity import IdentityProviderUnavailableError, UnknownProviderError
from tests.support.hall import ORIGIN, PERSON, Hall, make_account, open_hall
from tests.support.oidc import SECRET, RunningProvider, running_provider, sign_in_at

pytestmark = pytest.mark.integration
ASKED = AskedAssertion("ceremony-1", "ab" * 32, Salt(b"\x07" * 32), "tongban.example/510107/1")


class Canary(BaseHTTPRequestHandler):
    """Counts who connects."""

    hits = 0

    def do_GET(self) -> None:
        type(self).hits += 1
        self.send_response(404)
        self.end_headers()

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def canary() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Canary)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/keys"
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(scope="module")
def provider(canary: str) -> Iterator[RunningProvider]:
    with running_provider(canary) as running:
        yield running


@pytest.fixture(scope="module")
def hall(provider: RunningProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    settings = provider.settings("city", "citizen") + provider.settings("staff", "staff")
    for path in ("redirecting", "elsewhere"):
        settings += provider.settings(path, "citizen", f"{provider.issuer}/{path}")
    with open_hall(tmp_path_factory.mktemp("identity"), settings, SECRET) as opened:
        yield opened


def link(hall: Hall, provider: RunningProvider, role: str, subject: str) -> str:
    made = make_account(hall.runtime.node, role)
    link_account(hall.runtime.node, made.row.account_id, provider.issuer, subject)
    return made.row.account_id


def is_signed_in(answer: Any) -> bool:
    return COOKIE in answer.cookies


@contextmanager
def unlinked(hall: Hall, account_id: str) -> Iterator[None]:
    """Free the provider's subject for the next test."""
    try:
        yield
    finally:
        link_account(hall.runtime.node, account_id, "", "")


def test_sign_in_at_provider_citizen_gets_their_verified_person(
    hall: Hall, provider: RunningProvider
) -> None:
    client = hall.client()
    answer = sign_in_at(provider, client, "city", "he-yuqing")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert is_signed_in(answer)
    with hall.runtime.node.database.read() as tx:
        tag = hall.runtime.node.keys.compute_index_tag(PERSON.scheme, PERSON.number).hex()
        (row,) = tx.accounts.list_sessions_of(f"citizen/{tag}")
    assert row.provider == "city"
    assert PERSON.number.encode() not in (row.sealed_person or b"")
    assert client.get("/", headers={"accept": "text/html"}).headers["location"] == "/me"


def test_sign_in_at_provider_without_verified_number_is_refused(
    hall: Hall, provider: RunningProvider
) -> None:
    answer = sign_in_at(provider, hall.client(), "city", "stranger")
    assert answer.json()["code"] == "id_token_invalid"
    assert not is_signed_in(answer)


def test_sign_in_at_provider_refused_there_is_refused_here(
    hall: Hall, provider: RunningProvider
) -> None:
    answer = sign_in_at(provider, hall.client(), "city", "nobody")
    assert (answer.status_code, answer.json()["code"]) == (403, "provider_sign_in")


def test_sign_in_at_provider_staff_needs_a_linked_account(
    hall: Hall, provider: RunningProvider
) -> None:
    refused = sign_in_at(provider, hall.client(), "staff", "liu-min")
    assert refused.json()["code"] == "no_account_linked"
    account_id = link(hall, provider, "registrar", "liu-min")
    with unlinked(hall, account_id):
        assert is_signed_in(sign_in_at(provider, hall.client(), "staff", "liu-min"))
        disable_account(hall.runtime.node, account_id)
        again = sign_in_at(provider, hall.client(), "staff", "liu-min")
        assert again.json()["code"] == "no_account_linked"


def test_sign_in_at_provider_supervisor_needs_a_second_factor_there(
    hall: Hall, provider: RunningProvider
) -> None:
    one = link(hall, provider, "supervisor", "liu-min")
    with unlinked(hall, one):
        refused = sign_in_at(provider, hall.client(), "staff", "liu-min")
        assert refused.json()["code"] == "second_factor_missing"
    other = link(hall, provider, "supervisor", "sun-lihua")
    with unlinked(hall, other):
        client = hall.client()
        assert is_signed_in(sign_in_at(provider, client, "staff", "sun-lihua"))
        assert "窗口" in client.get("/", headers={"accept": "text/html"}).text


def test_leaver_is_signed_out_at_the_next_check_and_others_are_not(
    hall: Hall, provider: RunningProvider
) -> None:
    accounts = {who: link(hall, provider, "registrar", who) for who in ("liu-min", "sun-lihua")}
    clients = {who: hall.client() for who in accounts}
    for who, client in clients.items():
        assert is_signed_in(sign_in_at(provider, client, "staff", who))
    provider.leave("liu-min")
    page = {"accept": "text/html"}
    assert "登录" not in clients["liu-min"].get("/", headers=page).text.split("</header>")[0]
    asked = provider.counted()["token"]
    hall.clock.ahead += CHECK_EVERY
    try:
        answers = {who: client.get("/", headers=page).text for who, client in clients.items()}
        assert provider.counted()["token"] == asked + 2
        assert "/login" in answers["liu-min"]
        assert "/login" not in answers["sun-lihua"]
        with hall.runtime.node.database.read() as tx:
            assert tx.accounts.list_sessions_of(accounts["liu-min"]) == []
            assert len(tx.accounts.list_sessions_of(accounts["sun-lihua"])) == 1
        clients["sun-lihua"].get("/", headers=page)  # checked a moment ago: not asked again
        assert provider.counted()["token"] == asked + 2
    finally:
        hall.clock.ahead -= CHECK_EVERY
        for account_id in accounts.values():
            link_account(hall.runtime.node, account_id, "", "")


def begin(hall: Hall, provider: RunningProvider) -> tuple[Any, str]:
    """A browser that comes back from the provider: its client, and the callback's address."""
    client = hall.client()
    begun = client.get("/login/provider/city")
    back = urlsplit(provider.visit(begun.headers["location"], "he-yuqing"))
    return client, f"{back.path}?{back.query}"


def test_callback_counts_once(hall: Hall, provider: RunningProvider) -> None:
    client, back = begin(hall, provider)
    cookies = dict(client.cookies)
    assert is_signed_in(client.get(back))
    again = hall.client()
    again.cookies.update(cookies)
    assert again.get(back).json()["code"] == "provider_sign_in"


def test_callback_in_another_browser_is_refused(hall: Hall, provider: RunningProvider) -> None:
    _, back = begin(hall, provider)
    answer = hall.client().get(back)
    assert (answer.status_code, answer.json()["code"]) == (403, "provider_sign_in")
    assert not is_signed_in(answer)


def test_callback_too_late_is_refused(hall: Hall, provider: RunningProvider) -> None:
    client, back = begin(hall, provider)
    hall.clock.ahead += STATE_LIFE
    try:
        assert client.get(back).json()["code"] == "provider_sign_in"
    finally:
        hall.clock.ahead -= STATE_LIFE


@pytest.mark.parametrize("name", ["state", "code", "iss"])
def test_callback_with_another_parameter_is_refused(
    hall: Hall, provider: RunningProvider, name: str
) -> None:
    client, back = begin(hall, provider)
    query = {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()}
    answer = client.get("/login/callback", params={**query, name: "https://elsewhere.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "provider_sign_in")
    assert not is_signed_in(answer)


def test_begin_sign_in_sends_challenge_and_never_the_verifier(hall: Hall) -> None:
    location = hall.client().get("/login/provider/city").headers["location"]
    query = {key: values[0] for key, values in parse_qs(urlsplit(location).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == f"{ORIGIN}/login/callback"
    assert "code_verifier" not in query
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3


def test_begin_assertion_nonce_comes_back_in_a_token_and_nobody_is_signed_in(
    hall: Hall, provider: RunningProvider
) -> None:
    runtime = hall.runtime
    begun = begin_assertion(runtime.node, runtime.identity, "city", ORIGIN, ASKED)
    query = parse_qs(urlsplit(begun.url).query)
    assert query["tongban_salt"] == ["07" * 32]
    assert query["scope"] == ["openid"]
    back = parse_qs(urlsplit(provider.visit(begun.url, "he-yuqing")).query)
    parameters = {name: values[0] for name, values in back.items()}
    done = finish_sign_in(runtime.node, runtime.identity, ORIGIN, parameters, begun.browser_token)
    assert isinstance(done, Assertion)
    assert (done.nonce, done.ceremony) == (ASKED.nonce, ASKED.ceremony)
    assert done.id_token.count(".") == 2


def test_begin_assertion_at_a_staff_provider_is_refused(hall: Hall) -> None:
    runtime = hall.runtime
    with pytest.raises(UnknownProviderError):
        begin_assertion(runtime.node, runtime.identity, "staff", ORIGIN, ASKED)


def test_unknown_provider_is_not_contacted(hall: Hall) -> None:
    answer = hall.client().get("/login/provider/elsewhere-2")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_identity_provider")


def test_provider_that_redirects_or_names_another_address_is_not_followed(hall: Hall) -> None:
    moved = hall.client().get("/login/provider/redirecting")
    assert (moved.status_code, moved.json()["code"]) == (503, "identity_provider_unavailable")
    identity = hall.runtime.identity
    named = identity.providers["elsewhere"]
    assert identity.fetch_authorization_endpoint(named).startswith(named.issuer.rsplit("/", 1)[0])
    with pytest.raises(IdentityProviderUnavailableError):
        identity.fetch_keys(named)
    with pytest.raises(IdentityProviderUnavailableError):
        identity.redeem(named, {"grant_type": "authorization_code"})
    assert Canary.hits == 0


def test_canary_is_reached_when_somebody_goes_there(canary: str) -> None:
    before = Canary.hits
    assert httpx2.get(canary).status_code == 404
    assert Canary.hits == before + 1
    Canary.hits = before


def test_sign_in_never_goes_on_to_another_site(hall: Hall, provider: RunningProvider) -> None:
    client = hall.client()
    begun = client.get("/login/provider/city", params={"next": "//elsewhere.example"})
    back = urlsplit(provider.visit(begun.headers["location"], "he-yuqing"))
    assert client.get(f"{back.path}?{back.query}").headers["location"] == "/"
