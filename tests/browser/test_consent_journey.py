"""Consent, by two ways of equal weight: at home with a passkey, and at the counter by signature.

At home: a phone, opened once at the window, sees what is held where, asks, agrees paper by paper,
takes the receipt, withdraws in one step, and reads who asked and who fetched. At the counter: the
pad or a signed slip, and a printed slip whose code works at any city's window.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from pathlib import Path

import pypdfium2
from playwright.sync_api import Page, expect

from tests.browser.at_window import CITY, READY_MS, THREE, Clerk, look, sign_as_person
from tests.browser.conftest import Town
from tests.browser.everywhere import look_everywhere
from tests.browser.signing_in import sign_in

OpenPage = Callable[..., Page]
PHONE = ("phone",)
RECORDED_S = 40
ITEM = "hpf-loan-remote"
CODE = re.compile(r"\b[0-9A-Z]{4}(?:[- ][0-9A-Z]{4}){4}\b")
# The form is sent from the page itself; its answer is a file.
POST_FORM = """async selector => {
  const form = document.querySelector(selector);
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, {method: "POST", body});
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}"""


def add_authenticator(page: Page) -> None:
    """A virtual authenticator that verifies its user."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def read_pdf(page: Page, selector: str) -> tuple[bytes, str]:
    """The paper a form of the page prints, and its text."""
    data = base64.b64decode(page.evaluate(POST_FORM, selector))
    assert data.startswith(b"%PDF"), data[:200]
    document = pypdfium2.PdfDocument(data)
    return data, "\n".join(each.get_textpage().get_text_range() for each in document)


def read_code(page: Page) -> str:
    """The withdrawal code on the slip of the confirmed consent that is shown."""
    _, text = read_pdf(page, "form[action$='/slip']")
    found = CODE.search(text)
    assert found is not None, text
    return found.group()


def withdraw_by_code(page: Page, code: str, **shown: str) -> None:
    """At a window: the code with what the person shows or says."""
    page.goto(page.url.split("/window")[0] + "/window/revoke")
    page.fill("#f-code", code)
    for name, value in shown.items():
        page.fill(f"#f-{name}", value)
    page.click("form[action='/window/revoke'] button.primary")
    page.locator("main .alert").wait_for()


def begin(town: Town, page: Page, *, card: bool = False) -> Clerk:
    """A visit up to the consent screen; the person typed, or read from the card."""
    clerk = Clerk(page, town)
    clerk.sign_in()
    if card:
        clerk.pair()
        clerk.read_card()
    else:
        clerk.identify()
    clerk.choose()
    return clerk


def open_phone(town: Town, page: Page) -> str:
    """The window opens the person's own pages after a consent on the pad; the one-time address."""
    clerk = begin(town, page, card=True)
    clerk.ask()
    look(page, "consent-screen", sizes=PHONE)
    expect(page.locator("input[name=tick]:checked")).to_have_count(0)
    page.click("#consent button.primary")  # neither ticked nor signed
    expect(page.locator("#pad-problem")).not_to_be_empty()
    sign_as_person(page)
    look(page, "consent-screen-signed", sizes=PHONE)
    ceremony = page.locator("a.primary.big").get_attribute("href")
    clerk.confirm()
    page.goto(f"{town.origin(CITY)}{ceremony}")
    expect(page.locator(".badge.good").first).to_be_visible()
    look_everywhere(page, "consent-confirmed")
    page.click("form[action$='/phone'] button")
    look(page, "consent-phone-code")
    return page.locator("p.mono").inner_text()


def reload_until(page: Page, selector: str) -> None:
    for _ in range(60):
        if page.locator(selector).count():
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"{selector} did not come: {page.inner_text('main')}")


def confirm_by_passkey(page: Page) -> None:
    """A key counts from the second after its block on; a touch too early is tried again."""
    reload_until(page, "#assert")
    page.wait_for_timeout(1500)
    page.click("#assert button")


