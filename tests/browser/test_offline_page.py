"""The second verifier's page, opened from disk: no server, no network, judged in the browser.

Needs no town. Any request but that for the page itself fails the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from tests.browser.looking import list_overflowing, list_violations, shoot
from tests.conformance_runner import DOCUMENT
from tests.vector_runner import VECTORS

OpenPage = Callable[..., Page]
PAGE = Path(__file__).resolve().parents[2] / "verifier" / "dist" / "verify.html"
NARROW = 320
GOOD = "receipt/registration/happy-with-its-document"


@pytest.fixture
def opened(open_page: OpenPage) -> Page:
    """The page in Chinese; what it asks the network for is refused and fails the test."""
    return open_offline(open_page, "zh")


def open_offline(open_page: OpenPage, language: str, size: str = "desk") -> Page:
    page = open_page(language=language, size=size)

    def refuse(route: Route) -> None:
        if route.request.url != PAGE.as_uri():
            route.abort()
            raise AssertionError(f"the page asked for {route.request.url}")
        route.continue_()

    page.context.set_offline(True)
    page.route("**/*", refuse)
    page.goto(PAGE.as_uri())
    return page


def load(name: str) -> dict[str, bytes]:
    vector = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    return {file: vector[file].encode() for file in ("receipt", "trust")}


def choose(page: Page, field: str, data: bytes, name: str = "") -> None:
    payload: FilePayload = {
        "name": name or f"{field}.json", "mimeType": "application/octet-stream", "buffer": data,
    }  # fmt: skip
    page.set_input_files(f"#f-{field}", payload)


def verify(page: Page, files: dict[str, bytes]) -> None:
    for field, data in files.items():
        choose(page, field, data)
    page.click("#verify-button")


def look(page: Page, name: str) -> None:
    """A picture at a desk, on a phone and at 320 px; no grave finding, nothing sticks out."""
    for width, height in ((1280, 800), (390, 844), (NARROW, 640)):
        page.set_viewport_size({"width": width, "height": height})
        assert list_overflowing(page) == [], f"{name} at {width}"
        shoot(page, f"offline-{name}-{width}")
        assert list_violations(page) == [], f"{name} at {width}"
    page.set_viewport_size({"width": 1280, "height": 800})


def test_untouched_receipt_with_its_document_is_green(opened: Page) -> None:
    look(opened, "empty")
    verify(opened, load(GOOD) | {"document": DOCUMENT})
    verdict = opened.locator("#result .verdict")
    expect(verdict).to_have_class("verdict holds")
    expect(verdict.locator("h2")).to_contain_text("登记凭证成立")
    expect(verdict.locator(".lines li.holds")).to_have_count(3)
    expect(verdict.locator(".lines li.not_stated")).to_have_count(1)
    expect(verdict.locator(".as-of")).to_contain_text("依据截至区块 90（")
    expect(verdict).to_contain_text("已与所选材料原文件核对。")
    assert opened.evaluate("document.activeElement.id") == "result-title"
    look(opened, "green")


def test_same_receipt_with_one_thing_changed_is_red(opened: Page) -> None:
    verify(opened, load(GOOD) | {"document": DOCUMENT + b" "})
    verdict = opened.locator("#result .verdict")
    expect(verdict).to_have_class("verdict fails")
    expect(verdict.locator(".lines li.fails")).to_have_count(1)
    expect(verdict.locator(".lines li.fails")).to_contain_text("document_digest_mismatch")
    look(opened, "red-other-document")
    opened.click("button[type=reset]")
    expect(opened.locator("#result")).to_be_empty()
    verify(opened, load("receipt/registration/withdrawn"))
    expect(opened.locator(".lines li.fails")).to_contain_text("材料已被撤回。")


def test_reliance_receipt_of_version_1_is_judged_by_its_seals(open_page: OpenPage) -> None:
    page = open_offline(open_page, "en")
    verify(page, load("receipt_v1/reliance/two-of-four-seals"))
    expect(page.locator("#result h2")).to_contain_text("Reliance receipt does not hold")
    expect(page.locator(".lines li.fails").first).to_contain_text("seals_insufficient")
    look(page, "red-english")
    page.click("#language")
    expect(page.locator("#result h2")).to_contain_text("采信凭证不成立")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_receipt_that_is_not_anchored_yet_is_amber(opened: Page) -> None:
    verify(opened, load("receipt_v1/registration/pending-without-chain"))
    expect(opened.locator("#result .verdict")).to_have_class("verdict pending")
    expect(opened.locator("#result h2")).to_contain_text("待定，现在还不能采信")
    look(opened, "amber")


def test_files_that_are_none_or_missing_are_named(opened: Page) -> None:
    opened.click("#verify-button")
    expect(opened.locator("#problem")).to_have_text("请先选择凭证文件。")
    assert opened.evaluate("document.activeElement.id") == "f-receipt"
    files = load(GOOD)
    verify(opened, files | {"receipt": files["receipt"].replace(b'"510107"', b'"510108"', 1)[:-1]})
    expect(opened.locator("#problem")).to_have_text("这不是凭证文件，或文件被改动过。")
    expect(opened.locator("#result")).to_be_empty()
    look(opened, "no-receipt")
    verify(opened, {"receipt": files["receipt"], "trust": files["receipt"]})
    expect(opened.locator("#problem")).to_have_text("这不是信任文件，或文件被改动过。")


def test_receipt_is_dropped_and_checked_by_keyboard_alone(opened: Page) -> None:
    files = load(GOOD)
    for field, data in files.items():
        transfer = opened.evaluate_handle(
            """text => {
              const transfer = new DataTransfer();
              transfer.items.add(new File([text], "dropped.json"));
              return transfer;
            }""",
            data.decode(),
        )
        opened.locator(f"[data-drop={field}]").dispatch_event("drop", {"dataTransfer": transfer})
        expect(opened.locator(f"#n-{field}")).to_contain_text("dropped.json")
    opened.focus("#language")
    for _ in range(4):
        opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.id") == "verify-button"
    opened.keyboard.press("Enter")
    expect(opened.locator("#result .verdict")).to_have_class("verdict holds")


def test_policy_of_the_page_lets_nothing_out(browser: Browser) -> None:
    context = browser.new_context()
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(PAGE.as_uri())
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "connect-src" not in policy
    ask = "async () => { try { await fetch('https://tongban.example/'); } catch { return 'no'; } }"
    assert page.evaluate(ask) == "no"
    assert any("Content Security Policy" in each for each in said)
    context.close()
