"""T18: what a hostile page or text could do in a real browser, and the headers against it.

Quick: payloads in the fields a window shows. Every unsafe route is tried from the session of a
signed-in person without the form token; the twin with the token passes the check.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page

from api.access import SAFE_METHODS, Allow, Optionally, list_marks
from api.app import MODULES
from tests.browser.conftest import Town
from tests.browser.signing_in import sign_in

PAYLOADS = (
    "<img src=x onerror=document.title='owned'>",
    "<script>document.title='owned'</script>",
    "'\"><svg onload=document.title='owned'>",
    "{{ 7*7 }}",
    "<a href=javascript:document.title='owned'>请点这里</a>",
)
NUMBER = "510107199003070049"
# From a page of the node itself, with its cookie and Origin, and without the form token.
FETCH_CODE = """async ([method, path]) => {
  const answer = await fetch(path, {method, headers: {Accept: "application/json"}});
  return (await answer.json()).code;
}"""
ITEM = "hpf-loan-remote"


def list_unsafe() -> list[tuple[str, str]]:
    """(method, path pattern) of every route that changes something for a signed-in person."""
    return [
        (method, route.path)
        for module in MODULES
        for route in module.router.routes
        if isinstance(route, APIRoute)
        and any(isinstance(mark, Allow | Optionally) for mark in list_marks(route.dependant))
        for method in sorted(route.methods - SAFE_METHODS)
    ]


def open_case(page: Page, origin: str, name: str) -> None:
    """Open a case through the form."""
    page.goto(f"{origin}/cases/new")
    page.select_option("#f-item", ITEM)
    page.fill("#f-name", name)
    page.fill("#f-number", NUMBER)
    page.fill("#f-queue_number", "A017")
    page.click("main button.primary")
    page.wait_for_url(re.compile(r"/cases/[0-9a-f-]{36}$"))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_in_a_case_is_shown_as_text(
    town: Town, open_page: Callable[..., Page], payload: str
) -> None:
    page = open_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    sign_in(page, town, "mianyang", "registrar")
    open_case(page, town.origin("mianyang"), payload)
    for address in (page.url, f"{town.origin('mianyang')}/cases"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert payload in page.inner_text("main")
        assert "owned" not in page.title()
        assert (
            page.locator("main img[src=x], main svg[onload], main a[href^=javascript]").count() == 0
        )


def test_every_unsafe_route_without_the_form_token_is_refused(
    town: Town, open_page: Callable[..., Page]
) -> None:
    routes = list_unsafe()
    assert len(routes) >= 20, "the walk found too few routes"
    page = open_page()
    sign_in(page, town, "mianyang", "registrar")
    origin = town.origin("mianyang")
    answers: dict[str, list[str]] = {}
    for method, pattern in routes:
        path = re.sub(r"\{[^}]*\}", "0", pattern)
        code = page.evaluate(FETCH_CODE, [method, path])
        answers.setdefault(str(code), []).append(f"{method} {pattern}")
    # What the role may not do is refused for that; everything else for the missing token.
    assert answers.keys() == {"forged_request", "not_permitted_here"}, answers
    assert len(answers["forged_request"]) >= 20
    page.goto(f"{origin}/")
    assert page.locator("header .name").count() == 1, (
        "still signed in: the sign-out was refused too"
    )


def test_page_of_another_site_cannot_sign_somebody_out(
    town: Town, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    sign_in(page, town, "mianyang", "registrar")
    target = town.origin("mianyang")
    page.route(
        "http://evil.localhost:9/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f"<form method=post action='{target}/logout'><button>x</button></form>",
        ),
    )
    page.goto("http://evil.localhost:9/")
    page.click("button")
    page.goto(target)
    assert page.locator("header .name").count() == 1
    page.click("header .who form[action='/logout'] button")  # the twin: the own page signs out
    assert page.locator("header .name").count() == 0


def test_pages_carry_the_headers_and_are_framed_by_nobody(
    town: Town, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    for path in ("/", "/login", "/verify", "/nothing-here", "/static/icon.svg", "/healthz"):
        answer = page.goto(town.origin("wuhou") + path)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
