"""A citizen confirms at a provider that another member city answers for; forged answers confirm
nothing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from ledger_node.core.canonical import encode_base64url
from ledger_node.core.entry import EntryKind
from ledger_node.core.evidence_parts import AssertionEvidence, ProviderError
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantBasis
from ledger_node.core.types import Commitment
from ledger_node.demo.people import find_resident
from ledger_node.demo.provider.tokens import compute_challenge, open_key
from ledger_node.flows.citizen import (
    begin_self_find,
    list_found_elsewhere,
    list_own_grants,
    run_self_find,
)
from ledger_node.flows.consenting import Ceremony, CeremonyMovedError
from ledger_node.flows.facts import leaf_hash_of
from ledger_node.flows.granting import load_grant
from ledger_node.flows.identity import Assertion
from ledger_node.flows.providers import (
    ProviderDigestError,
    ProviderKeysUnknownError,
    ProviderNotPinnedError,
    ProviderPinnedError,
    begin_provider_confirmation,
    confirm_ceremony_by_provider,
    list_confirming,
    list_pinned,
    pin_provider,
    withdraw_provider,
)
from ledger_node.wiring import Runtime
from tests.support.consortium import Consortium
from tests.support.demo_provider import (
    NAME,
    DemoProvider,
    open_browser,
    origin_of,
    running_demo_provider,
    with_provider,
)
from tests.support.stock import BYSTANDER, ISSUER, NUMBER, RELIER, TYPE

pytestmark = pytest.mark.integration
PERSON = Subject("cn-resident-id", NUMBER, find_resident("borrower").person.name)
BORROWER, OTHER = "borrower", "husband"
ACCOUNT = "citizen/1"


@dataclass
class Scene:
    """Mianyang accepts residents of the provider that Wuhou answers for."""

    runtime: Runtime
    provider: DemoProvider
    consortium: Consortium

    def ceremony(self, account: str = ACCOUNT) -> Ceremony:
        """One question of the person to all other cities, not confirmed yet."""
        return begin_self_find(self.runtime.node, PERSON, account, [TYPE], provider=True)

    def assertion(self, ceremony: Ceremony, **changes: Any) -> Assertion:
        """The provider's answer to a ceremony, with some claims changed."""
        assert ceremony.challenge is not None
        nonce = encode_base64url(ceremony.challenge)
        now_s = int(self.runtime.node.clock.now().timestamp())
        claims = {
            "iss": self.provider.issuer,
            "sub": "somebody",
            "aud": RELIER,
            "iat": now_s,
            "exp": now_s + 300,
            "nonce": nonce,
            "tongban_subject": ceremony.drafts[0].terms.subject.hex(),
        }
        token = self.provider.sign(claims | changes)
        return Assertion(self.provider.seen_by(RELIER), token, nonce, ceremony.ceremony_id)


@pytest.fixture(scope="module")
def scene(consortium: Consortium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_demo_provider(tmp_path_factory.mktemp("provider"), (RELIER, ISSUER)) as provider:
        runtime = with_provider(consortium[RELIER], RELIER, provider)
        assert not list_confirming(runtime.node, runtime.identity)
        pin_provider(runtime.node, runtime.identity, NAME)
        assert not list_confirming(runtime.node, runtime.identity)  # not anchored yet
        consortium.settle(lambda: list_confirming(runtime.node, runtime.identity))
        consortium.pass_time(2)
        consortium.turn()
        yield Scene(runtime, provider, consortium)
        runtime.identity.close()


def sign_in(scene: Scene, runtime: Runtime, person: str) -> TestClient:
    browser = open_browser(runtime)
    begun = browser.get(f"/login/provider/{NAME}", params={"next": "/me"})
    back = browser.get(scene.provider.visit(begun.headers["location"], person))
    assert (back.status_code, back.headers["location"]) == (303, "/me")
    return browser


def press(browser: TestClient, path: str, page: str, **form: str) -> Any:
    """Send a form of a page, with the page's own token."""
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)
    assert token is not None
    return browser.post(path, data={"csrf_token": token[1], **form})


def begin_on_page(scene: Scene, browser: TestClient) -> tuple[str, str]:
    """The person asks what others hold and goes to the provider: (confirmation page, address)."""
    asked = press(browser, "/me/elsewhere", browser.get("/me").text)
    where = asked.headers["location"]
    page = browser.get(where).text
    assert "蓉城实名认证" in page
    gone = press(browser, f"{where}/provider", page, name=NAME)
    assert gone.status_code == 303, gone.text
    return where, gone.headers["location"]


