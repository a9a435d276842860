"""Who stands at a window and what they do there: a clerk, a person, the device bridge, a city that
does not answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Town
from tests.browser.looking import SIZES, list_overflowing, list_violations, shoot

CITY = "mianyang"
LOAN = "异地个人住房贷款"
THREE = ("marriage-cert", "hpf-cert", "realestate-cert")
READY_MS = 60_000


@dataclass(frozen=True)
class Bridge:
    """The device bridge, and the hand of the person who stands before the simulated devices."""

    url: str

    def read_code(self, page: Page) -> str:
        """The code on the bridge's own page, as whoever sits at this machine sees it."""
        own = page.context.new_page()
        own.goto(self.url)
        code = own.inner_text(".code")
        own.close()
        return code

    def set_hand(self, page: Page, card: str = "", trouble: str = "") -> None:
        """Another card lies on the reader; something goes wrong next."""
        own = page.context.new_page()
        own.goto(self.url)
        if card:
            own.select_option("#card", card)
        own.select_option("#trouble", trouble)
        with own.expect_navigation():
            own.click("button")
        own.close()


@dataclass
class Clerk:
    """A clerk at a window, who counts own clicks and remembers what was typed; what the person or
    a second officer does is not the clerk's."""

    page: Page
    town: Town
    city: str = CITY
    clicks: int = 0
    typed: list[str] = field(default_factory=list)

    @property
    def bridge(self) -> Bridge:
        return Bridge(self.town.facts["links"]["devices"])

    def sign_in(self, role: str = "reviewer") -> None:
        self.page.set_default_timeout(READY_MS)  # five nodes and a browser share two cores
        account = self.town.account(self.city, role)
        self.page.goto(f"{self.town.origin(self.city)}/login")
        self.page.fill("[name=login]", account["login"])
        self.page.fill("[name=password]", account["password"])
        self.page.click("main form .primary")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def pair(self) -> None:
        """Pair this browser with the bridge, once."""
        self.page.goto(f"{self.town.origin(self.city)}/window/devices")
        self.page.fill("#f-code", self.bridge.read_code(self.page))
        self.page.click("#pair-form button")
        expect(self.page.locator("#devices")).to_be_visible()

    def click(self, selector: str) -> None:
        self.clicks += 1
        self.page.locator(selector).first.click()

    def type(self, selector: str, text: str) -> None:
        assert text not in self.typed, "typed twice"
        self.typed.append(text)
        self.page.fill(selector, text)

    def begin(self) -> None:
        """Somebody comes to the window."""
        self.page.goto(f"{self.town.origin(self.city)}/window")
        self.clicks, self.typed = 0, []

    def read_card(self, slug: str = "borrower") -> str:
        """The person's card is read; returns the address of the visit."""
        self.bridge.set_hand(self.page, slug)
        self.begin()
        self.click("[data-read-card=self]")
        self.page.wait_for_url("**/window/runs/*")
        return self.page.url

    def identify(self, slug: str = "borrower") -> str:
        """The person is typed, for the card cannot be read; returns the address of the visit."""
        person = self.town.resident(slug)
        self.begin()
        self.click("#typed summary")
        self.type("#f-name", person["name"])
        self.type("#f-number", person["number"])
        self.click("#typed button.primary")
        self.page.wait_for_url("**/window/runs/*")
        return self.page.url

    def choose(self) -> None:
        """The loan, by somebody married."""
        self.type("#service-search", LOAN)
        self.click("button[value=hpf-loan-remote]")
        self.click("input[name=condition][value=married]")
        marital = self.page.locator(".need-name", has_text="婚姻状况")
        expect(
            marital.or_(self.page.locator(".need-name", has_text="Marital status"))
        ).to_be_visible()

    def ask(self) -> None:
        self.click("#consent-form button")
        self.page.wait_for_url("**/consent/screen/*")

    def confirm(self) -> None:
        """The officers confirm what the person signed; a second one types only own secrets."""
        self.click("a.primary.big")
        self.page.wait_for_selector("button.primary.big")
        if self.page.locator("input[name=login]").count():
            second = self.town.account(self.city, "registrar")
            self.page.locator("input[name=login]").first.fill(second["login"])
            self.page.locator("input[name=password]").first.fill(second["password"])
        self.click("button.primary.big")
        self.page.wait_for_url("**/window/runs/*")

    def fetch(self, types: tuple[str, ...] = THREE) -> None:
        """From the choice of the service to the papers on the screen."""
        self.choose()
        self.ask()
        sign_as_person(self.page, types)
        self.confirm()
        self.page.wait_for_selector("#ready-title", timeout=READY_MS)


def sign_as_person(page: Page, types: tuple[str, ...] = THREE) -> None:
    """The person ticks what may be fetched, draws a signature and agrees."""
    for code in types:
        page.locator(f"input[name=tick][value='t-{code}']").check()
    pad = page.locator("#pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 14):
        page.mouse.move(box["x"] + 30 + step * 12, box["y"] + 40 + (step % 3) * 22)
    page.mouse.up()
    page.click("#consent button.primary")
    page.wait_for_selector(".turned-end a.primary")


def look(page: Page, name: str, *, sizes: tuple[str, ...] = ("desk", "phone")) -> None:
    """Pictures of the page as it stands at each size, and what axe and the width say there."""
    language = page.evaluate("document.documentElement.lang.slice(0, 2)")
    before = page.viewport_size
    for size in sizes:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        shoot(page, f"{name}-{language}-{size}")
        assert list_overflowing(page) == [], (name, size)
    assert list_violations(page) == [], name
    if before is not None:
        page.set_viewport_size(before)


@contextmanager
def standing_still(town: Town, slug: str) -> Iterator[None]:
    """The node of a city takes connections and answers nothing."""
    process = find_node(town, slug)
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def find_node(town: Town, slug: str) -> int:
    """Process id of a city's node of this town."""
    wanted = str(town.path / slug).encode()
    for entry in Path("/proc").iterdir():
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if entry.name.isdecimal() and wanted in arguments and b"run" in arguments:
            return int(entry.name)
    raise AssertionError(f"no node of {slug}")


def build_page(mark: str) -> bytes:
    """A small PDF of one page."""
    from fpdf import FPDF

    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=20)
    pdf.cell(0, 20, f"page {mark}")
    return bytes(pdf.output())
