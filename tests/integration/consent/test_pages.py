"""Consent over HTTP: the counter's screens, a citizen's own pages, withdrawing by code."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass, replace
from typing import Any

import pyotp
import pypdf
import pytest
from starlette.testclient import TestClient

from ledger_node.core.access import Role
from ledger_node.core.canonical import parse_base64url
from ledger_node.core.ceremony import CeremonyState
from ledger_node.core.sealed import Subject
from ledger_node.flows.accounts import MadeAccount
from ledger_node.flows.citizen import list_own_grants
from ledger_node.flows.consenting import CeremonyRequest, begin_ceremony, load_ceremony
from ledger_node.flows.passkeys import list_passkeys
from ledger_node.flows.revoking import MAX_FAILURES, issue_revocation_code
from ledger_node.flows.sessions import begin_citizen_session
from ledger_node.seed import load_catalogue
from ledger_node.wiring import Runtime, open_officer_keys
from tests.fakes.software_authenticator import SoftwareAuthenticator
from tests.support.ceremonies import OFFICER, OTHER_TYPE, SECOND, build_request
from tests.support.consortium import Consortium
from tests.support.demo_provider import open_browser, origin_of
from tests.support.hall import PASSWORD, begin_headers, make_account, session_headers
from tests.support.pads import draw_pad
from tests.support.registration import assert_passkey, register_passkey
from tests.support.stock import NAME, NUMBER, RELIER, TYPE, make_stock

pytestmark = pytest.mark.integration
PERSON = Subject("cn-resident-id", NUMBER, NAME)
STRANGER = Subject("cn-resident-id", "11010519491231002X", "林一")
ITEM = "hpf-loan-remote"
SCAN = draw_pad()
CODE = re.compile(r"(?:[0-9A-HJKMNP-TV-Z]{4}[- ]){4}[0-9A-HJKMNP-TV-Z]{4}")


@dataclass
class Office:
    """Mianyang with officers' keys on its machine."""

    runtime: Runtime
    consortium: Consortium
    people: dict[str, MadeAccount]

    def person(self, role: str) -> MadeAccount:
        """The one account of a role; the registrar and the supervisor sign."""
        if role not in self.people:
            officer = {"registrar": OFFICER, "supervisor": SECOND}.get(role)
            self.people[role] = make_account(self.runtime.node, role, officer=officer)
        return self.people[role]

    def desk(self, role: str = "registrar") -> TestClient:
        """A browser signed in as the role."""
        browser = open_browser(self.runtime)
        browser.headers.update(begin_headers(self.runtime.node, role, self.person))
        return browser

    def citizen(self, person: Subject = PERSON) -> TestClient:
        """A browser with the person's session."""
        browser = open_browser(self.runtime)
        token = begin_citizen_session(self.runtime.node, person, None)
        browser.headers.update(session_headers(token))
        return browser

    def ceremony(self, *, read: bool = True, types: tuple[str, ...] = (TYPE, OTHER_TYPE)) -> str:
        """A consent drawn up at the registrar's window."""
        request: CeremonyRequest = build_request(make_stock(), types=types, read=read)
        account_id = self.person("registrar").row.account_id
        return begin_ceremony(
            self.runtime.node, replace(request, account_id=account_id)
        ).ceremony_id

    def state(self, ceremony_id: str) -> tuple[str, int]:
        """(state, number of grants) as stored."""
        with self.runtime.node.database.read() as tx:
            row = tx.consent.find_ceremony(ceremony_id)
            assert row is not None
            return row.state, len(tx.consent.list_grants_of_ceremony(ceremony_id))


@pytest.fixture(scope="module")
def office(consortium: Consortium) -> Office:
    runtime = consortium[RELIER]
    keys = open_officer_keys(runtime.settings.data_dir)
    for name, key in make_stock().officers.items():
        keys.create(name, lambda _, key=key: key.private_bytes_raw())  # type: ignore[misc]
    settings = runtime.settings.model_copy(update={"public_url": origin_of(RELIER)})
    return Office(replace(runtime, settings=settings), consortium, {})


