"""Three administrators apart: accounts, roles, a lock, leaving, second factors, and the trail.

Each works in a browser of their own; the person they administer sits in another.
"""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.at_window import READY_MS, look
from tests.browser.conftest import Town
from tests.browser.everywhere import look_at_path, look_everywhere
from tests.browser.signing_in import sign_in

OpenPage = Callable[..., Page]
CITY = "yuzhong"
OWN_PASSWORD = "a sentence of my own choice"
FAILURES_ALLOWED = 5


def enter(page: Page, town: Town, login: str, password: str, code: str = "") -> None:
    """Try to sign in, once."""
    page.goto(f"{town.origin(CITY)}/login")
    page.fill("#f-login", login)
    page.fill("#f-password", password)
    page.fill("#f-code", code)
    page.click("main button.primary")


def make_account(page: Page, town: Town, login: str, name: str) -> str:
    """Make an account; the password that is shown once."""
    page.goto(f"{town.origin(CITY)}/admin/accounts")
    page.fill("#f-login", login)
    page.fill("#f-display_name", name)
    page.click("form[action='/admin/accounts'] button.primary")
    return page.locator("code.secret").inner_text()


def give_roles(page: Page, town: Town, login: str, *roles: str) -> None:
    page.goto(f"{town.origin(CITY)}/admin/security")
    page.click(f"main a:text-is('{login}')")
    for role in roles:
        page.check(f"#f-roles-{role}")
    page.click("form[action$='/roles'] button.primary")


def take_over(page: Page, town: Town, login: str, first: str) -> None:
    """Sign in for the first time and choose an own password."""
    enter(page, town, login, first)
    page.wait_for_url("**/account/password*")
    look_everywhere(page, "account-first-password")
    page.fill("#f-current", first)
    page.fill("#f-new", OWN_PASSWORD)
    page.fill("#f-again", OWN_PASSWORD)
    page.click("main button.primary")
    page.wait_for_url("**/login*")


@pytest.fixture
def system(town: Town, open_page: OpenPage) -> Page:
    page = open_page()
    page.set_default_timeout(READY_MS)
    sign_in(page, town, CITY, "system_admin")
    return page


@pytest.fixture
def security(town: Town, open_page: OpenPage) -> Page:
    page = open_page()
    page.set_default_timeout(READY_MS)
    sign_in(page, town, CITY, "security_admin")
    return page


def test_clerk_comes_is_locked_and_leaves_on_one_day(
    town: Town, system: Page, security: Page, open_page: OpenPage
) -> None:
    origin = town.origin(CITY)
    first = make_account(system, town, "w12.clerk", "周晓雯")
    look(system, "admin-secret-password")
    system.goto(f"{origin}/admin/accounts")
    look_everywhere(system, "admin-accounts", large=True)
    system.click("main a:text-is('w12.clerk')")
    account = system.url
    look_everywhere(system, "admin-account-without-roles")
    system.select_option("#f-outlet", "hall")
    system.fill("#f-window", "12")
    system.click("form[action$='/place'] button.primary")
    expect(system.locator("#f-window")).to_have_value("12")

    clerk = open_page()
    clerk.set_default_timeout(READY_MS)
    give_roles(security, town, "w12.clerk", "registrar")
    look_everywhere(security, "admin-security-account")
    take_over(clerk, town, "w12.clerk", first)
    enter(clerk, town, "w12.clerk", OWN_PASSWORD)
    clerk.wait_for_url(lambda url: "/login" not in url)
    clerk.goto(f"{origin}/window")
    expect(clerk.locator("h1")).to_be_visible()
    clerk.goto(f"{origin}/admin/accounts")
    assert clerk.locator("table").count() == 0, "a clerk administers nobody"
    look(clerk, "error-not-permitted")

    stranger = open_page()
    stranger.set_default_timeout(READY_MS)
    for _ in range(FAILURES_ALLOWED):
        enter(stranger, town, "w12.clerk", "guessed and guessed again")
        expect(stranger.locator(".alert.bad")).to_be_visible()
    enter(stranger, town, "w12.clerk", OWN_PASSWORD)  # right, and refused: it is locked
    expect(stranger.locator(".alert.bad")).to_be_visible()
    look_title = stranger.locator("h1").inner_text()
    assert look_title == "登录"
    look(stranger, "login-refused")
    security.goto(f"{origin}/admin/security")
    row = security.locator("tr", has_text="w12.clerk")
    expect(row.locator(".badge.wait")).to_have_text("已锁定")
    look_everywhere(security, "admin-security")
    row.locator("a").click()
    look(security, "admin-security-account-locked")
    security.click("form[action$='/unlock'] button")
    expect(security.locator("form[action$='/unlock']")).to_have_count(0)
    enter(stranger, town, "w12.clerk", OWN_PASSWORD)
    stranger.wait_for_url(lambda url: "/login" not in url)

    system.goto(account)
    system.click("button.danger")
    expect(system.locator("main .badge.bad").first).to_have_text("已停用")
    look_everywhere(system, "admin-account-off")
    for page in (clerk, stranger):
        page.goto(f"{origin}/window")
        assert "/login" in page.url, "whoever is signed in is out at once"
    enter(clerk, town, "w12.clerk", OWN_PASSWORD)
    expect(clerk.locator(".alert.bad")).to_be_visible()


