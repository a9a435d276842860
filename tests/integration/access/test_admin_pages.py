"""The administrators' pages: what each may do to an account, shown and carried out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest

from api.access import COOKIE
from ledger_node.core.lockout import FAILURES_ALLOWED
from tests.support.hall import PASSWORD, Hall, make_account, open_hall, session_headers

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("admin")) as opened:
        yield opened


@pytest.fixture(scope="module")
def system(hall: Hall) -> Any:
    return hall.sign_in("system_admin")


@pytest.fixture(scope="module")
def security(hall: Hall) -> Any:
    return hall.sign_in("security_admin")


def sign_in(hall: Hall, login: str, password: str, code: str = "") -> Any:
    return hall.client().post("/login", data={"login": login, "password": password, "code": code})


def secret_of(text: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', text)
    assert found is not None, text[-800:]
    return found[1]


def load(hall: Hall, login: str) -> Any:
    with hall.runtime.node.database.read() as tx:
        return tx.accounts.find_by_login(login)


def test_new_person_is_made_by_one_administrator_and_let_in_by_another(
    hall: Hall, system: Any, security: Any
) -> None:
    made = system.post("/admin/accounts", data={"login": "wang.fang", "display_name": "王芳"})
    first = secret_of(made.text)
    account_id = load(hall, "wang.fang").account_id
    assert system.post(f"/admin/security/{account_id}/roles", data={}).status_code == 403

    new = sign_in(hall, "wang.fang", first)
    assert new.headers["location"] == "/account/password"
    client = hall.client(cookie=f"{COOKIE}={new.cookies[COOKIE]}")
    assert client.get("/window").status_code == 403
    page = client.get("/account/password").text
    token = re.search(r'name="csrf_token" value="(\w+)"', page)
    assert token is not None
    own = {"csrf_token": token[1], "current": first, "new": "another long one", "again": ""}
    assert client.post("/account/password", data=own).status_code == 422
    own["again"] = own["new"]
    assert client.post("/account/password", data=own).headers["location"] == "/login"
    assert client.get("/account/password").status_code == 401

    assert sign_in(hall, "wang.fang", first).status_code == 403
    client = hall.client(
        cookie=f"{COOKIE}={sign_in(hall, 'wang.fang', own['new']).cookies[COOKIE]}"
    )
    assert client.get("/window").status_code == 403, "no role yet"
    answer = security.post(f"/admin/security/{account_id}/roles", data={"roles": ["registrar"]})
    assert answer.status_code == 303
    assert client.get("/window").status_code == 401, "roles changed: signed out"
    client = hall.client(
        cookie=f"{COOKIE}={sign_in(hall, 'wang.fang', own['new']).cookies[COOKIE]}"
    )
    assert client.get("/window").status_code == 200


def test_role_that_wants_a_second_factor_shows_its_secret_once(hall: Hall, security: Any) -> None:
    made = make_account(hall.runtime.node, "registrar")
    path = f"/admin/security/{made.row.account_id}"
    shown = security.post(f"{path}/roles", data={"roles": ["registrar", "supervisor"]})
    secret = secret_of(shown.text)
    assert secret not in security.get(path).text
    assert sign_in(hall, made.row.login, PASSWORD).status_code == 403
    code = pyotp.TOTP(secret).at(hall.clock.now())
    assert sign_in(hall, made.row.login, PASSWORD, code).status_code == 303
    renewed = secret_of(security.post(f"{path}/second-factor").text)
    hall.clock.ahead += hall.clock.ahead.__class__(seconds=60)
    late = pyotp.TOTP(secret).at(hall.clock.now())
    assert sign_in(hall, made.row.login, PASSWORD, late).status_code == 403
    good = pyotp.TOTP(renewed).at(hall.clock.now())
    assert sign_in(hall, made.row.login, PASSWORD, good).status_code == 303


@pytest.mark.parametrize(
    "roles",
    [
        ["system_admin", "security_admin"],
        ["audit_admin", "registrar"],
        ["auditor", "reviewer"],
        ["system"],
        ["registrar", "system"],
    ],
)
def test_roles_that_exclude_each_other_are_refused_and_nothing_changes(
    hall: Hall, security: Any, roles: list[str]
) -> None:
    made = make_account(hall.runtime.node, "registrar")
    path = f"/admin/security/{made.row.account_id}/roles"
    assert security.post(path, data={"roles": roles}).status_code == 422
    assert load(hall, made.row.login).roles == "registrar"
    assert security.post(path, data={"roles": ["registrar", "reviewer"]}).status_code == 303


def test_own_account_is_not_for_the_security_administrator(hall: Hall, security: Any) -> None:
    own = hall.person("security_admin").row.account_id
    assert security.post(f"/admin/security/{own}/roles", data={"roles": []}).status_code == 422
    for what in ("second-factor", "password"):
        answer = security.post(f"/admin/security/{own}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (403, "own_account")


def test_disabled_account_is_out_at_once_and_comes_back_without_roles(
    hall: Hall, system: Any
) -> None:
    made = make_account(hall.runtime.node, "registrar")
    token = sign_in(hall, made.row.login, PASSWORD).cookies[COOKIE]
    client = hall.client(cookie=f"{COOKIE}={token}")
    assert client.get("/window").status_code == 200
    path = f"/admin/accounts/{made.row.account_id}"
    assert system.post(f"{path}/disable").status_code == 303
    assert client.get("/window").status_code == 401
    assert sign_in(hall, made.row.login, PASSWORD).status_code == 403
    assert system.post(f"{path}/enable").status_code == 303
    assert load(hall, made.row.login).roles == ""
    assert sign_in(hall, made.row.login, PASSWORD).status_code == 303


def test_locked_account_is_unlocked_by_the_security_administrator(
    hall: Hall, security: Any
) -> None:
    made = make_account(hall.runtime.node, "registrar")
    for _ in range(FAILURES_ALLOWED):
        sign_in(hall, made.row.login, "wrong")
    assert sign_in(hall, made.row.login, PASSWORD).status_code == 403
    path = f"/admin/security/{made.row.account_id}"
    assert "解锁" in security.get(path).text
    assert security.post(f"{path}/unlock").status_code == 303
    assert sign_in(hall, made.row.login, PASSWORD).status_code == 303


def test_reset_password_opens_nothing_but_its_own_change(hall: Hall, security: Any) -> None:
    made = make_account(hall.runtime.node, "registrar")
    path = f"/admin/security/{made.row.account_id}"
    first = secret_of(security.post(f"{path}/password").text)
    assert sign_in(hall, made.row.login, PASSWORD).status_code == 403
    token = sign_in(hall, made.row.login, first).cookies[COOKIE]
    limited = hall.client(cookie=f"{COOKIE}={token}")
    assert limited.get("/window").json()["code"] == "not_permitted_here"
    assert limited.get("/account/password").status_code == 200
    own = {"current": first, "new": PASSWORD, "again": PASSWORD}
    changed = hall.client(**session_headers(token)).post("/account/password", data=own)
    assert changed.status_code == 303
    token = sign_in(hall, made.row.login, PASSWORD).cookies[COOKIE]
    assert hall.client(cookie=f"{COOKIE}={token}").get("/window").status_code == 200


def test_machine_has_a_key_that_opens_nothing_until_it_has_its_role(
    hall: Hall, system: Any, security: Any
) -> None:
    made = system.post(
        "/admin/accounts", data={"login": "zc-01", "kind": "machine", "system": "zongchuang"}
    )
    key, row = secret_of(made.text), load(hall, "zc-01")
    assert key.encode() not in (row.key_hash, row.sealed_profile)
    refused = security.post(
        f"/admin/security/{row.account_id}/roles", data={"roles": ["registrar"]}
    )
    assert refused.status_code == 422
    given = security.post(f"/admin/security/{row.account_id}/roles", data={"roles": ["system"]})
    assert given.status_code == 303
    assert load(hall, "zc-01").system == "zongchuang"


def test_place_and_outlet_are_kept_and_seen(hall: Hall, system: Any) -> None:
    made = make_account(hall.runtime.node, "registrar", officer=None)
    outlet = {"outlet": "east", "name_zh": "东区中心", "name_en": "East centre"}
    assert system.post("/admin/outlets", data=outlet).status_code == 303
    assert system.post("/admin/outlets", data=outlet).status_code == 422
    path = f"/admin/accounts/{made.row.account_id}"
    assert system.post(f"{path}/place", data={"outlet": "east", "window": "07"}).status_code == 303
    assert load(hall, made.row.login).window == "07"
    assert "东区中心" in system.get(path).text
    assert system.post(f"{path}/place", data={"outlet": "nowhere"}).status_code == 409


def test_every_change_stands_in_the_trail(hall: Hall, system: Any) -> None:
    made = make_account(hall.runtime.node, "registrar")
    account_id = made.row.account_id
    system.post(f"/admin/accounts/{account_id}/disable")
    trail = hall.sign_in("audit_admin")
    page = trail.get("/admin/trail", params={"kind": "account", "object": account_id}).text
    assert "停用账号" in page
    assert hall.person("system_admin").row.login in page
    assert "停用账号" not in trail.get("/admin/trail?kind=account&object=nobody").text
    whole = trail.get("/admin/trail")
    following = re.search(r'href="(/admin/trail\?before=\d+)"', whole.text)
    for _ in range(60):
        if following:
            break
        system.post(f"/admin/accounts/{account_id}/disable")
        following = re.search(r'href="(/admin/trail\?before=\d+)"', trail.get("/admin/trail").text)
    assert following is not None
    assert trail.get(following[1]).status_code == 200


@pytest.mark.parametrize(
    "form", [{"login": "王芳"}, {"login": ""}, {"login": "x" * 300}, {"login": "wang fang"}]
)
def test_login_that_is_no_short_name_is_refused(
    hall: Hall, system: Any, form: dict[str, str]
) -> None:
    assert system.post("/admin/accounts", data=form).status_code == 422
    fine = {"login": f"ok-{abs(hash(form['login'])) % 10**9}"}
    assert system.post("/admin/accounts", data=fine).status_code == 200