@pytest.fixture(scope="module")
def key(office: Office) -> SoftwareAuthenticator:
    """A passkey of the person, enrolled over HTTP and anchored."""
    made, browser = SoftwareAuthenticator(0x81, f"{RELIER}.localhost"), office.citizen()
    options = browser.post("/me/passkeys/options")
    answer = register_passkey(made, options.text, origin_of(RELIER))
    assert browser.post("/me/passkeys", data={"answer": answer}).status_code == 303
    assert "正在存证" in browser.get("/me").text or "存证" in browser.get("/me/passkeys").text
    node = office.runtime.node
    office.consortium.settle(lambda: all(each for _, _, each in list_passkeys(node, PERSON)))
    office.consortium.pass_time(2)
    office.consortium.turn()
    return made


def turn_screen(desk: TestClient, ceremony_id: str) -> str:
    """Address of the screen turned to the person."""
    turned = desk.post(f"/consent/{ceremony_id}/screen")
    assert turned.status_code == 303, turned.text
    return str(turned.headers["location"])


def sign(office: Office, screen: str, *ticked: str) -> Any:
    pad = "data:image/png;base64," + base64.b64encode(draw_pad()).decode()
    data = {"pad": pad, "tick": list(ticked)}
    return open_browser(office.runtime).post(f"{screen}/sign", data=data)


def read_pdf(content: bytes) -> str:
    return "\n".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(content)).pages)


def read_code(slip: Any) -> str:
    """The withdrawal code on a printed slip."""
    assert slip.headers["content-type"] == "application/pdf"
    found = CODE.search(read_pdf(slip.content))
    assert found is not None, read_pdf(slip.content)
    return found[0]


def json_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


JSON = {"accept": "application/json"}


def test_counter_screen_ticks_nothing_and_what_is_ticked_and_signed_is_granted(
    office: Office,
) -> None:
    desk, ceremony_id = office.desk(), office.ceremony()
    screen = turn_screen(desk, ceremony_id)
    shown = open_browser(office.runtime).get(screen).text
    assert shown.count('type="checkbox"') == 2
    assert "checked" not in shown
    empty = sign(office, screen)
    assert empty.status_code == 422
    assert office.state(ceremony_id) == ("shown", 0)
    assert sign(office, screen, f"t-{TYPE}").status_code == 303
    panel = desk.get(f"/consent/{ceremony_id}/panel")
    assert "确认授权" in panel.text
    confirmed = desk.post(f"/consent/{ceremony_id}/confirm")
    assert confirmed.headers["location"] == f"/consent/{ceremony_id}"
    assert office.state(ceremony_id) == ("confirmed", 1)
    assert desk.post(f"/consent/{ceremony_id}/confirm").status_code == 303  # asked again: the same
    assert office.state(ceremony_id) == ("confirmed", 1)
    struck = desk.post(f"/consent/{ceremony_id}/strike", headers=JSON)
    assert json_of(struck)[0] == 409


def test_counter_without_signature_or_without_the_persons_yes_grants_nothing(
    office: Office,
) -> None:
    desk, ceremony_id = office.desk(), office.ceremony()
    screen = turn_screen(desk, ceremony_id)
    unsigned = desk.post(f"/consent/{ceremony_id}/confirm", headers=JSON)
    assert json_of(unsigned) == (409, "consent_unsigned")
    declined = open_browser(office.runtime).post(f"{screen}/decline")
    assert declined.status_code == 303
    assert office.state(ceremony_id) == (CeremonyState.DECLINED.value, 0)
    late = desk.post(f"/consent/{ceremony_id}/confirm", headers=JSON)
    assert late.status_code == 409
    assert sign(office, screen, f"t-{TYPE}").status_code in (404, 409)