def test_supervisor_gets_codes_and_signs_in_with_them_only(
    town: Town, system: Page, security: Page, open_page: OpenPage
) -> None:
    first = make_account(system, town, "w13.head", "吴建平")
    give_roles(security, town, "w13.head", "supervisor")
    secret = security.locator("code.secret").inner_text()
    look(security, "admin-secret-codes")
    page = open_page()
    page.set_default_timeout(READY_MS)
    enter(page, town, "w13.head", first)
    expect(page.locator(".alert.bad")).to_be_visible()
    enter(page, town, "w13.head", first, pyotp.TOTP(secret).now())
    page.wait_for_url("**/account/password*")


def test_what_is_typed_wrong_is_named(town: Town, system: Page) -> None:
    login = town.account(CITY, "registrar")["login"]
    system.goto(f"{town.origin(CITY)}/admin/accounts")
    system.fill("#f-login", login)
    system.click("form[action='/admin/accounts'] button.primary")
    expect(system.locator(".alert.bad")).to_be_visible()
    expect(system.locator("#f-login")).to_have_value(login)
    look(system, "admin-accounts-problem")


def test_nobody_administers_their_own_account(town: Town, security: Page) -> None:
    security.goto(f"{town.origin(CITY)}/admin/security")
    security.click(f"main a:text-is('{town.account(CITY, 'security_admin')['login']}')")
    assert security.locator("form[action$='/roles']").count() == 0
    assert security.locator("form[action$='/second-factor']").count() == 0
    look_everywhere(security, "admin-security-own")


def test_trail_names_what_was_done_and_no_resident(town: Town, open_page: OpenPage) -> None:
    page = open_page()
    page.set_default_timeout(READY_MS)
    sign_in(page, town, CITY, "audit_admin")
    look_at_path(page, f"{town.origin(CITY)}/admin/trail", "admin-trail", large=True)
    told = page.content()
    for resident in town.facts["residents"]:
        assert resident["name"] not in told
        assert resident["number"] not in told
    page.select_option("#f-kind", "account")
    page.fill("#f-object", "nobody")
    page.click("main form[role=search] button")
    look(page, "admin-trail-empty")


def test_staff_passkeys_and_password_pages(town: Town, open_page: OpenPage) -> None:
    page = open_page()
    page.set_default_timeout(READY_MS)
    sign_in(page, town, CITY, "supervisor")
    look_at_path(page, f"{town.origin(CITY)}/account/password", "account-password", large=True)
    look_at_path(page, f"{town.origin(CITY)}/account/passkeys", "account-passkeys", large=True)
