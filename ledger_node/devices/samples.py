"""Sample cards and pages for the simulator: invented people, drawn anew the same every time.

Numbers have valid check digits (ISO 7064 MOD 11-2) and belong to nobody we know of.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import segno
from PIL import Image, ImageDraw, ImageFont

CARDS: Final = (
    ("borrower", "何雨晴", "510107199003070049"),
    ("husband", "周明远", "510700198709243320"),
    ("minor", "林子墨", "510700201504182119"),
    ("grandmother", "秦淑芬", "500103194802030641"),
    ("renamed", "陆知行", "610113197908175517"),
    ("widow", "顾兰英", "610113197911032787"),
    ("deaf", "冯静怡", "510107198806121212"),
    ("official", "卢建国", "130629199301284410"),
)
PAGE_PX: Final = (1240, 1754)  # A4 at 150 dpi
DPI: Final = 150
SAMPLE_BATCH: Final = "sample"
STACK: Final = (  # type code and pages; None is a blank back
    ("marriage-cert", ("结婚证 第一页", None)),
    ("income-cert", ("收入证明", None)),
    ("household-book", ("户口簿 首页", "户口簿 本人页", None)),
)
_ICAO_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One drawn page of the sample stack."""

    name: str
    image: Image.Image


def check_digit(first_17: str) -> str:
    """Check character of a resident number (GB 11643)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _ICAO_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def write_samples(folder: Path, font: Path | None = None) -> None:
    """Write `cards/*.json` and `pages/*.png`; what is there already is written again.

    Args:
        font: With Chinese characters; without it pages carry Latin letters only.
    """
    (folder / "cards").mkdir(parents=True, exist_ok=True)
    (folder / "pages").mkdir(exist_ok=True)
    for slug, name, number in CARDS:
        birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
        card = {"scheme": "cn-resident-id", "number": number, "name": name, "birth": birth}
        text = json.dumps(card, ensure_ascii=False, indent=1) + "\n"
        (folder / "cards" / f"{slug}.json").write_text(text, "utf-8")
    for sheet in draw_stack(font):
        sheet.image.save(folder / "pages" / f"{sheet.name}.png", dpi=(DPI, DPI))


def draw_stack(font: Path | None = None) -> list[Sheet]:
    """A stack as it lies in the feeder: separator, pages, blank backs."""
    sheets = []
    for ordinal, (type_code, titles) in enumerate(STACK, 1):
        text = f"tongban:sep:v1:{SAMPLE_BATCH}:{type_code}:{ordinal}"
        sheets.append(Sheet(f"{ordinal}-0-separator", draw_separator(text)))
        for place, title in enumerate(titles, 1):
            image = draw_page(title, font) if title else Image.new("L", PAGE_PX, 250)
            sheets.append(Sheet(f"{ordinal}-{place}-{'page' if title else 'blank'}", image))
    return sheets


def draw_separator(text: str) -> Image.Image:
    """A separator sheet: its code in the middle."""
    page = Image.new("L", PAGE_PX, 255)
    pen = ImageDraw.Draw(page)
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    module = 460 // len(rows)
    left, top = (PAGE_PX[0] - module * len(rows)) // 2, 640
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                x0, y0 = left + x * module, top + y * module
                pen.rectangle((x0, y0, x0 + module - 1, y0 + module - 1), fill=0)
    return page


def draw_page(title: str, font: Path | None = None) -> Image.Image:
    """A page of an invented paper, plainly a sample."""
    page = Image.new("L", PAGE_PX, 252)
    pen = ImageDraw.Draw(page)
    big, small = _font(font, 64), _font(font, 30)
    text = title if font else "SAMPLE PAGE"
    pen.text((PAGE_PX[0] // 2, 220), text, fill=20, font=big, anchor="mm")
    mark = "样张 SAMPLE" if font else "SAMPLE"
    pen.text((PAGE_PX[0] // 2, 320), mark, fill=90, font=small, anchor="mm")
    for line in range(14):
        y = 460 + line * 70
        pen.line((150, y, PAGE_PX[0] - 150 - (line * 97) % 330, y), fill=60, width=5)
    pen.ellipse((820, 1380, 1060, 1620), outline=70, width=8)
    return page


def draw_signature(strokes: list[list[tuple[int, int]]], size: tuple[int, int]) -> Image.Image:
    """Strokes on white, as a pad gives them."""
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    for stroke in strokes:
        pen.line(stroke, fill=0, width=4, joint="curve")
    return image


def _font(path: Path | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)
