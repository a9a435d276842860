"""Pages drawn by the capped process: pixels come back, whatever a stranger's file does."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from fpdf import FPDF
from PIL import Image

from ledger_node.edges.rendering import CappedRenderer, capped
from ledger_node.ports.rendering import PageNotRenderableError, RenderingTooCostlyError

pytestmark = pytest.mark.integration
MARK = "my-reviewer-01 2026-03-02 09:30 W20260302-0A1B2C3D"


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
    drawn = CappedRenderer().render_page(path, media_type, page, MARK)
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
        CappedRenderer().render_page(path, media_type, page, MARK)


def test_render_page_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "document"
    path.write_bytes(pdf(1))
    monkeypatch.setattr(capped, "TIME_S", 0.01)
    with pytest.raises(RenderingTooCostlyError):
        CappedRenderer().render_page(path, "application/pdf", 0, MARK)