def test_counter_of_another_account_or_with_an_old_screen_is_not_found(office: Office) -> None:
    desk, ceremony_id = office.desk(), office.ceremony()
    old = turn_screen(desk, ceremony_id)
    turn_screen(desk, ceremony_id)
    assert open_browser(office.runtime).get(old).status_code == 404
    other = open_browser(office.runtime)
    elsewhere = make_account(office.runtime.node, "registrar")
    other.headers.update(begin_headers(office.runtime.node, "registrar", lambda _: elsewhere))
    for method, path in (
        ("GET", ""),
        ("GET", "/panel"),
        ("POST", "/screen"),
        ("POST", "/confirm"),
        ("POST", "/strike"),
        ("POST", "/slip"),
        ("POST", "/phone"),
    ):
        refused = other.request(method, f"/consent/{ceremony_id}{path}", headers=JSON)
        assert json_of(refused) == (404, "ceremony_not_found"), path


def test_paper_slip_is_as_good_as_the_screen_and_is_logged(office: Office) -> None:
    desk, ceremony_id = office.desk(), office.ceremony()
    turn_screen(desk, ceremony_id)
    blank = desk.post(f"/consent/{ceremony_id}/slip", data={"blank": "yes"})
    assert CODE.search(read_pdf(blank.content)) is None  # nothing to withdraw yet
    unticked = desk.post(
        f"/consent/{ceremony_id}/confirm", files={"slip": ("s.png", SCAN)}, headers=JSON
    )
    assert json_of(unticked) == (422, "consent_option")
    wrong = desk.post(
        f"/consent/{ceremony_id}/confirm",
        data={"tick": [f"t-{TYPE}"]},
        files={"slip": ("s.exe", b"MZ\x90")},
        headers=JSON,
    )
    assert wrong.status_code == 422
    done = desk.post(
        f"/consent/{ceremony_id}/confirm",
        data={"tick": [f"t-{TYPE}"]},
        files={"slip": ("s.png", SCAN)},
    )
    assert done.status_code == 303, done.text
    assert office.state(ceremony_id) == ("confirmed", 1)
    with office.runtime.node.database.read() as tx:
        rows = tx.trail.list_access_of("ceremony", ceremony_id, 10)
    assert [row.action for _, row in rows] == ["confirm_consent", "print_slip"]


def test_unread_card_wants_a_second_officer_with_their_own_factors(office: Office) -> None:
    desk, ceremony_id = office.desk(), office.ceremony(read=False, types=(TYPE,))
    assert sign(office, turn_screen(desk, ceremony_id), f"t-{TYPE}").status_code == 303
    path = f"/consent/{ceremony_id}/confirm"
    assert json_of(desk.post(path, headers=JSON)) == (409, "second_officer_needed")
    boss, me = office.person("supervisor"), office.person("registrar")
    own = {"login": me.row.login, "password": PASSWORD}
    assert json_of(desk.post(path, data=own, headers=JSON)) == (403, "second_officer_same")
    plain = {"login": boss.row.login, "password": PASSWORD}
    assert json_of(desk.post(path, data=plain, headers=JSON)) == (403, "sign_in_refused")
    assert boss.totp_secret is not None
    code = pyotp.TOTP(boss.totp_secret).at(office.runtime.node.clock.now())
    assert desk.post(path, data={**plain, "code": code}).status_code == 303
    assert office.state(ceremony_id) == ("confirmed", 1)
    assert Role.SUPERVISOR.value in boss.row.roles


def confirm_at_counter(office: Office, *, printed: bool = False) -> tuple[str, str]:
    """A confirmed consent and a code for it, read from the printed slip or not (quicker)."""
    desk, ceremony_id = office.desk(), office.ceremony(types=(TYPE,))
    assert sign(office, turn_screen(desk, ceremony_id), f"t-{TYPE}").status_code == 303
    assert desk.post(f"/consent/{ceremony_id}/confirm").status_code == 303
    if printed:
        slip = desk.post(f"/consent/{ceremony_id}/slip", data={"size": "80mm"})
        return ceremony_id, read_code(slip)
    node, me = office.runtime.node, office.person("registrar").row.account_id
    return ceremony_id, issue_revocation_code(node, load_ceremony(node, ceremony_id, me)).printed


