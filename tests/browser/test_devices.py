"""Devices at the window: pairing, trying them, a batch put in order, the document camera."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Town
from tests.browser.looking import list_overflowing, list_violations, shoot
from tests.browser.signing_in import sign_in

PORT = 8707  # what the nodes' pages may connect to by default
END_S = 10


@dataclass(frozen=True)
class Bridge:
    """The running bridge."""

    url: str

    def read_code(self, page: Page) -> str:
        """The code on the bridge's own page, as the person at this machine sees it."""
        own = page.context.new_page()
        own.goto(self.url)
        code = own.inner_text(".code")
        shoot(own, "bridge-own-page")
        own.close()
        return code

    def set_hand(self, page: Page, trouble: str) -> None:
        """What goes wrong next."""
        own = page.context.new_page()
        own.goto(self.url)
        own.select_option("#trouble", trouble)
        own.click("button")
        own.close()


@pytest.fixture(scope="module")
def bridge(town: Town) -> Iterator[Bridge]:
    command = [sys.executable, "-m", "ledger_node.devices", "--port", str(PORT), "--delay-s", "0.1"]
    for origin in town.facts["cities"].values():
        command += ["--origin", origin]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Bridge(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        finally:
            process.kill()
            process.wait(END_S)
            process.stdout.close()


def pair(page: Page, town: Town, bridge: Bridge) -> None:
    page.goto(town.origin("mianyang") + "/window/devices")
    page.fill("#f-code", bridge.read_code(page))
    page.click("#pair-form button")
    expect(page.locator("#devices")).to_be_visible()


def look(page: Page, name: str) -> None:
    shoot(page, name)
    assert not list_violations(page)
    assert not list_overflowing(page)


@pytest.mark.parametrize(("language", "size"), [("zh", "desk"), ("en", "phone")])
def test_pairing_and_trying_every_device(
    town: Town, bridge: Bridge, open_page: Callable[..., Page], language: str, size: str
) -> None:
    page = open_page(language, size)
    sign_in(page, town, "mianyang", "registrar")
    page.goto(town.origin("mianyang") + "/window/devices")
    expect(page.locator("#pairing")).to_be_visible()
    code = bridge.read_code(page)
    page.fill("#f-code", "".join(str(9 - int(digit)) for digit in code))
    page.click("#pair-form button")
    expect(page.locator("#pair-problem")).not_to_be_empty()
    look(page, f"devices-pairing-{language}-{size}")
    pair(page, town, bridge)
    for device in ("reader", "camera", "scanner", "pad", "printer"):
        row = page.locator(f"[data-device={device}]")
        row.locator("[data-try]").click()
        expect(row.locator("[data-cancel]")).to_be_hidden(timeout=30_000)
        expect(row.locator("[data-result]")).to_have_class("hint")
    bridge.set_hand(page, "card_not_placed")
    row = page.locator("[data-device=reader]")
    row.locator("[data-try]").click()
    expect(row.locator("[data-result]")).to_have_class("wrong-text")
    look(page, f"devices-tried-{language}-{size}")
    bridge.set_hand(page, "silent")
    row = page.locator("[data-device=pad]")
    row.locator("[data-try]").click()
    row.locator("[data-cancel]").click()
    expect(row.locator("[data-result]")).to_have_text(re.compile("已取消|Cancelled"))
    bridge.set_hand(page, "")


@pytest.mark.parametrize(("language", "size"), [("zh", "desk"), ("en", "phone")])
def test_batch_is_scanned_put_in_order_by_keys_and_made_into_files(
    town: Town, bridge: Bridge, open_page: Callable[..., Page], language: str, size: str
) -> None:
    page = open_page(language, size)
    sign_in(page, town, "mianyang", "registrar")
    pair(page, town, bridge)
    page.goto(town.origin("mianyang") + "/window/batch")
    look(page, f"batch-empty-{language}-{size}")
    page.click("[data-scan=scanner]")
    expect(page.locator("[data-sheet]")).to_have_count(7, timeout=40_000)
    expect(page.locator("[data-sheet] img")).to_have_count(7)
    assert page.locator("[data-type]").first.input_value() == "marriage-cert"
    page.click("#drop-blank")
    expect(page.locator(".sheet.dropped")).to_have_count(3)
    first = page.locator("[data-number='7']")
    first.focus()
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Alt+r")
    order = page.locator("[data-part]").nth(2).locator("[data-sheet]")
    assert [order.nth(n).get_attribute("data-number") for n in range(3)] == ["8", "7", "9"]
    assert page.evaluate("document.activeElement.dataset.number") == "7"
    look(page, f"batch-order-{language}-{size}")
    page.click("#finish")
    expect(page.locator("#made li")).to_have_count(3, timeout=30_000)
    look(page, f"batch-made-{language}-{size}")


def test_batch_pages_are_dragged_to_another_paper(
    town: Town, bridge: Bridge, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    sign_in(page, town, "mianyang", "registrar")
    pair(page, town, bridge)
    page.goto(town.origin("mianyang") + "/window/batch")
    page.click("[data-scan=scanner]")
    expect(page.locator("[data-sheet] img")).to_have_count(7, timeout=40_000)
    page.drag_and_drop("[data-number='4'] [data-picture]", "[data-number='1'] [data-picture]")
    order = page.locator("[data-part]").first.locator("[data-sheet]")
    expect(order).to_have_count(3)
    assert [order.nth(n).get_attribute("data-number") for n in range(3)] == ["4", "1", "2"]
    page.locator("[data-number='1'] [data-do=split]").click()
    expect(page.locator("[data-part]")).to_have_count(4)
    page.locator("[data-part]").nth(1).locator("[data-join]").click()
    expect(page.locator("[data-part]")).to_have_count(3)
