"""Signing in as a seeded account, by the page itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyotp
from playwright.sync_api import Page

if TYPE_CHECKING:
    from tests.browser.conftest import Town

TOTP_STEP_S = 30
SESSION = "__Host-tb"
_sessions: dict[tuple[str, str, str], Any] = {}


def be_signed_in(page: Page, town: Town, slug: str, role: str) -> None:
    """Go on with the session of an earlier test, where signing in is not what is looked at."""
    key = (str(town.path), slug, role)
    if key in _sessions:
        page.context.add_cookies([_sessions[key]])
        return
    sign_in(page, town, slug, role)
    cookies = page.context.cookies(town.origin(slug))
    _sessions[key] = next(each for each in cookies if each["name"] == SESSION)


def sign_in(page: Page, town: Town, slug: str, role: str) -> None:
    """Sign in through the form; a one-time code counts once, so a used one is waited out."""
    account = town.account(slug, role)
    for _ in range(3):
        page.goto(f"{town.origin(slug)}/login")
        page.fill("#f-login", account["login"])
        page.fill("#f-password", account["password"])
        if account["totp"]:
            page.fill("#f-code", pyotp.TOTP(account["totp"]).now())
        page.click("main button.primary")
        if "/login" not in page.url:
            return
        time.sleep(TOTP_STEP_S - time.time() % TOTP_STEP_S + 0.5)
    raise AssertionError(f"{role} of {slug} could not sign in: {page.inner_text('main')}")
