"""The auditor's explorer over a town in which one visit fetched three papers: members, anchors,
charts, one material's whole history, a replay to its end, evidence to take away; and no person.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.at_window import CITY, READY_MS, Clerk, look
from tests.browser.conftest import Town
from tests.browser.everywhere import look_at_path, look_everywhere, speak
from tests.browser.signing_in import sign_in

OpenPage = Callable[..., Page]
REPLAY_MS = 180_000
ISSUER = "wuhou"
START_S = 100


@pytest.fixture(scope="module")
def visit(town: Town, open_page_for_module: OpenPage) -> None:
    """Papers of one city are fetched in another, so that there are grants and consumptions."""
    clerk = Clerk(open_page_for_module(), town)
    clerk.sign_in()
    clerk.identify()
    clerk.fetch()
    clerk.page.context.close()


@pytest.fixture
def auditor(town: Town, visit: None, open_page: OpenPage) -> Iterator[Page]:
    """An auditor of the receiving city; whatever they looked at named no resident."""
    page = open_page()
    page.set_default_timeout(READY_MS)
    told: list[str] = []
    page.on("domcontentloaded", lambda shown: told.append(shown.url))
    sign_in(page, town, CITY, "auditor")
    yield page
    assert len(told) > 2


def assert_no_person(page: Page, town: Town) -> None:
    """Neither the page nor its address names a resident of the town."""
    told = page.content() + page.url
    for resident in town.facts["residents"]:
        assert resident["name"] not in told, page.url
        assert resident["number"] not in told, page.url


def read_file(page: Page, selector: str) -> bytes:
    """What the link or button downloads."""
    with page.expect_download() as download:
        page.locator(selector).first.click()
    return Path(str(download.value.path())).read_bytes()


def test_overview_members_and_events_show_every_city_and_no_person(
    town: Town, auditor: Page
) -> None:
    origin = town.origin(CITY)
    for path, name in (
        ("/audit", "audit-overview"),
        ("/audit/members", "audit-members"),
        ("/audit/events", "audit-events"),
        ("/audit/events?kind=grant", "audit-events-grants"),
    ):
        look_at_path(auditor, origin + path, name, large=path == "/audit")
        assert_no_person(auditor, town)
    auditor.goto(f"{origin}/audit")
    expect(auditor.locator("section[aria-labelledby=logs] tbody tr")).to_have_count(5)
    expect(auditor.locator("#logs")).to_be_visible()
    auditor.goto(f"{origin}/audit/events?kind=grant")
    rows = read_file(auditor, "a[href*='events.csv']").decode("utf-8-sig")
    assert len(rows.splitlines()) > 1
    assert not any(each["name"] in rows for each in town.facts["residents"])


def test_charts_say_in_words_and_tables_what_they_draw(town: Town, auditor: Page) -> None:
    look_at_path(auditor, f"{town.origin(CITY)}/audit/activity", "audit-activity", large=True)
    figures = auditor.locator("figure")
    expect(figures).to_have_count(5)
    assert auditor.locator("figure svg").count() >= 3
    grants = figures.filter(has=auditor.locator("text=授权")).first
    expect(grants).to_be_visible()
    assert_no_person(auditor, town)


def test_grant_is_followed_to_its_blocks_and_transactions(town: Town, auditor: Page) -> None:
    auditor.goto(f"{town.origin(CITY)}/audit/events?kind=grant")
    auditor.locator("main a[href^='/audit/grants/']").first.click()
    auditor.wait_for_url("**/audit/grants/*")
    look_everywhere(auditor, "audit-grant")
    assert_no_person(auditor, town)
    grant = auditor.url.rpartition("/")[2]
    auditor.locator("main ol a[href^='/audit/transactions/']").first.click()
    auditor.wait_for_url("**/audit/transactions/*")
    look_everywhere(auditor, "audit-transaction")
    auditor.locator("main a[href^='/audit/blocks/']").first.click()
    auditor.wait_for_url("**/audit/blocks/*")
    look_everywhere(auditor, "audit-block")
    auditor.fill("#f-q", grant[:12])
    auditor.press("#f-q", "Enter")
    auditor.wait_for_url("**/audit/search*")
    expect(auditor.locator(f"a[href='/audit/grants/{grant}']")).to_be_visible()
    look_everywhere(auditor, "audit-search")
    auditor.fill("#f-q", "ffffffffffff")
    auditor.press("#f-q", "Enter")
    expect(auditor.locator(".empty")).to_be_visible()
    look(auditor, "audit-search-nothing")
    assert_no_person(auditor, town)


def test_whole_history_of_a_material_and_its_evidence(
    town: Town, visit: None, open_page: OpenPage
) -> None:
    page = open_page(accept_downloads=True)
    page.set_default_timeout(READY_MS)
    sign_in(page, town, ISSUER, "auditor")
    origin = town.origin(ISSUER)
    look_at_path(page, f"{origin}/audit/materials", "audit-material-empty")
    page.goto(f"{origin}/audit/events?kind=grant")
    page.locator("main a[href^='/audit/grants/']").first.click()
    page.locator("main a[href^='/audit/materials?commitment=']").first.click()
    page.wait_for_url("**/audit/materials?*")
    look_everywhere(page, "audit-material", large=True)
    assert_no_person(page, town)
    evidence = read_file(page, "a[href^='/audit/materials/evidence']")
    assert json.loads(evidence)
    assert not any(each["number"].encode() in evidence for each in town.facts["residents"])
    page.goto(f"{origin}/audit/materials?city=510107&commitment={'00' * 32}")
    look(page, "audit-material-unknown")


def withdraw_material(town: Town, page: Page, type_code: str) -> None:
    """The issuing city takes a paper of this type back, with its own command."""
    sign_in(page, town, ISSUER, "registrar")
    page.goto(town.origin(ISSUER) + "/")
    listed = page.evaluate("async () => (await fetch('/api/v1/materials?limit=100')).json()")
    found = next(each for each in listed["items"] if each["type_code"] == type_code)
    command = [sys.executable, "-m", "ledger_node.cli", "withdraw", found["material_id"]]
    command += ["--reason", "error", "--wait", "60", "--node", str(town.path / ISSUER)]
    subprocess.run(command, check=True, timeout=START_S)


def test_withdrawn_material_is_seen_in_every_city(
    town: Town, auditor: Page, open_page: OpenPage
) -> None:
    withdraw_material(town, open_page(), "disability-card")
    events = f"{town.origin(CITY)}/audit/events?kind=status"
    auditor.goto(events)
    leaf = auditor.locator("main a[href^='/audit/leaves/']")
    for _ in range(60):
        if leaf.count():
            break
        auditor.wait_for_timeout(1000)
        auditor.goto(events)
    look_everywhere(auditor, "audit-events-statuses")
    leaf.first.click()
    auditor.wait_for_url("**/audit/leaves/*/*")
    expect(auditor.locator("section[aria-labelledby=timeline]")).to_contain_text("撤回")
    look_everywhere(auditor, "audit-leaf")
    assert_no_person(auditor, town)


def test_replay_shows_its_progress_and_ends_clean(town: Town, auditor: Page) -> None:
    origin = town.origin(CITY)
    look_at_path(auditor, f"{origin}/audit/replays", "audit-replays-before")
    auditor.goto(f"{origin}/audit/replays")
    auditor.click("form[action='/audit/replays'] button.primary")
    auditor.wait_for_url(re.compile(r"/audit/replays/\d+$"))
    look(auditor, "audit-replay-under-way", sizes=("desk",))
    expect(auditor.locator("#replay .alert.good")).to_be_visible(timeout=REPLAY_MS)
    look_everywhere(auditor, "audit-replay-ended")
    assert_no_person(auditor, town)
    report = json.loads(read_file(auditor, "a[href$='report.json']"))
    assert report["clean"] is True
    assert report["blocks"] > 0
    speak(auditor, language="en")
    auditor.goto(f"{origin}/audit/replays")
    look(auditor, "audit-replays-after")
