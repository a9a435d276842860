"""The panel inside another system's page: an officer goes on there, a reviewer decides here.

The simulated 综窗 and the city stand under different names, so that the frame is another site's:
its cookie is kept apart (`Partitioned`) and no cookie of the city's own pages is sent.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.at_window import CITY, READY_MS, THREE, Clerk
from tests.browser.conftest import Town
from tests.browser.looking import list_violations, shoot

pytestmark = pytest.mark.timeout(600)  # the town starts within the first test
OpenPage = Callable[..., Page]
ITEM = "hpf-loan-remote"


def take_in(page: Page, town: Town, officer: str) -> str:
    """At 综窗: sign in, hand a case in; returns the address of its page."""
    page.set_default_timeout(READY_MS)
    person = town.resident("borrower")
    page.goto(str(town.facts["links"]["zongchuang"]))
    page.click(f"button[value={officer}]")
    page.click("a[href='/cases/new']")
    page.select_option("#item", ITEM)
    page.fill("#name", person["name"])
    page.fill("#number", person["number"])
    page.click("main button")
    page.wait_for_url("**/cases/MY*")
    return page.url


def find_panel(page: Page) -> Frame:
    """The frame, once the visit stands in it."""
    frame = next(each for each in page.frames if each != page.main_frame)
    frame.wait_for_url("**/window/runs/*")
    frame.wait_for_selector("#visit")
    return frame


def sign_in_frame(page: Page, frame: Frame) -> None:
    """The person ticks and signs on the pad in the frame."""
    for code in THREE:
        frame.locator(f"input[name=tick][value='t-{code}']").check()
    pad = frame.locator("#pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 14):
        page.mouse.move(box["x"] + 30 + step * 12, box["y"] + 40 + (step % 3) * 22)
    page.mouse.up()
    frame.click("#consent button.primary")
    frame.click("a.primary.big")


def confirm_in_frame(town: Town, frame: Frame) -> None:
    second = town.account(CITY, "reviewer")
    frame.wait_for_selector("button.primary.big")
    if frame.locator("input[name=login]").count():
        frame.locator("input[name=login]").first.fill(second["login"])
        frame.locator("input[name=password]").first.fill(second["password"])
    frame.locator("button.primary.big").first.click()
    frame.wait_for_selector("#ready-title", timeout=READY_MS)


def test_panel_in_the_frame_goes_on_to_review_and_the_case_hears_of_it(
    town: Town, open_page: OpenPage
) -> None:
    page = open_page()
    case = take_in(page, town, "registrar")
    frame = find_panel(page)
    assert frame.url.startswith(town.origin(CITY))
    assert town.resident("borrower")["number"] not in frame.url
    expect(frame.locator(".person-name")).to_have_text(town.resident("borrower")["name"])
    assert frame.locator("#service-search").count() == 0, "the item is chosen already"
    kept = [each for each in page.context.cookies() if each["name"] == "__Host-tb-panel"]
    assert [bool(each.get("partitionKey")) for each in kept] == [True]
    assert list_violations(page) == []
    assert list_violations(frame) == []
    shoot(page, "case-panel-zh-desk")
    visit = frame.url
    page.goto(case)  # a fresh link each time; the visit under way goes on
    frame = find_panel(page)
    assert frame.url == visit

    frame.click("input[name=condition][value=married]")
    frame.locator(".need-name", has_text="婚姻状况").wait_for()
    frame.locator("#consent-form button").first.click()
    frame.wait_for_url("**/consent/screen/*")
    sign_in_frame(page, frame)
    confirm_in_frame(town, frame)
    expect(frame.locator(".material .verdict.holds")).to_have_count(3)
    assert frame.locator("#decision button.primary").inner_text() == "送审核员决定"
    shoot(page, "case-panel-ready-zh-desk")
    frame.click("#decision button.primary")
    frame.wait_for_selector("text=已送审核")
    assert list_violations(frame) == []

    reviewer = Clerk(open_page(), town)
    reviewer.sign_in("reviewer")
    desk = reviewer.page
    number = case.rpartition("/")[2]
    desk.goto(f"{town.origin(CITY)}/cases/reviews")
    expect(desk.locator("tr", has_text=number)).to_be_visible()
    assert list_violations(desk) == []
    shoot(desk, "case-reviews-zh-desk")
    desk.locator("tr", has_text=number).locator("button").click()
    desk.wait_for_url("**/window/runs/*")
    expect(desk.locator(".material .verdict.holds")).to_have_count(3)
    desk.click("#decision button.primary")
    desk.wait_for_selector("#closed-title")

    heard = page.locator("ol.events li", has_text="核验回执已归档")
    for _ in range(40):
        page.goto(case)
        if heard.count():
            break
        page.wait_for_timeout(500)
    expect(heard).to_have_count(1)


def test_panel_of_another_officers_case_stays_closed(town: Town, open_page: OpenPage) -> None:
    page = open_page()
    case = take_in(page, town, "registrar")
    page.goto(str(town.facts["links"]["zongchuang"]))
    page.click("button[value=reviewer]")
    page.goto(case)
    assert page.locator("iframe").count() == 0
    shoot(page, "case-panel-other-officer-zh-desk")
    answer = page.goto(f"{case}/panel")
    assert answer is not None
    assert answer.status == 404