def is_being_revoked(office: Office, ceremony_id: str) -> bool:
    with office.runtime.node.database.read() as tx:
        grants = tx.consent.list_grants_of_ceremony(ceremony_id)
        return all(tx.outbox.find_latest("revoke", each.hex()) is not None for each in grants)


@pytest.mark.parametrize(
    "shown",
    [
        {"number": NUMBER},
        {
            "born_on": f"{NUMBER[6:10]}-{NUMBER[10:12]}-{NUMBER[12:14]}",
            "last_four": NUMBER[-4:],
        },
    ],
    ids=["card", "facts"],
)
def test_revocation_code_with_card_or_two_facts_withdraws(
    office: Office, shown: dict[str, str]
) -> None:
    ceremony_id, code = confirm_at_counter(office, printed="number" in shown)
    desk = office.desk()
    assert desk.get("/window/revoke").status_code == 200
    nobody = desk.post("/window/revoke", data={"code": code})
    assert nobody.status_code == 422  # the code alone is not enough
    done = desk.post("/window/revoke", data={"code": code, **shown})
    assert (done.status_code, "已撤回" in done.text) == (200, True)
    assert is_being_revoked(office, ceremony_id)


def test_revocation_code_with_wrong_facts_is_refused_and_limited(office: Office) -> None:
    ceremony_id, code = confirm_at_counter(office)
    desk = office.desk()
    wrong = {"code": code, "born_on": "1990-03-08", "last_four": NUMBER[-4:]}
    for _ in range(MAX_FAILURES):
        assert "未能撤回" in desk.post("/window/revoke", data=wrong).text
    right = desk.post("/window/revoke", data={"code": code, "number": NUMBER})
    assert "未能撤回" in right.text  # locked; the page does not say so
    assert not is_being_revoked(office, ceremony_id)
    mistyped = desk.post("/window/revoke", data={"code": code[:-1], "number": NUMBER})
    assert mistyped.status_code == 422


def test_citizen_request_confirm_receipt_and_withdraw_once(
    office: Office, key: SoftwareAuthenticator
) -> None:
    node, browser = office.runtime.node, office.citizen()
    form = browser.get("/me/request", params={"item": ITEM}).text
    assert form.count('type="checkbox"') >= 1
    assert "checked" not in form
    assert NUMBER not in form
    nothing = browser.post("/me/request", data={"item": ITEM}, headers=JSON)
    assert json_of(nothing) == (422, "consent_option")
    assert TYPE in {code for need in load_catalogue().items[ITEM].needs for code in need.any_of}
    asked = browser.post("/me/request", data={"item": ITEM, "tick": [TYPE]})
    where = asked.headers["location"]
    page = browser.get(where).text
    challenge = re.search(r'data-challenge="([\w-]+)"', page)
    assert challenge is not None
    raw = parse_base64url(challenge[1], what="challenge")
    before = len(list_own_grants(node, PERSON))
    wrong = assert_passkey(key, bytes(32), origin_of(RELIER))
    assert browser.post(where, data={"answer": wrong}).status_code == 422
    assert len(list_own_grants(node, PERSON)) == before
    done = browser.post(where, data={"answer": assert_passkey(key, raw, origin_of(RELIER))})
    assert (done.status_code, done.headers["location"]) == (303, where)
    assert "已确认" in browser.get(where).text
    new = [each for each in list_own_grants(node, PERSON) if each.terms.text]
    assert len(new) - before == 2  # one per other city
    slip = browser.post(f"{where}/slip")
    assert slip.headers["cache-control"] == "no-store"
    assert read_code(slip)
    grant = new[0].grant_id.hex()
    assert f"/me/grants/{grant}/withdraw" in browser.get("/me/grants").text
    assert browser.post(f"/me/grants/{grant}/withdraw").status_code == 303
    assert f"/me/grants/{grant}/withdraw" not in browser.get("/me/grants").text
    again = browser.post(f"/me/grants/{grant}/withdraw")
    assert again.status_code in (303, 409)
    with node.database.read() as tx:
        latest = tx.outbox.find_latest("revoke", grant)
        assert latest is not None
    assert "授权" in browser.get("/me/timeline").text


