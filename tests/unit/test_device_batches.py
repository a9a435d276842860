"""Pages of scanned files: separators read, blanks seen, orders checked, bombs refused in time."""

from __future__ import annotations

import io
import re
import struct
import time
import zlib
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from ledger_node.devices import opening
from ledger_node.devices.batches import Batches
from ledger_node.devices.errors import (
    BatchNotFoundError,
    BatchOrderError,
    DeviceError,
    FileRefusedError,
)
from ledger_node.devices.grouping import OrderedPage, PageFacts, check_order, group_pages
from ledger_node.devices.hot_folder import HotFolder
from ledger_node.devices.opening import split_files
from ledger_node.devices.paging import find_separator_text, is_blank
from ledger_node.devices.samples import PAGE_PX, draw_page, draw_separator
from ledger_node.devices.separators import Separator, parse_separator

TEXT = "tongban:sep:v1:case-7:income-cert:12"
BOMB_S = 30.0


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def build_pdf(pages: int) -> bytes:
    """A small PDF whose page tree says `pages`."""
    pdf = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        pdf.new_page(100, 100)
    written = io.BytesIO()
    pdf.save(written)
    return written.getvalue()


def noisy(image: Image.Image, seed: int) -> Image.Image:
    """Grain and blur of a worn scanner, the same for a seed."""
    width, height = image.size
    state = seed * 2654435761 % 2**32
    grain = bytearray()
    for _ in range(4096):
        state = (state * 1664525 + 1013904223) % 2**32
        grain.append(255 - (state >> 27) * 2)
    tile = Image.frombytes("L", (64, 64), bytes(grain))
    layer = Image.new("L", (width, height))
    for x in range(0, width, 64):
        for y in range(0, height, 64):
            layer.paste(tile, (x, y))
    return ImageChops.multiply(image, layer).filter(ImageFilter.GaussianBlur(1.6))


@pytest.mark.parametrize("degrees", [0, 4, 90, 173, 180, 270, 311])
def test_find_separator_text_on_a_turned_and_noisy_sheet_reads_it(degrees: int) -> None:
    sheet = draw_separator(TEXT).rotate(degrees, expand=True, fillcolor=255)
    assert find_separator_text(noisy(sheet, degrees + 1)) == TEXT


def test_find_separator_text_ignores_codes_of_others() -> None:
    assert find_separator_text(draw_separator("https://example.org/pay")) is None
    assert find_separator_text(draw_page("")) is None
    assert find_separator_text(draw_separator(TEXT)) == TEXT


@pytest.mark.parametrize(
    "text",
    ["tongban:sep:v2:a:b:1", "tongban:sep:v1:a:b:0", "tongban:sep:v1:a:b:01",
     "tongban:sep:v1:a:b:10000", "tongban:sep:v1:a b:c:1", "tongban:sep:v1:a:b:1\n", "x" + TEXT],
)  # fmt: skip
def test_parse_separator_of_another_form_is_none(text: str) -> None:
    assert parse_separator(text) is None
    assert parse_separator(TEXT) == Separator("case-7", "income-cert", 12)


def test_is_blank_tells_empty_backs_from_pages() -> None:
    back = noisy(Image.new("L", PAGE_PX, 250), 3)
    assert is_blank(back.convert("RGB"))
    ImageDraw.Draw(back).text((600, 900), "7", fill=40, font=ImageFont.load_default(36))
    assert not is_blank(back.convert("RGB"))
    assert not is_blank(draw_page("").convert("RGB"))


def page(separator: Separator | None = None) -> PageFacts:
    return PageFacts(0, 0, 10, 10, False, separator)


def test_group_pages_begins_a_part_at_every_separator() -> None:
    first, second = Separator("c", "a", 1), Separator("c", "b", 2)
    parts = group_pages([page(), page(first), page(), page(), page(second), page(first)])
    assert [(part.separator, part.pages) for part in parts] == [(None, [0]), (first, [2, 3])]


@pytest.mark.parametrize(
    "parts",
    [[], [[]], [[OrderedPage(3)]], [[OrderedPage(-1)]], [[OrderedPage(0, 45)]],
     [[OrderedPage(0)], [OrderedPage(0)]], [[OrderedPage(0)], []]],
)  # fmt: skip
def test_check_order_that_does_not_fit_is_refused(parts: list[list[OrderedPage]]) -> None:
    with pytest.raises(BatchOrderError):
        check_order(parts, 3)
    check_order([[OrderedPage(2, 270)], [OrderedPage(0)]], 3)


