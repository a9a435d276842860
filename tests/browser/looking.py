"""Looking at pages: pictures of every state for people, and the checks of axe-core."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Frame, Page

from tests.browser.visits import note_look

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "pictures"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
GRAVE = ("serious", "critical")


def shoot(page: Page, name: str) -> Path:
    """Keep a picture of the whole page under `build/pictures/`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{re.sub(r'[^a-z0-9-]+', '-', name.lower())}.png"
    page.evaluate("() => document.fonts.ready")
    page.screenshot(path=path, full_page=True, caret="initial")  # hiding it writes styles
    return path


def list_violations(page: Page | Frame) -> list[str]:
    """Serious and critical violations axe-core reports, as `rule: selector`."""
    note_look(page.url)
    page.evaluate(AXE.read_text("utf-8"))  # not a script of the page: its policy does not apply
    result: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']}: {node['target']}"
        for found in result["violations"]
        if found["impact"] in GRAVE
        for node in found["nodes"]
    ]


def list_overflowing(page: Page) -> list[str]:
    """Elements that stick out of the page to the right: a phone would scroll sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth + 1 ? [] :
        [...document.body.querySelectorAll('*')]
          .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
          .map(e => e.tagName + '.' + e.className).slice(0, 5)"""
    )
    return found
