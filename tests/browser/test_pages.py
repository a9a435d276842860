"""Every page without a parameter, in both languages and sizes: a picture, and axe-core is content.

Pages with parameters are looked at in the journeys that lead to them.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Town
from tests.browser.everywhere import look_everywhere
from tests.browser.looking import list_overflowing, list_violations, shoot
from tests.browser.signing_in import be_signed_in, sign_in
from tests.browser.test_safety import open_case

PAGES: dict[str, tuple[str, ...]] = {
    "": ("/", "/login", "/verify", "/nothing-here"),
    "registrar": (
        "/",
        "/window",
        "/window/batch",
        "/window/devices",
        "/cases",
        "/cases/new",
        "/window/revoke",
    ),
    "reviewer": ("/cases/reviews",),
    "auditor": ("/audit",),
    "system_admin": ("/admin/accounts",),
    "security_admin": ("/admin/security",),
    "audit_admin": ("/admin/trail",),
}
LOOKS = [(language, size) for language in ("zh", "en") for size in ("desk", "phone")]


@pytest.mark.parametrize(("language", "size"), LOOKS)
@pytest.mark.parametrize("role", PAGES)
def test_page_in_every_look_is_whole_and_accessible(
    town: Town, open_page: Callable[..., Page], role: str, language: str, size: str
) -> None:
    page = open_page(language, size)
    if role:
        be_signed_in(page, town, "mianyang", role)
    problems = []
    for path in PAGES[role]:
        page.goto(town.origin("mianyang") + path)
        page.wait_for_load_state("networkidle")
        shoot(page, f"{role or 'nobody'}-{path.strip('/') or 'start'}-{language}-{size}")
        assert page.locator("h1").count() == 1, f"{path}: one heading of the first rank"
        problems += [f"{path}: {each}" for each in list_violations(page)]
        problems += [f"{path} sticks out: {each}" for each in list_overflowing(page)]
    assert not problems, problems


def test_large_text_keeps_every_page_inside_a_phone(
    town: Town, open_page: Callable[..., Page]
) -> None:
    page = open_page("zh", "phone")
    page.goto(town.origin("mianyang") + "/")
    page.click("button[name=size]")
    for path in PAGES[""]:
        page.goto(town.origin("mianyang") + path)
        assert page.locator("html.size-large").count() == 1
        shoot(page, f"nobody-{path.strip('/') or 'start'}-zh-phone-large")
        assert not list_overflowing(page), path


def test_one_case_in_every_look(town: Town, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, town, "mianyang", "registrar")
    open_case(page, town.origin("mianyang"), town.resident("husband")["name"])
    look_everywhere(page, "case", large=True)
    page.goto(f"{page.url}/papers")
    look_everywhere(page, "case-papers-none")
    page.goto(page.url.removesuffix("/papers"))
    page.click("form[action$='/accept'] button")
    page.goto(f"{page.url}/papers")
    look_everywhere(page, "case-papers")
