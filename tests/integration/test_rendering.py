"""Pages drawn by the capped process: pixels come back, whatever a stranger's file does."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF
from PIL import Image

from ledger_node.edges.rendering import CappedRenderer, capped
from ledger_node.ports.rendering import PageNotRenderableError, RenderingTooCostlyError
from ledger_node.wiring import FONT
from tests.support.pdf import build_pdf, build_stream

pytestmark = pytest.mark.integration
MARK = "绵阳市 my-reviewer-01 2026-03-02 09:30 办件 W20260302-0A1B2C3D"
RENDERER = CappedRenderer(FONT)
MANY_LINES = b"0 0 m 500 500 l S " * 3_000_000


def pdf(pages: int) -> bytes:
    paper = FPDF()
    for _ in range(pages):
        paper.add_page()
    return bytes(paper.output())


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "white").save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("media_type", "content", "page", "pages"),
    [
        ("application/pdf", pdf(2), 1, 2),
        ("image/jpeg", picture("JPEG"), 0, 1),
        ("image/png", picture("PNG"), 0, 1),
    ],
)
def test_render_page_blank_page_comes_back_with_the_watermark_on_it(
    tmp_path: Path, media_type: str, content: bytes, page: int, pages: int
) -> None:
    path = tmp_path / "document"
    path.write_bytes(content)
    drawn = RENDERER.render_page(path, media_type, page, MARK)
    shown = Image.open(io.BytesIO(drawn.png))
    assert drawn.pages == pages
    assert max(shown.size) <= 1500
    assert len(shown.getcolors(maxcolors=1 << 24) or []) > 1, "nothing stands on the blank page"


@pytest.mark.parametrize(
    ("media_type", "content", "page"),
    [
        ("application/pdf", b"%PDF-1.7 and nothing else", 0),
        ("application/pdf", pdf(1), 1),
        ("image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 0),
    ],
)
def test_render_page_what_cannot_be_drawn_is_refused(
    tmp_path: Path, media_type: str, content: bytes, page: int
) -> None:
    path = tmp_path / "document"
    path.write_bytes(content)
    with pytest.raises(PageNotRenderableError):
        RENDERER.render_page(path, media_type, page, MARK)


def test_render_page_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "document"
    path.write_bytes(pdf(1))
    monkeypatch.setattr(capped, "TIME_S", 0.01)
    with pytest.raises(RenderingTooCostlyError):
        RENDERER.render_page(path, "application/pdf", 0, MARK)


def ink(png: bytes) -> bytes:
    """Pixels without their colour."""
    return Image.open(io.BytesIO(png)).convert("L").tobytes()


def test_render_page_chinese_watermark_draws_each_character_as_itself(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(pdf(1))
    drawn = [
        ink(RENDERER.render_page(path, "application/pdf", 0, text).png)
        for text in ("绵阳市", "雁塔区", "\ue000\ue001\ue002")
    ]
    assert len(set(drawn)) == 3, "a font without these characters draws one box for all"


def test_render_page_watermark_stands_in_no_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "document"
    path.write_bytes(pdf(1))
    started: list[list[str]] = []
    run = subprocess.run

    def note(command: list[str], **how: Any) -> Any:
        started.append([*command, json.dumps(how.get("env"), ensure_ascii=False)])
        return run(command, **how)

    monkeypatch.setattr(capped.subprocess, "run", note)
    RENDERER.render_page(path, "application/pdf", 0, MARK)
    said = " ".join(started[0])
    assert len(started) == 1
    assert not [part for part in MARK.split() if part in said]


def test_render_page_without_its_font_is_never_drawn_unmarked(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(pdf(1))
    with pytest.raises(PageNotRenderableError):
        CappedRenderer(tmp_path / "none.ttf").render_page(path, "application/pdf", 0, MARK)


def test_limit_bounds_memory_time_files_and_processes() -> None:
    program = (
        "import json, resource\n"
        "from ledger_node.edges.rendering.worker import limit\n"
        "limit()\n"
        "kinds = ('AS', 'CPU', 'FSIZE', 'CORE', 'NPROC')\n"
        "print(json.dumps([resource.getrlimit(getattr(resource, 'RLIMIT_' + k)) for k in kinds]))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=30
    )
    memory, cpu, *nothing = json.loads(said.stdout)
    assert memory[1] != resource.RLIM_INFINITY
    assert 0 < memory[0] <= 2 * 1024**3
    assert 0 < cpu[0] <= 12
    assert nothing == [[0, 0]] * 3


def png_header(side: int) -> bytes:
    """A picture that is mostly its claim of how large it is."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + name + body + check

    size = side.to_bytes(4, "big") * 2 + bytes((8, 2, 0, 0, 0))
    rows = zlib.compress(bytes(1024 * 1024))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", size), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    )


def bomb(kind: str) -> tuple[str, bytes]:
    if kind == "picture":
        return "image/png", png_header(60_000)
    packed = build_stream(zlib.compress(MANY_LINES, 1), b"/Filter/FlateDecode")
    drawn = build_pdf(more=[packed]).replace(b"/Contents 4 0 R", b"/Contents 5 0 R")
    return "application/pdf", drawn


@pytest.mark.parametrize("kind", ["picture", "lines"])
def test_render_page_hostile_file_ends_in_time_with_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    media_type, content = bomb(kind)
    path = tmp_path / "document"
    path.write_bytes(content)
    monkeypatch.setattr(capped, "TIME_S", 2.0)
    began = time.monotonic()
    with pytest.raises(RenderingTooCostlyError):
        RENDERER.render_page(path, media_type, 0, MARK)
    assert time.monotonic() - began < 6
