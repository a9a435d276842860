"""Devices at the window: pairing, trying them, a batch put in order, camera, pad and printer."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.at_window import READY_MS, Bridge, Clerk
from tests.browser.conftest import Town
from tests.browser.looking import list_overflowing, list_violations, shoot
from tests.browser.signing_in import sign_in


@pytest.fixture(scope="module")
def bridge(town: Town) -> Bridge:
    """The bridge the town runs."""
    return Bridge(town.facts["links"]["devices"])


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
    bridge.set_hand(page)
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
    bridge.set_hand(page, trouble="card_not_placed")
    row = page.locator("[data-device=reader]")
    row.locator("[data-try]").click()
    expect(row.locator("[data-result]")).to_have_class("wrong-text")
    look(page, f"devices-tried-{language}-{size}")
    bridge.set_hand(page, trouble="silent")
    row = page.locator("[data-device=pad]")
    row.locator("[data-try]").click()
    row.locator("[data-cancel]").click()
    expect(row.locator("[data-result]")).to_have_text(re.compile("已取消|Cancelled"))
    bridge.set_hand(page)


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
    page.drag_and_drop("[data-number='4'] [data-picture]", "[data-part] >> nth=1 >> h3")
    expect(page.locator("[data-part]").nth(1).locator("[data-sheet]").last).to_have_attribute(
        "data-number", "4"
    )  # beside the sheets: to that paper's end
    page.locator("[data-number='2'] [data-do=split]").click()
    expect(page.locator("[data-part]")).to_have_count(4)
    page.locator("[data-part]").nth(1).locator("[data-join]").click()
    expect(page.locator("[data-part]")).to_have_count(3)


def test_camera_of_the_machine_gives_pages_to_the_form(
    town: Town, open_page: Callable[..., Page]
) -> None:
    clerk = Clerk(open_page(), town)
    page = clerk.page
    clerk.sign_in("registrar")
    page.goto(f"{clerk.identify()}/papers/new")
    page.click("[data-camera]")
    expect(page.locator("dialog.camera video")).to_be_visible()
    page.wait_for_timeout(500)  # the first pictures of a camera that was just opened
    take = page.locator("dialog.camera .primary")
    for count in (1, 2):
        take.click()
        expect(page.locator(".shots li")).to_have_count(count)
    look(page, "camera-open-zh-desk")
    page.locator(".shots li").nth(1).get_by_role("button", name="去掉").click()
    page.get_by_role("button", name="放入材料").click()
    expect(page.locator(".file")).to_have_count(1)
    assert page.evaluate(
        """() => { const file = document.getElementById("document-input").files[0];
        return file.type === "image/jpeg" && file.size > 1000; }"""
    )


def test_pad_signs_the_consent_and_the_slip_leaves_the_printer(
    town: Town, bridge: Bridge, open_page: Callable[..., Page]
) -> None:
    clerk = Clerk(open_page(), town)
    page = clerk.page
    clerk.sign_in()
    clerk.pair()
    clerk.read_card("official")
    clerk.choose()
    clerk.ask()
    page.locator("input[name=tick]").first.check()
    bridge.set_hand(page, "official", "signature_empty")
    page.click("#pad-device")
    expect(page.locator("#pad-problem")).to_contain_text("没有")
    bridge.set_hand(page, "official")
    page.click("#pad-device")
    expect(page.locator("#pad-problem")).to_be_empty(timeout=READY_MS)
    look(page, "pad-signed-zh-desk")
    page.click("#consent button.primary")
    page.wait_for_selector(".turned-end a.primary")
    clerk.confirm()
    page.wait_for_selector("#ready-title", timeout=READY_MS)
    bridge.set_hand(page, "official", "printer_out_of_paper")
    page.click("[data-slip] [value='80mm']")
    expect(page.locator("[data-slip-state] a")).to_be_visible()  # the same slip, elsewhere
    bridge.set_hand(page, "official")
    page.click("[data-slip] [value='80mm']")
    expect(page.locator("[data-slip-state]")).to_contain_text("凭条已打印")
    look(page, "slip-printed-zh-desk")