def test_citizen_of_another_citys_provider_is_accepted_and_all_cities_verify_the_confirmation(
    scene: Scene,
) -> None:
    node = scene.runtime.node
    browser = sign_in(scene, scene.runtime, BORROWER)
    where, location = begin_on_page(scene, browser)
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert NUMBER not in location
    assert query["scope"] == "openid"
    assert query["tongban_origin"] == node.origin
    done = browser.get(scene.provider.visit(location, BORROWER))
    assert (done.status_code, done.headers["location"]) == (303, "/me"), done.text
    answered = {city for city, _, _ in list_found_elsewhere(node, PERSON)}
    assert answered == {scene.consortium[ISSUER].node.city, scene.consortium[BYSTANDER].node.city}
    newest = list_own_grants(node, PERSON)[0]
    held = load_grant(node, newest.grant_id)
    assert held.terms.basis is GrantBasis.ASSERTION
    assert isinstance(held.evidence, AssertionEvidence)
    payload = held.evidence.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["tongban_subject"] == held.terms.subject.hex()
    assert not {"name", "id_number", "id_scheme"} & set(claims)
    assert "已确认" in browser.get(where).text
    issuer = with_provider(scene.consortium[ISSUER], ISSUER, scene.provider)
    assert NUMBER not in sign_in(scene, issuer, BORROWER).get("/me").text  # at home: the same way
    issuer.identity.close()


def test_confirmation_by_another_person_at_the_provider_is_refused(scene: Scene) -> None:
    browser = sign_in(scene, scene.runtime, BORROWER)
    where, location = begin_on_page(scene, browser)
    refused = browser.get(
        scene.provider.visit(location, OTHER), headers={"accept": "application/json"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "evidence_assertion")
    assert "请看清再确认" in browser.get(where).text


def test_confirmation_refused_at_the_provider_agrees_to_nothing(scene: Scene) -> None:
    browser = sign_in(scene, scene.runtime, BORROWER)
    where, location = begin_on_page(scene, browser)
    back = scene.provider.visit(location, "")
    refused = browser.get(back)
    assert (refused.status_code, refused.headers["location"]) == (303, f"{where}?back=yes")
    page = browser.get(f"{where}?back=yes").text
    assert "请看清再确认" in page
    assert "没有在认证平台上确认" in page


def test_answer_of_the_provider_counts_once_and_in_the_session_that_asked(scene: Scene) -> None:
    browser = sign_in(scene, scene.runtime, BORROWER)
    _, location = begin_on_page(scene, browser)
    back = scene.provider.visit(location, BORROWER)
    stranger = sign_in(scene, scene.runtime, OTHER)
    cookie = "__Host-tb-provider"
    stranger.cookies.set(cookie, browser.cookies[cookie], domain=urlsplit(origin_of(RELIER)).netloc)
    refused = stranger.get(back, headers={"accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (404, "ceremony_not_found")
    again = browser.get(back, headers={"accept": "application/json"})
    assert (again.status_code, again.json()["code"]) == (403, "provider_sign_in")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": encode_base64url(bytes(32))}, "nonce"),
        ({"tongban_subject": "11" * 32}, "foreign_subject"),
        ({"iss": "http://127.0.0.1:9"}, "issuer"),
        ({"aud": ISSUER}, "audience"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"iat": 1_700_000_000}, "too_old"),
        ({"name": PERSON.name}, "private_claim"),
    ],
)
def test_confirm_ceremony_by_provider_falsified_is_refused(
    scene: Scene, changes: dict[str, Any], reason: str
) -> None:
    node, ceremony = scene.runtime.node, scene.ceremony()
    with pytest.raises(ProviderError) as refused:
        confirm_ceremony_by_provider(node, ceremony, scene.assertion(ceremony, **changes))
    assert refused.value.reason == reason
    assert confirm_ceremony_by_provider(node, ceremony, scene.assertion(ceremony)).grants


def test_confirm_ceremony_by_provider_for_another_ceremony_is_refused(scene: Scene) -> None:
    node, one, other = scene.runtime.node, scene.ceremony(), scene.ceremony()
    answer = scene.assertion(one)
    with pytest.raises(CeremonyMovedError):
        confirm_ceremony_by_provider(node, other, answer)
    confirmed = confirm_ceremony_by_provider(node, one, answer)
    assert confirm_ceremony_by_provider(node, confirmed, answer).grants == confirmed.grants


