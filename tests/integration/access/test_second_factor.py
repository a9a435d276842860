"""A passkey as second factor of staff: enrolled in a session, shown after the password, counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from starlette.testclient import TestClient

from api.access import COOKIE
from ledger_node.core.canonical import parse_base64url
from ledger_node.core.lockout import FAILURES_ALLOWED
from ledger_node.flows.accounts import MadeAccount
from ledger_node.flows.administering import disable_account, reset_second_factor
from ledger_node.flows.passkey_devices import CHALLENGE_LIFE, MAX_PASSKEYS
from ledger_node.flows.staff_passkeys import list_staff_passkeys
from tests.fakes.software_authenticator import USER_PRESENT, SoftwareAuthenticator
from tests.support.hall import ORIGIN, PASSWORD, Hall, make_account, open_hall, session_headers
from tests.support.registration import assert_passkey, register_passkey

pytestmark = pytest.mark.integration
RP = "wuhou.localhost"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("second")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _on_time(hall: Hall) -> Iterator[None]:
    yield
    hall.clock.ahead = timedelta()


def enrol(client: TestClient, key: SoftwareAuthenticator, **parts: Any) -> Any:
    options = client.post("/account/passkeys/options")
    assert options.status_code == 200, options.text
    answer = register_passkey(key, options.text, ORIGIN, **parts)
    return client.post("/account/passkeys", data={"answer": answer})


def make_holder(hall: Hall, number: int) -> tuple[MadeAccount, SoftwareAuthenticator]:
    """A supervisor with a passkey."""
    made, key = make_account(hall.runtime.node, "supervisor"), SoftwareAuthenticator(number, RP)
    assert enrol(signed_in(hall, made), key).status_code == 303
    return made, key


def signed_in(hall: Hall, made: MadeAccount) -> TestClient:
    """A session of the account by password and code."""
    assert made.totp_secret is not None
    now = hall.clock.now()
    with hall.runtime.node.database.transaction() as tx:
        account = tx.accounts.load_account(made.row.account_id)
        step = int(now.timestamp()) // 30
        if account.totp_step >= step:  # a code counts once
            hall.clock.ahead += timedelta(seconds=30)
    code = pyotp.TOTP(made.totp_secret).at(hall.clock.now())
    answer = hall.client().post(
        "/login", data={"login": made.row.login, "password": PASSWORD, "code": code}
    )
    assert answer.status_code == 303, answer.text
    return hall.client(**session_headers(answer.cookies[COOKIE]))


def ask(hall: Hall, made: MadeAccount, password: str = PASSWORD) -> Any:
    """Send login and password without a code."""
    return hall.client().post("/login", data={"login": made.row.login, "password": password})


def challenge_of(page: Any) -> bytes:
    found = re.search(r'data-challenge="([\w-]+)"', page.text)
    assert found is not None, page.text
    return parse_base64url(found[1], what="challenge")


def show(hall: Hall, key: SoftwareAuthenticator, challenge: bytes, **parts: Any) -> Any:
    """Send the device's answer."""
    origin = parts.pop("origin", ORIGIN)
    answer = assert_passkey(key, challenge, origin, **parts)
    return hall.client().post("/login/passkey", data={"answer": answer, "next": "/cases"})


def list_actions(hall: Hall, made: MadeAccount) -> list[str]:
    with hall.runtime.node.database.read() as tx:
        rows = tx.trail.list_access_of("account", made.row.account_id, 50)
    return [row.action for _, row in rows]


def test_sign_in_with_password_and_passkey_opens_a_session_and_stands_in_the_trail(
    hall: Hall,
) -> None:
    made, key = make_holder(hall, 0x61)
    page = ask(hall, made)
    assert page.status_code == 200
    assert COOKIE not in page.cookies
    answer = show(hall, key, challenge_of(page))
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    client = hall.client(**session_headers(answer.cookies[COOKIE]))
    assert client.get("/account/passkeys", headers={"accept": "text/html"}).status_code == 200
    assert {"passkey.enrol", "passkey.sign-in"} <= set(list_actions(hall, made))
    code_only = signed_in(hall, made)  # codes go on
    assert code_only.get("/account/passkeys").status_code == 200


def test_sign_in_without_passkey_or_with_another_password_opens_no_second_step(hall: Hall) -> None:
    made, _ = make_holder(hall, 0x62)
    plain = make_account(hall.runtime.node, "supervisor")
    assert ask(hall, plain).status_code == 403
    refused = ask(hall, made, "another password")
    assert refused.status_code == 403
    assert "data-challenge" not in refused.text


@pytest.mark.parametrize(
    "parts",
    [
        {"flags": USER_PRESENT},
        {"rp_id": "mianyang.localhost"},
        {"origin": "https://elsewhere.test"},
    ],
)
def test_passkey_falsified_opens_no_session_and_is_counted(
    hall: Hall, parts: dict[str, Any]
) -> None:
    made, key = make_holder(hall, 0x63 + len(str(parts)))
    refused = show(hall, key, challenge_of(ask(hall, made)), **parts)
    assert (refused.status_code, COOKIE in refused.cookies) == (403, False)
    with hall.runtime.node.database.read() as tx:
        assert tx.accounts.load_account(made.row.account_id).failures == 1