def test_batch_of_mixed_files_is_built_in_the_final_order() -> None:
    pages = [draw_page("").resize((310, 438)) for _ in range(3)]
    tiff = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    files = [tiff, encode(pages[0].convert("RGB"), "JPEG"), build_pdf(2), b"not a file"]
    batches = Batches(lambda: 0.0)
    batch = batches.add("here", files)
    assert [(each.source, each.page) for each in batch.pages] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1),
    ]  # fmt: skip
    assert batch.refused == ((4, "broken"),)
    order = [[OrderedPage(5), OrderedPage(3, 90)], [OrderedPage(2, 180)]]
    (count, pdf), (other, _) = batches.build(batch, order)
    assert (count, other) == (2, 1)
    opened = pypdfium2.PdfDocument(pdf)
    assert [opened[n].get_rotation() for n in range(2)] == [0, 90]
    assert files[1][300:800] in pdf  # the JPEG is taken over, not encoded again
    with pytest.raises(BatchNotFoundError):
        batches.find("elsewhere", batch.id)
    assert batches.find("here", batch.id) is batch


def bombs() -> dict[str, tuple[bytes, set[str]]]:
    flood = Image.new("1", (9_000, 9_000))
    claimed = struct.pack(">4sII", b"IHDR", 60_000, 60_000) + b"\x08\x02\0\0\0"
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + claimed
    header += struct.pack(">I", zlib.crc32(claimed))
    good_tiff = encode(draw_page(""), "TIFF")
    return {
        "pixel-flood.png": (encode(flood), {"pixels"}),
        "claimed-flood.png": (header + b"\0\0\0\x08IDAT", {"pixels"}),
        "many-pages.pdf": (build_pdf(301), {"pages"}),
        "broken.tiff": (good_tiff[:8] + b"\xff" * 64, {"broken"}),
        "cut.png": (encode(draw_page(""))[:900], {"broken"}),
        "huge-page.pdf": (build_pdf(1).replace(b"100", b"9" * 9), {"pixels", "broken"}),
        "empty.pdf": (b"", {"broken"}),
    }


def test_bombs_are_refused_in_time_and_the_file_beside_them_is_taken() -> None:
    begun = time.monotonic()
    named = bombs()
    good = encode(draw_page("").resize((310, 438)))
    found = split_files([*[data for data, _ in named.values()], good])
    assert isinstance(found[-1], list)
    for (name, (_, reasons)), result in zip(named.items(), found, strict=False):
        assert result in reasons, name
    assert time.monotonic() - begun < BOMB_S


def test_pdf_of_ten_thousand_pages_is_refused_before_one_is_drawn() -> None:
    kids = b"<</Type/Pages/Count 10000/Kids[" + b"3 0 R " * 10_000 + b"]>>"
    bodies = [b"<</Type/Catalog/Pages 2 0 R>>", kids,
              b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 90 90]>>"]  # fmt: skip
    pdf = b"%PDF-1.4\n" + b"".join(
        b"%d 0 obj%s endobj\n" % (n, body) for n, body in enumerate(bodies, 1)
    )
    begun = time.monotonic()
    assert split_files([pdf + b"trailer<</Root 1 0 R>>\n%%EOF\n"]) == ["pages"]
    assert time.monotonic() - begun < BOMB_S


def test_worker_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "WALL_S", 0.05)
    with pytest.raises(FileRefusedError) as refused:
        Batches(lambda: 0.0).add("here", [encode(draw_page(""))])
    assert refused.value.reason == "time"


def test_hot_folder_takes_a_file_only_once_it_stands_still(tmp_path: Path) -> None:
    now = [0.0]
    folder = HotFolder(tmp_path, lambda: now[0], settle_s=2.0)
    whole = encode(draw_page("").resize((310, 438)))
    half = tmp_path / "b.png"
    half.write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a.pdf").write_bytes(build_pdf(1))
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "link.pdf").symlink_to(tmp_path / "a.pdf")
    assert folder.poll() == ([], 2)
    now[0] = 3.0
    assert folder.poll() == (["a.pdf"], 1)  # the other is still: but its end is missing
    half.write_bytes(whole)
    assert folder.poll() == (["a.pdf"], 1)
    now[0] = 4.0
    assert folder.poll() == (["a.pdf"], 1)
    now[0] = 5.5
    assert folder.poll() == (["a.pdf", "b.png"], 0)
    assert folder.read("b.png") == whole
    with pytest.raises(OSError):
        folder.read("link.pdf")
    folder.remove("a.pdf")
    assert folder.poll() == (["b.png"], 0)


def test_every_code_of_the_bridge_stands_in_its_document() -> None:
    text = (Path(__file__).parents[2] / "docs" / "spec" / "devices.md").read_text("utf-8")
    codes = {each.code for each in DeviceError.__subclasses__()} | {DeviceError.code}
    assert len(codes) >= 20
    assert codes <= set(re.findall(r"`(\w+)`", text)), codes
