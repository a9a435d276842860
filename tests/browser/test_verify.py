"""The verification page without login: a receipt is dropped or chosen, with the file or without.

Green, amber and red are shown in words with the age of what was looked at; what is no receipt is
named, and nothing of what was brought is kept in the page.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from ledger_node.core.canonical import encode_canonical
from tests.browser.at_window import READY_MS, look
from tests.browser.conftest import Town
from tests.browser.everywhere import look_everywhere, speak
from tests.browser.signing_in import sign_in

OpenPage = Callable[..., Page]
ISSUER = "wuhou"
START_S = 100
BIG_BYTES = 24 * 1024 * 1024
READ_TEXT = "async path => await (await fetch(path)).text()"
READ_BYTES = """async path => {
  const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer());
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}"""
TYPES = {"json": "application/json", "pdf": "application/pdf"}


@dataclass(frozen=True)
class Handed:
    """What a person was handed at the window: a receipt and the document itself."""

    receipt: bytes
    document: bytes


@pytest.fixture(scope="module")
def handed(town: Town, open_page_for_module: OpenPage) -> Handed:
    page = open_page_for_module()
    page.set_default_timeout(READY_MS)
    sign_in(page, town, ISSUER, "registrar")
    page.goto(town.origin(ISSUER) + "/")
    listed = json.loads(page.evaluate(READ_TEXT, "/api/v1/materials?limit=100"))
    address = f"/api/v1/materials/{listed['items'][-1]['material_id']}"
    receipt = page.evaluate(READ_TEXT, f"{address}/receipt").encode()
    assert "unchanged" not in json.loads(receipt), "a receipt, not a problem"
    document = base64.b64decode(page.evaluate(READ_BYTES, f"{address}/documents/0"))
    page.context.close()
    return Handed(receipt, document)


@pytest.fixture
def opened(town: Town, open_page: OpenPage) -> Page:
    """The page as anybody opens it, in a city that did not issue the paper."""
    page = open_page()
    page.set_default_timeout(READY_MS)
    page.goto(town.origin("yanta") + "/verify")
    assert page.context.cookies() == [], "the page asks for no session"
    return page


def choose(page: Page, name: str, data: bytes, file: str) -> None:
    kind = TYPES.get(file.rpartition(".")[2], "application/octet-stream")
    payload: FilePayload = {"name": file, "mimeType": kind, "buffer": data}
    page.set_input_files(f"#f-{name}", payload)


def drop(page: Page, name: str, data: bytes, file: str) -> None:
    """Drag a file over the box and let it go there."""
    box = page.locator(f"[data-drop={name}]")
    transfer = page.evaluate_handle(
        """([text, name]) => {
          const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name));
          return transfer;
        }""",
        [base64.b64encode(data).decode(), file],
    )
    box.dispatch_event("dragover", {"dataTransfer": transfer})
    expect(box).to_have_class(re.compile("over"))
    box.dispatch_event("drop", {"dataTransfer": transfer})


def check(page: Page) -> Locator:
    """Press the button; the verdict."""
    page.click("#verify-button")
    return page.locator("#result details.verdict")


def test_receipt_dropped_without_the_file_is_green_with_its_age(
    opened: Page, handed: Handed
) -> None:
    look_everywhere(opened, "verify-empty", large=True)
    drop(opened, "receipt", handed.receipt, "receipt.json")
    verdict = check(opened)
    expect(verdict).to_have_class(re.compile("holds"))
    expect(verdict.locator(".as-of")).to_have_text(re.compile("截至.+前"))
    expect(verdict).not_to_have_attribute("open", "")
    expect(opened.locator("#result")).to_contain_text("没有核对材料原文件")
    look(opened, "verify-green-without-file")
    assert opened.evaluate("document.activeElement.id") == "result-title"


def test_receipt_chosen_with_its_file_is_compared_in_the_browser(
    opened: Page, handed: Handed
) -> None:
    sent: list[bytes] = []
    opened.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    speak(opened, language="en")
    opened.reload()
    choose(opened, "receipt", handed.receipt, "receipt.json")
    choose(opened, "document", handed.document, "paper.pdf")
    verdict = check(opened)
    expect(verdict).to_have_class(re.compile("holds"))
    expect(opened.locator("#result")).to_contain_text("Compared with the document you brought")
    assert not any(handed.document[:64] in body for body in sent), "the file stayed here"
    verdict.locator("summary").click()
    opened.locator("details.rests summary").click()
    look(opened, "verify-green-with-file-unfolded")


def test_other_file_is_red_and_opens_by_itself(opened: Page, handed: Handed) -> None:
    drop(opened, "receipt", handed.receipt, "receipt.json")
    drop(opened, "document", handed.document + b" ", "paper.pdf")
    verdict = check(opened)
    expect(verdict).to_have_class(re.compile("fails"))
    expect(verdict).to_have_attribute("open", "")
    expect(verdict).to_contain_text("不能采信")
    expect(verdict.locator("li.fails")).to_have_count(1)
    look(opened, "verify-red-other-file")


def test_trust_file_without_facts_of_the_ledger_is_amber(
    town: Town, opened: Page, handed: Handed
) -> None:
    facts = read_trust(town)
    choose(opened, "receipt", handed.receipt, "receipt.json")
    opened.locator("form details summary").click()
    choose(opened, "trust", facts, "trust.json")
    verdict = check(opened)
    expect(verdict).to_have_class(re.compile("pending"))
    expect(verdict).to_contain_text("没有账本事实")
    look(opened, "verify-amber")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("letters", b"\x00\xff not a receipt"),
        ("other-json", b'{"v":"something else"}'),
        ("big", b"[" + b" " * (5 * 1024 * 1024) + b"]"),
    ],
)
def test_what_is_no_receipt_is_named_and_nothing_else_is_said(
    opened: Page, name: str, data: bytes
) -> None:
    choose(opened, "receipt", data, "receipt.json")
    opened.click("#verify-button")
    problem = opened.locator("#problem")
    expect(problem).to_contain_text("4 MiB" if name == "big" else "凭证")
    expect(opened.locator("#result")).to_be_empty()
    look(opened, f"verify-refused-{name}", sizes=("phone",))


def test_big_file_is_hashed_in_the_browser(opened: Page, handed: Handed, tmp_path: Path) -> None:
    big = tmp_path / "big.pdf"
    with big.open("wb") as file:
        file.truncate(BIG_BYTES)
    choose(opened, "receipt", handed.receipt, "receipt.json")
    opened.set_input_files("#f-document", big)
    verdict = check(opened)
    expect(verdict).to_have_class(re.compile("fails"), timeout=READY_MS)
    expect(opened.locator("#hashing")).to_be_hidden()


def test_file_alone_is_never_looked_up(opened: Page, handed: Handed) -> None:
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.method))
    choose(opened, "document", handed.document, "paper.pdf")
    opened.click("#verify-button")
    assert opened.locator("#f-receipt").evaluate("field => field.validity.valueMissing")
    assert "POST" not in asked


def read_trust(town: Town) -> bytes:
    """What somebody who trusts no node was given on paper: keys and contracts, and no facts."""
    path = town.path / "trust-for-verify.json"
    node = str(town.path / "yanta")
    command = [sys.executable, "-m", "ledger_node.cli", "consortium", "trust"]
    subprocess.run([*command, "--node", node, "--output", str(path)], check=True, timeout=START_S)
    return encode_canonical({**json.loads(path.read_bytes()), "facts": None})