def test_passkey_of_another_account_or_without_a_password_opens_nothing(hall: Hall) -> None:
    made, key = make_holder(hall, 0x71)
    other, _ = make_holder(hall, 0x72)
    assert show(hall, key, challenge_of(ask(hall, other))).status_code == 403
    assert show(hall, key, bytes(32)).status_code == 403
    client = signed_in(hall, made)
    options = client.post("/account/passkeys/options").json()
    enrolling = parse_base64url(options["challenge"], what="challenge")
    assert show(hall, key, enrolling).status_code == 403  # made for enrolling, not for signing in


def test_challenge_of_the_second_step_counts_once_and_for_five_minutes(hall: Hall) -> None:
    made, key = make_holder(hall, 0x73)
    challenge = challenge_of(ask(hall, made))
    assert show(hall, key, challenge).status_code == 303
    assert show(hall, key, challenge).status_code == 403
    late = challenge_of(ask(hall, made))
    hall.clock.ahead += CHALLENGE_LIFE
    assert show(hall, key, late).status_code == 403


def test_copied_passkey_whose_count_does_not_rise_is_refused(hall: Hall) -> None:
    made, key = make_holder(hall, 0x74)
    assert show(hall, key, challenge_of(ask(hall, made))).status_code == 303
    copy = SoftwareAuthenticator(key.secret, RP)
    assert show(hall, copy, challenge_of(ask(hall, made))).status_code == 403


def test_password_alone_does_not_lift_the_lock_on_codes(hall: Hall) -> None:
    made, key = make_holder(hall, 0x75)
    for _ in range(FAILURES_ALLOWED):
        ask(hall, made)  # the right password, forgiving nothing
        data = {"login": made.row.login, "password": PASSWORD, "code": "000000"}
        assert hall.client().post("/login", data=data).status_code == 403
    assert ask(hall, made).status_code == 403
    assert made.row.account_id
    with hall.runtime.node.database.read() as tx:
        assert tx.accounts.load_account(made.row.account_id).locked_until is not None
    del key


def test_locked_or_disabled_account_is_refused_at_the_second_step_too(hall: Hall) -> None:
    made, key = make_holder(hall, 0x76)
    challenge = challenge_of(ask(hall, made))
    disable_account(hall.runtime.node, made.row.account_id)
    assert show(hall, key, challenge).status_code == 403


def test_reset_of_the_second_factor_takes_passkeys_away(hall: Hall) -> None:
    made, key = make_holder(hall, 0x77)
    challenge = challenge_of(ask(hall, made))
    reset_second_factor(hall.runtime.node, made.row.account_id)
    assert list_staff_passkeys(hall.runtime.node, made.row.account_id) == []
    assert show(hall, key, challenge).status_code == 403
    assert ask(hall, made).status_code == 403


def test_enrol_twice_or_more_than_five_is_refused_and_remove_is_for_the_own_ones(
    hall: Hall,
) -> None:
    made, key = make_holder(hall, 0x78)
    client = signed_in(hall, made)
    assert enrol(client, key).json()["code"] == "passkey_enrolled"
    for number in range(1, MAX_PASSKEYS):
        assert enrol(client, SoftwareAuthenticator(0x200 + number, RP)).status_code == 303
    full = enrol(client, SoftwareAuthenticator(0x300, RP))
    assert (full.status_code, full.json()["code"]) == (409, "passkey_enrolled")
    other, _ = make_holder(hall, 0x79)
    (theirs,) = list_staff_passkeys(hall.runtime.node, other.row.account_id)
    foreign = client.post("/account/passkeys/remove", data={"key": theirs.credential_hash.hex()})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "staff_passkey_not_found")
    mine = list_staff_passkeys(hall.runtime.node, made.row.account_id)
    removed = client.post("/account/passkeys/remove", data={"key": mine[0].credential_hash.hex()})
    assert removed.status_code == 303
    assert len(list_staff_passkeys(hall.runtime.node, made.row.account_id)) == MAX_PASSKEYS - 1
    assert "passkey.remove" in list_actions(hall, made)


@pytest.mark.parametrize("role", ["registrar", "citizen"])
def test_roles_without_a_second_factor_enrol_none(hall: Hall, role: str) -> None:
    client = hall.sign_in(role)
    assert client.post("/account/passkeys/options").status_code in (401, 403)
    assert client.get("/account/passkeys").status_code in (401, 403)


def test_second_step_from_a_page_of_somebody_else_is_refused(hall: Hall) -> None:
    made, key = make_holder(hall, 0x7A)
    answer = assert_passkey(key, challenge_of(ask(hall, made)), ORIGIN)
    client = hall.client(origin="https://elsewhere.test")
    refused = client.post("/login/passkey", data={"answer": answer})
    assert (refused.status_code, COOKIE in refused.cookies) == (403, False)
