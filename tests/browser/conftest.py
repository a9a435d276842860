"""Five cities, the simulated case system and the device bridge as processes, and a real browser.

One town serves the whole run: `tongban demo --serve`, the same command a person starts. A test
gets `town` (links, accounts, residents) and `open_page`, which makes a browser context of its own.
Cities stand at http://<slug>.localhost:<port>: passkeys refuse bare addresses, and cookies ignore
ports.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.looking import SIZES

CHROMIUM = Path("/usr/bin/chromium")
LIFE_MINUTES = 40
TEST_LIMIT_S = 300
END_S = 90  # a town ends seven processes in order, on a busy machine
ARGUMENTS = [
    "--no-sandbox",  # the whole machine is the sandbox, and it may run as root
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@dataclass(frozen=True)
class Town:
    """What `tongban demo --serve --json` announced.

    Attributes:
        facts: The line it printed: `cities` (origin by slug), `accounts`, `residents`, `links`.
        path: Its data directory.
    """

    facts: dict[str, Any]
    path: Path

    def origin(self, slug: str) -> str:
        """Address of a city's pages."""
        return str(self.facts["cities"][slug])

    def account(self, slug: str, role: str) -> dict[str, str]:
        """A seeded account: `login`, `password`, and `totp` (secret) where one is set."""
        return next(
            each for each in self.facts["accounts"] if each["city"] == slug and each["role"] == role
        )

    def resident(self, slug: str) -> dict[str, str]:
        """An invented resident: `name`, `number`, `scheme`, `home`."""
        return next(each for each in self.facts["residents"] if each["slug"] == slug)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a run waits for the town besides its own time."""
    for item in (each for each in items if each.path.is_relative_to(Path(__file__).parent)):
        item.add_marker(pytest.mark.timeout(TEST_LIMIT_S))


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The running town; TONGBAN_TOWN names the data directory of one that runs already, with the
    line it announced in `facts.json`."""
    running = os.environ.get("TONGBAN_TOWN")
    if running:
        yield Town(json.loads((Path(running) / "facts.json").read_text("utf-8")), Path(running))
        return
    path = tmp_path_factory.mktemp("town")
    command = [sys.executable, "-m", "ledger_node.cli", "demo", "--serve", "--json"]
    command += ["--keep", str(path), "--minutes", str(LIFE_MINUTES)]
    with (path.parent / "town.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the town did not start: {(path.parent / 'town.log').read_text()[-2000:]}"
        yield Town(json.loads(line), path)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_S)
        finally:
            process.kill()
            process.wait(END_S)
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; without it the run fails."""
    chromium = Path(os.environ.get("CHROMIUM", CHROMIUM))
    assert chromium.exists(), "Chromium is missing: apt-get install chromium (or set CHROMIUM)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page of a new context: `open_page(language="zh", size="desk")`; scripts that fail and
    answers the policy blocks fail the test."""
    yield from _open_pages(browser)


@pytest.fixture(scope="module")
def open_page_for_module(browser: Browser) -> Iterator[Callable[..., Page]]:
    """As `open_page`, for what several tests of a module stand on."""
    yield from _open_pages(browser)


def _open_pages(browser: Browser) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_one(language: str = "zh", size: str = "desk", **options: Any) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale={"zh": "zh-CN", "en": "en-GB"}[language],
            timezone_id="Asia/Shanghai",
            **options,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: (
                problems.append(f"{page.url}: {message.text}")
                if "Content Security Policy" in message.text
                else None
            ),
        )
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not problems, problems