def test_person_agrees_and_withdraws_at_home(town: Town, open_page: OpenPage) -> None:
    origin = town.origin(CITY)
    address = open_phone(town, open_page())
    phone = open_page(size="phone")
    phone.set_default_timeout(READY_MS)
    add_authenticator(phone)
    phone.goto(address)
    look_everywhere(phone, "me-open")
    phone.click("main button.primary.big")
    phone.wait_for_url("**/me/passkeys")
    look_everywhere(phone, "me-passkeys-none")
    keys = phone.locator("ul.card .badge")
    known = keys.count()
    phone.click("#enrol button")
    expect(keys).to_have_count(known + 1)

    phone.goto(f"{origin}/me")
    reload_until(phone, "form[action='/me/elsewhere']")
    look_everywhere(phone, "me-overview", large=True)
    phone.click("form[action='/me/elsewhere'] button")
    phone.wait_for_url("**/me/confirm/*")
    look_everywhere(phone, "me-confirm-question")
    confirm_by_passkey(phone)
    phone.wait_for_url(re.compile("/me$"))
    expect(phone.locator("section[aria-labelledby=elsewhere] h3")).to_have_count(4)
    look_everywhere(phone, "me-elsewhere")

    phone.goto(f"{origin}/me/request?item={ITEM}")
    assert phone.locator("input[name=tick]").count() >= len(THREE)
    expect(phone.locator("input[name=tick]:checked")).to_have_count(0)
    look_everywhere(phone, "me-request", large=True)
    phone.locator("input[name=tick]").first.check()
    phone.locator("main button.primary.big").click()
    phone.wait_for_url("**/me/confirm/*")
    look_everywhere(phone, "me-confirm-use")
    confirm_by_passkey(phone)
    expect(phone.locator(".alert.good")).to_be_visible()
    look_everywhere(phone, "me-confirmed")
    _, receipt = read_pdf(phone, "form[action$='/slip']")
    assert CODE.search(receipt)

    phone.goto(f"{origin}/me/grants")
    look_everywhere(phone, "me-grants")
    usable = phone.locator("button.danger")
    before = usable.count()
    usable.first.click()  # one step
    expect(usable).to_have_count(before - 1)
    withdrawn = phone.locator("h2 .badge", has_text="已撤回").first
    deadline = time.monotonic() + RECORDED_S
    while not withdrawn.is_visible():  # 撤回办理中 until the chain holds it
        assert time.monotonic() < deadline
        phone.wait_for_timeout(1000)
        phone.reload()
    look_everywhere(phone, "me-grants-withdrawn")
    phone.goto(f"{origin}/me/timeline")
    assert phone.locator("ol.timeline li").count() >= 2
    look_everywhere(phone, "me-timeline", large=True)


def test_signature_on_the_pad_and_the_code_with_the_card_elsewhere(
    town: Town, open_page: OpenPage
) -> None:
    page = open_page()
    clerk = begin(town, page)
    clerk.ask()
    sign_as_person(page)
    ceremony = page.locator("a.primary.big").get_attribute("href")
    page.goto(f"{town.origin(CITY)}{ceremony}")
    look_everywhere(page, "consent-signed")
    confirm_here(clerk)
    page.goto(f"{town.origin(CITY)}{ceremony}")
    code = read_code(page)

    other = open_page()
    other.set_default_timeout(READY_MS)
    sign_in(other, town, "yanta", "registrar")
    other.goto(town.origin("yanta") + "/window/revoke")
    look_everywhere(other, "revoke", large=True)
    withdraw_by_code(other, code, number=town.resident("husband")["number"])
    expect(other.locator("main .alert.bad")).to_be_visible()
    look(other, "revoke-refused")
    withdraw_by_code(other, code, number=town.resident("borrower")["number"])
    expect(other.locator("main .alert.good")).to_be_visible()
    look(other, "revoke-done")


def test_signed_slip_is_scanned_and_the_code_with_two_facts_elsewhere(
    town: Town, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page("en")
    clerk = begin(town, page)
    run = page.url
    clerk.ask()
    page.goto(run)  # the person would rather sign on paper
    page.locator("a[href^='/consent/']").first.click()
    page.wait_for_url("**/consent/*")
    ceremony = page.url
    page.click("details.card > summary")
    look(page, "consent-on-paper")
    blank, text = read_pdf(page, "details form[action$='/slip']")
    assert CODE.search(text) is None, "a form to be signed carries no code"
    signed = tmp_path / "signed.pdf"
    signed.write_bytes(blank)
    for code in THREE:
        page.locator(f"details input[name=tick][value='t-{code}']").check()
    page.set_input_files("#f-slip", signed)
    second = town.account(CITY, "registrar")
    if page.locator("details input[name=login]").count():
        page.fill("details input[name=login]", second["login"])
        page.fill("details input[name=password]", second["password"])
    page.click("details form[action$='/confirm'] button.primary")
    page.wait_for_url("**/window/runs/*")
    page.goto(ceremony)
    look(page, "consent-confirmed-on-paper")
    code = read_code(page)

    number = town.resident("borrower")["number"]
    other = open_page()
    other.set_default_timeout(READY_MS)
    sign_in(other, town, "wuhou", "registrar")
    other.goto(town.origin("wuhou") + "/window/revoke")
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    withdraw_by_code(other, code, born_on=born, last_four=number[-4:])
    expect(other.locator("main .alert.good")).to_be_visible()


def test_person_says_no_and_nothing_is_asked(town: Town, open_page: OpenPage) -> None:
    page = open_page("en", "phone")
    clerk = begin(town, page)
    clerk.ask()
    page.click("form[action$='/decline'] button")
    look(page, "consent-declined")
    page.click("a.big")
    page.wait_for_url("**/consent/*")
    look(page, "consent-declined-window")


def confirm_here(clerk: Clerk) -> None:
    """The officers confirm on the window's side of the consent."""
    second = clerk.town.account(CITY, "registrar")
    page = clerk.page
    if page.locator("section input[name=login]").count():
        page.fill("section input[name=login]", second["login"])
        page.fill("section input[name=password]", second["password"])
    page.click("section button.primary.big")
    page.wait_for_url("**/window/runs/*")
