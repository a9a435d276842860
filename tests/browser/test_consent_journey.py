"""A person ticks, signs and confirms at the window, then goes on at home with a passkey."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Town
from tests.browser.looking import list_overflowing, list_violations, shoot
from tests.browser.signing_in import sign_in

CITY = "mianyang"


def look(page: Page, name: str) -> None:
    """Picture, axe and width of a page as it stands."""
    shoot(page, name)
    assert not list_violations(page), name
    assert not list_overflowing(page), name


def open_ceremony(town: Town, page: Page) -> str:
    """A clerk identifies the borrower by card, chooses the loan, and asks for consent."""
    person = town.resident("borrower")
    sign_in(page, town, CITY, "registrar")
    page.goto(f"{town.origin(CITY)}/window")
    form = {"number": person["number"], "name": person["name"], "scheme": person["scheme"]}
    page.evaluate(
        """([form]) => {
          const target = document.getElementById('identify');
          for (const [name, value] of Object.entries(form)) target.elements[name].value = value;
          target.elements.means.value = 'card';
          target.removeAttribute('hx-post');
          target.submit();
        }""",
        [form],
    )
    page.wait_for_url(re.compile("/window/runs/"))
    run = page.url
    for path, fields in (
        ("/service", {"item": "hpf-loan-remote", "condition": "married"}),
        ("/consent", {}),
    ):
        status = page.evaluate(
            """async ([address, fields]) => {
              const token = document.querySelector('meta[name="csrf-token"]').content;
              const body = new URLSearchParams({ ...fields, csrf_token: token });
              const headers = { "HX-Request": "true" };
              return (await fetch(address, { method: "POST", body, headers })).status;
            }""",
            [run + path, fields],
        )
        assert status < 400, (path, status)
    page.goto(run)
    page.click("a[href^='/consent/']")
    return page.url


def draw(page: Page) -> None:
    """A signature on the pad."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(20):
        up = 20 if step % 2 else -20
        page.mouse.move(box["x"] + 30 + 12 * step, box["y"] + box["height"] / 2 + up)
    page.mouse.up()


def add_authenticator(page: Page) -> None:
    """A virtual authenticator that verifies its user."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_person_consents_at_the_window_and_goes_on_at_home(
    town: Town, open_page: Callable[..., Any]
) -> None:
    page = open_page()
    ceremony = open_ceremony(town, page)
    look(page, "consent-window-drafted-zh-desk")
    page.click("button[value=here]")
    expect(page.locator("input[name=tick]:checked")).to_have_count(0)  # nothing is ticked
    look(page, "consent-screen-zh-desk")
    page.click("button.primary.big")  # neither ticked nor signed
    expect(page.locator("#pad-problem")).not_to_be_empty()
    for box in page.locator("input[name=tick]").all():
        box.check()
    draw(page)
    page.click("button.primary.big")
    look(page, "consent-screen-signed-zh-desk")
    page.goto(ceremony)
    look(page, "consent-window-signed-zh-desk")
    second = page.locator("section input[name=login]")
    if second.count():
        account = town.account(CITY, "reviewer")
        second.fill(account["login"])
        page.fill("section input[name=password]", account["password"])
    page.click("section button.primary.big")
    page.wait_for_url(re.compile("/window/runs/"))  # the visit goes on by itself
    page.goto(ceremony)
    expect(page.locator(".badge.good")).to_be_visible()
    look(page, "consent-window-confirmed-zh-desk")
    page.click("form[action$='/phone'] button")
    look(page, "consent-phone-zh-desk")
    address = page.locator("p.mono").inner_text()

    phone = open_page(size="phone")
    add_authenticator(phone)
    phone.goto(address)
    look(phone, "me-open-zh-phone")
    phone.click("button.primary.big")
    look(phone, "me-passkeys-none-zh-phone")
    phone.click("#enrol button")
    expect(phone.locator("ul.card .badge").first).to_be_visible()
    phone.goto(f"{town.origin(CITY)}/me")
    look(phone, "me-waiting-zh-phone")
    for _ in range(60):
        if phone.locator("form[action='/me/elsewhere']").count():
            break
        phone.wait_for_timeout(1000)
        phone.reload()
    look(phone, "me-overview-zh-phone")
    phone.click("form[action='/me/elsewhere'] button")
    look(phone, "me-confirm-self-zh-phone")
    phone.wait_for_timeout(2000)  # a key counts from the second after its block on
    phone.click("#assert button")
    phone.wait_for_url(re.compile("/me$"))
    look(phone, "me-elsewhere-zh-phone")
    phone.goto(f"{town.origin(CITY)}/me/request?item=hpf-loan-remote")
    expect(phone.locator("input[name=tick]:checked")).to_have_count(0)
    look(phone, "me-request-zh-phone")
    phone.locator("input[name=tick]").first.check()
    phone.locator("button.primary.big").click()
    phone.click("#assert button")
    expect(phone.locator(".alert.good")).to_be_visible()
    look(phone, "me-confirmed-zh-phone")
    phone.goto(f"{town.origin(CITY)}/me/grants")
    look(phone, "me-grants-zh-phone")
    phone.locator("button.danger").first.click()
    look(phone, "me-grants-withdrawn-zh-phone")
    phone.goto(f"{town.origin(CITY)}/me/timeline")
    look(phone, "me-timeline-zh-phone")
    page.goto(f"{town.origin(CITY)}/window/revoke")
    look(page, "revoke-zh-desk")


def test_the_screens_in_english_on_a_phone(town: Town, open_page: Callable[..., Any]) -> None:
    page = open_page(language="en", size="phone")
    open_ceremony(town, page)
    look(page, "consent-window-drafted-en-phone")
    page.click("button[value=here]")
    look(page, "consent-screen-en-phone")
    page.click("form[action$='/decline'] button")
    look(page, "consent-declined-en-phone")
    page.goto(f"{town.origin(CITY)}/window/revoke")
    look(page, "revoke-en-phone")
