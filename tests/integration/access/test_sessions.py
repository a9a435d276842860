"""Passwords, codes and sessions: one answer for every refusal, ends that hold, headers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from api.access import COOKIE
from api.routes import session
from ledger_node.core.lockout import FAILURES_ALLOWED, LOCKED_FOR
from ledger_node.flows.accounts import SignInRefusedError, verify_credentials
from ledger_node.flows.sessions import (
    IDLE,
    STAFF_LIFE,
    TOUCH_EVERY,
    begin_session,
    derive_csrf_token,
    find_session,
    hash_token,
    sweep_sessions,
)
from tests.quick_passwords import build_own_hasher
from tests.support.hall import ORIGIN, PASSWORD, Hall, make_account, open_hall

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("sessions")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _on_time(hall: Hall) -> Iterator[None]:
    yield
    hall.clock.ahead = timedelta()


def sign_in(
    hall: Hall, login: str, password: str = PASSWORD, code: str = "", **headers: str
) -> Any:
    data = {"login": login, "password": password, "code": code}
    return hall.client(**headers).post("/login", data=data)


def holds(hall: Hall, token: str) -> bool:
    return find_session(hall.runtime.node, token) is not None


def test_sign_in_gives_a_host_cookie_of_a_token_the_database_does_not_hold(hall: Hall) -> None:
    made = make_account(hall.runtime.node, "registrar")
    answer = sign_in(hall, made.row.login)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-tb=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    token = answer.cookies[COOKIE]
    with hall.runtime.node.database.read() as tx:
        (row,) = tx.accounts.list_sessions_of(made.row.account_id)
    assert row.session_hash == hash_token(token) != token.encode()
    assert len(bytes.fromhex(token)) == 32


def test_sign_in_every_refusal_is_the_same_page(hall: Hall) -> None:
    node = hall.runtime.node
    person, boss = make_account(node, "registrar"), make_account(node, "supervisor")
    refused = {
        "unknown login": sign_in(hall, "nobody-at-all"),
        "wrong password": sign_in(hall, person.row.login, "another password"),
        "no code": sign_in(hall, boss.row.login),
        "wrong code": sign_in(hall, boss.row.login, code="000000"),
    }
    pages = {
        name: answer.text.replace(person.row.login, "…").replace(boss.row.login, "…")
        for name, answer in refused.items()
    }
    assert {answer.status_code for answer in refused.values()} == {403}
    assert {page.replace("nobody-at-all", "…") for page in pages.values()} == {
        pages["wrong password"]
    }
    assert not any(COOKIE in answer.cookies for answer in refused.values())
    assert sign_in(hall, person.row.login).status_code == 303


def test_verify_credentials_unknown_login_costs_the_time_of_a_known_one(hall: Hall) -> None:
    node = hall.runtime.node
    logins = [make_account(node, "registrar").row.login for _ in range(2)]

    def cost_s(login: str) -> float:
        began_s = time.thread_time()
        with pytest.raises(SignInRefusedError):
            verify_credentials(node, login, "wrong password")
        return time.thread_time() - began_s

    cost_s("warm-up")
    unknown = statistics.median([cost_s(f"nobody-{i}") for i in range(4)])
    known = statistics.median([cost_s(logins[i % 2]) for i in range(4)])
    assert unknown > 0.4 * known, (unknown, known)


def test_passwords_are_hashed_with_the_work_that_rfc_9106_asks_for() -> None:
    kept = extract_parameters(build_own_hasher().hash("a password"))
    assert kept == RFC_9106_LOW_MEMORY


def test_lock_after_five_wrong_answers_holds_for_its_time(hall: Hall) -> None:
    made = make_account(hall.runtime.node, "registrar")
    for _ in range(FAILURES_ALLOWED):
        assert sign_in(hall, made.row.login, "wrong password").status_code == 403
    assert sign_in(hall, made.row.login).status_code == 403
    hall.clock.ahead = LOCKED_FOR
    assert sign_in(hall, made.row.login).status_code == 303


def test_right_answer_forgets_the_wrong_ones(hall: Hall) -> None:
    made = make_account(hall.runtime.node, "registrar")
    for _ in range(2):
        for _ in range(FAILURES_ALLOWED - 1):
            sign_in(hall, made.row.login, "wrong password")
        assert sign_in(hall, made.row.login).status_code == 303


def test_wrong_answers_side_by_side_are_all_counted(hall: Hall) -> None:
    made = make_account(hall.runtime.node, "registrar")

    def guess(number: int) -> None:
        with pytest.raises(SignInRefusedError):
            verify_credentials(hall.runtime.node, made.row.login, f"guess {number}")

    with ThreadPoolExecutor(FAILURES_ALLOWED) as pool:
        list(pool.map(guess, range(FAILURES_ALLOWED)))
    with pytest.raises(SignInRefusedError):
        verify_credentials(hall.runtime.node, made.row.login, PASSWORD)


def test_code_counts_once_and_only_near_its_time(hall: Hall) -> None:
    made = make_account(hall.runtime.node, "supervisor")
    assert made.totp_secret is not None
    totp = pyotp.TOTP(made.totp_secret)
    hall.clock.ahead = timedelta(minutes=5)
    early = totp.at(hall.clock.now() - timedelta(seconds=90))
    assert sign_in(hall, made.row.login, code=early).status_code == 403
    code = totp.at(hall.clock.now())
    assert sign_in(hall, made.row.login, code=code).status_code == 303
    assert sign_in(hall, made.row.login, code=code).status_code == 403
    hall.clock.ahead += timedelta(seconds=60)
    later = totp.at(hall.clock.now())
    assert sign_in(hall, made.row.login, code=later).status_code == 303


def test_session_ends_when_idle_and_is_kept_by_use(hall: Hall) -> None:
    row = make_account(hall.runtime.node, "registrar").row
    used, idle = (begin_session(hall.runtime.node, row, second_factor=False) for _ in range(2))
    hall.clock.ahead = IDLE / 2 + TOUCH_EVERY
    assert holds(hall, used)
    hall.clock.ahead = IDLE
    assert holds(hall, used)
    assert not holds(hall, idle)


def test_session_ends_at_its_absolute_end_however_used(hall: Hall) -> None:
    row = make_account(hall.runtime.node, "registrar").row
    token = begin_session(hall.runtime.node, row, second_factor=False)
    while hall.clock.ahead + IDLE / 2 < STAFF_LIFE:
        hall.clock.ahead += IDLE / 2
        assert holds(hall, token)
    hall.clock.ahead = STAFF_LIFE
    assert not holds(hall, token), "used a moment ago"
    assert sweep_sessions(hall.runtime.node) >= 1
    with hall.runtime.node.database.read() as tx:
        assert tx.accounts.find_session(hash_token(token)) is None


def test_sign_out_ends_the_session_in_the_database(hall: Hall) -> None:
    client = hall.sign_in("registrar")
    token = client.headers["cookie"].split("=", 1)[1]
    assert client.post("/logout").status_code == 303
    assert not holds(hall, token)
    assert client.get("/window").status_code == 401


def test_sign_in_from_a_page_elsewhere_is_refused(hall: Hall) -> None:
    login = make_account(hall.runtime.node, "registrar").row.login
    for origin in ("https://elsewhere.example", "null", ""):
        answer = sign_in(hall, login, origin=origin)
        assert (answer.status_code, answer.json()["code"]) == (403, "forged_request")
    assert sign_in(hall, login, origin=ORIGIN).status_code == 303


def test_session_under_another_host_is_nobody(hall: Hall) -> None:
    client, path = hall.sign_in("registrar"), "/account/password"
    assert client.get(path).status_code == 200
    assert client.get(path, headers={"host": "127.0.0.1:9"}).status_code == 401
    assert client.get(path, headers={"host": "rebound.example"}).status_code == 421


def test_sign_in_goes_on_only_within_this_site(hall: Hall) -> None:
    login = make_account(hall.runtime.node, "registrar").row.login
    for path, leads_to in (
        ("/cases", "/cases"),
        ("//elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
    ):
        data = {"login": login, "password": PASSWORD, "next": path}
        assert hall.client().post("/login", data=data).headers["location"] == leads_to


def test_attempts_of_one_address_are_limited_and_another_goes_on(hall: Hall) -> None:
    login = make_account(hall.runtime.node, "registrar").row.login
    guesser, right = hall.client(), {"login": login, "password": PASSWORD}
    city = hall.runtime.node.city
    for _ in range(session.ATTEMPTS.amount):
        assert session.limiter.hit(session.ATTEMPTS, city, guesser._transport.client[0])  # type: ignore[attr-defined]
    assert guesser.post("/login", data=right).status_code == 429
    assert hall.client().post("/login", data=right).status_code == 303


def test_derive_csrf_token_differs_from_the_token_and_between_sessions() -> None:
    assert derive_csrf_token("a" * 64) not in ("a" * 64, derive_csrf_token("b" * 64))


@pytest.mark.parametrize("path", ["/login", "/static/icon.svg", "/healthz", "/nowhere", "/window"])
def test_every_answer_carries_the_security_headers(hall: Hall, path: str) -> None:
    headers = hall.client().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]