def test_citizen_sees_and_withdraws_nothing_of_another_person(
    office: Office, key: SoftwareAuthenticator
) -> None:
    browser, stranger = office.citizen(), office.citizen(STRANGER)
    asked = browser.post("/me/request", data={"item": ITEM, "tick": [TYPE]})
    where = asked.headers["location"]
    for method, path in (
        ("GET", where),
        ("POST", where),
        ("POST", f"{where}/decline"),
        ("POST", f"{where}/slip"),
        ("POST", f"{where}/provider"),
        ("POST", f"{where}/passkey"),
    ):
        refused = stranger.request(method, path, headers=JSON)
        assert json_of(refused) == (404, "ceremony_not_found"), path
    mine = list_own_grants(office.runtime.node, PERSON)
    theirs = stranger.get("/me/grants").text
    assert not any(each.grant_id.hex() in theirs for each in mine)
    grant = mine[0].grant_id.hex()
    foreign = stranger.post(f"/me/grants/{grant}/withdraw", headers=JSON)
    assert json_of(foreign) == (404, "own_grant_not_found")
    for path in ("/me", "/me/timeline"):
        text = stranger.get(path).text
        assert NAME not in text
        assert NUMBER not in text
    none = stranger.post("/me/elsewhere", headers=JSON)
    assert json_of(none) == (404, "no_passkey")
    assert browser.post(f"{where}/decline").status_code == 303
    late = browser.post(where, data={"answer": "{}"}, headers=JSON)
    assert late.status_code in (409, 422)


def test_question_to_other_cities_is_asked_only_after_the_confirmation(
    office: Office, key: SoftwareAuthenticator
) -> None:
    node, browser = office.runtime.node, office.citizen()

    def count_finds() -> int:
        with node.database.read() as tx:
            (tag,) = {row.subject_tag for row in tx.consent.list_ceremonies(subject_tag)}
            return len(tx.consent.list_finds_of_subject(tag))

    asked = browser.post("/me/elsewhere")
    where = asked.headers["location"]
    with node.database.read() as tx:
        row = tx.consent.find_ceremony(where.rsplit("/", 1)[1])
    assert row is not None
    subject_tag = row.subject_tag
    before = count_finds()
    page = browser.get(where).text
    found = re.search(r'data-challenge="([\w-]+)"', page)
    assert found is not None
    assert count_finds() == before
    raw = parse_base64url(found[1], what="challenge")
    done = browser.post(where, data={"answer": assert_passkey(key, raw, origin_of(RELIER))})
    assert done.headers["location"] == "/me"
    assert count_finds() > before
    own = [each for each in list_own_grants(node, PERSON) if each.terms.basis.value == "passkey"]
    assert own
    assert row.basis == "passkey"


def test_window_opens_own_pages_on_the_phone_once_and_only_for_a_read_card(
    office: Office,
) -> None:
    desk, unread = office.desk(), office.ceremony(read=False)
    refused = desk.post(f"/consent/{unread}/phone", headers=JSON)
    assert json_of(refused) == (403, "card_not_read")
    shown = desk.post(f"/consent/{office.ceremony()}/phone").text
    found = re.search(rf"{origin_of(RELIER)}(/me/open/[\w-]+)", shown)
    assert found is not None
    phone = open_browser(office.runtime)
    first = phone.get(found[1])
    assert (first.status_code, NAME in first.text) == (200, False)
    opened = phone.post(found[1])
    assert opened.headers["location"] == "/me/passkeys"
    assert phone.get("/me").status_code == 200
    again = open_browser(office.runtime).post(found[1], headers=JSON)
    assert json_of(again) == (404, "welcome_ended")