def test_pin_provider_twice_or_with_another_digest_is_refused_and_unpinned_confirms_nothing(
    scene: Scene,
) -> None:
    node, identity = scene.runtime.node, scene.runtime.identity
    (pinned,) = list_pinned(node, identity.providers[NAME])
    with pytest.raises(ProviderPinnedError):
        pin_provider(node, identity, NAME, digest=pinned.digest)
    with pytest.raises(ProviderDigestError):
        pin_provider(node, identity, NAME, digest="00" * 32)
    with node.database.read() as tx:
        actions = [row.action for _, row in tx.trail.list_access(None, 100)]
    assert actions.count("provider.pin") == 1
    issuer = with_provider(scene.consortium[ISSUER], ISSUER, scene.provider)
    with pytest.raises(ProviderNotPinnedError):
        begin_provider_confirmation(
            issuer.node, issuer.identity, scene.ceremony(), NAME, origin_of(ISSUER)
        )
    issuer.identity.close()


def redeem(scene: Scene, change: Callable[[dict[str, str]], object]) -> int:
    """Status of the token endpoint for a code whose form was changed."""
    import httpx2

    verifier = "v" * 43
    query = {
        "client_id": RELIER,
        "redirect_uri": f"{origin_of(RELIER)}/login/callback",
        "response_type": "code",
        "scope": "openid profile",
        "state": "s",
        "nonce": "n",
        "code_challenge": compute_challenge(verifier),
        "code_challenge_method": "S256",
    }
    location = str(httpx2.URL(f"{scene.provider.issuer}/authorize", params=query))
    back = parse_qs(urlsplit(scene.provider.visit(location, BORROWER)).query)
    form = {
        "grant_type": "authorization_code",
        "code": back["code"][0],
        "code_verifier": verifier,
        "client_id": RELIER,
        "redirect_uri": query["redirect_uri"],
    }
    change(form)
    status = httpx2.post(f"{scene.provider.issuer}/token", data=form).status_code
    if status == 200:
        assert httpx2.post(f"{scene.provider.issuer}/token", data=form).status_code == 400
    return status


def test_demo_provider_redeems_a_code_once_and_only_as_it_was_asked(scene: Scene) -> None:
    assert redeem(scene, lambda form: None) == 200
    assert redeem(scene, lambda form: form.update(code_verifier="w" * 43)) == 400
    assert redeem(scene, lambda form: form.update(client_id=ISSUER)) == 400
    assert redeem(scene, lambda form: form.update(redirect_uri="https://elsewhere.example")) == 400
    assert open_key(scene.provider.key_file).is_private


def test_withdraw_provider_ends_what_its_keys_signed_here_and_in_every_other_city(
    scene: Scene,
) -> None:
    node, identity = scene.runtime.node, scene.runtime.identity
    before, waiting, late = (scene.ceremony() for _ in range(3))
    signed = [
        confirm_ceremony_by_provider(node, each, scene.assertion(each))
        for each in (before, waiting)
    ]
    assert {each.outcome for each in run_self_find(node, signed[0])} == {"answered"}
    (pinned,) = list_pinned(node, identity.providers[NAME])
    with pytest.raises(ProviderKeysUnknownError):
        withdraw_provider(node, identity, NAME, digest="00" * 32)
    withdraw_provider(node, identity, NAME, digest=pinned.digest)
    with pytest.raises(ProviderNotPinnedError):  # at once, whatever the chain says yet
        confirm_ceremony_by_provider(node, late, scene.assertion(late))
    assert not list_confirming(node, identity)
    scene.consortium.settle(lambda: _is_final(scene, pinned.row.commitment))
    refused = run_self_find(node, signed[1])
    assert {each.outcome for each in refused} == {"credential_withdrawn"}
    with pytest.raises(ProviderKeysUnknownError):
        withdraw_provider(node, identity, NAME, digest=pinned.digest)
    again = pin_provider(node, identity, NAME, digest=pinned.digest)
    assert again.commitment != pinned.row.commitment


def _is_final(scene: Scene, commitment: Commitment) -> bool:
    """Whether every city reads the withdrawal in a final block."""
    leaf_hash = leaf_hash_of(EntryKind.CREDENTIAL, commitment)
    for city in (RELIER, ISSUER, BYSTANDER):
        with scene.consortium[city].node.database.read() as tx:
            if not tx.chain.list_statuses(scene.runtime.node.city, leaf_hash, final_only=True):
                return False
    return True
