"""Realistic papers of invented people: PDFs with an embedded Chinese font and a JPEG scan.

The bytes are the same at every run (fixed dates, fixed grain), so that two runs can be compared.
The font is one weight of Noto Sans SC (SIL Open Font License) from the pinned npm packages.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ledger_node.core.errors import NotFoundError

FONT = Path("node_modules/@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf")
MADE_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SPECIMEN = "演示样张 · 非真实证件 / SPECIMEN, NOT A REAL CERTIFICATE"


class FontMissingError(NotFoundError):
    """The pinned font package is not installed."""

    code = "font_missing"


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person of the demonstration."""

    name: str
    number: str
    scheme: str = "cn-resident-id"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper to register.

    Attributes:
        type_code: Material type of the catalogue.
        file_name: What the document is called at the window.
        media_type: Of `content`.
        content: The document's bytes.
        number: Document number as printed.
        issuer: (credit code, name) of the issuing department.
        issued_on: ISO date.
        title: What people call it.
    """

    type_code: str
    file_name: str
    media_type: str
    content: bytes
    number: str
    issuer: tuple[str, str]
    issued_on: str
    title: str


def find_font() -> Path:
    """Path of the embedded font, searched from this checkout's root.

    Raises:
        FontMissingError: `npm ci` has not been run.
    """
    path = Path(__file__).resolve().parents[2] / FONT
    if not path.is_file():
        raise FontMissingError(
            "缺少演示字体。请先运行 make setup。", "The font package is missing; run make setup."
        )
    return path


def build_pdf(title: str, rows: Sequence[tuple[str, str]], footer: str) -> bytes:
    """One A4 page: a title, a table of fields, a seal line; text is selectable."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(MADE_AT)
    pdf.set_title(title)
    pdf.set_lang("zh-CN")
    pdf.add_font("noto", fname=find_font())
    pdf.add_page()
    pdf.set_font("noto", size=22)
    pdf.cell(0, 24, title, align="C", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("noto", size=12)
    for label, value in rows:
        pdf.cell(45, 12, label, border=1)
        pdf.cell(0, 12, value, border=1, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(14)
    pdf.multi_cell(0, 8, footer, align="R")
    pdf.ln(10)
    pdf.set_text_color(170, 40, 40)
    pdf.multi_cell(0, 8, SPECIMEN, align="C")
    return bytes(pdf.output())


def build_scan(title: str, lines: Sequence[str]) -> bytes:
    """A slightly turned grey page with grain, as a window's scanner gives it; JPEG."""
    page = Image.new("L", (1240, 877), 247)
    draw = ImageDraw.Draw(page)
    large = ImageFont.truetype(str(find_font()), 52)
    small = ImageFont.truetype(str(find_font()), 30)
    draw.rectangle((40, 40, 1200, 837), outline=90, width=4)
    draw.text((620, 110), title, font=large, fill=30, anchor="mm")
    for row, line in enumerate([*lines, SPECIMEN]):
        draw.text((110, 200 + row * 68), line, font=small, fill=45)
    grain = random.Random(20260302).randbytes(page.width * page.height)  # noqa: S311 (a picture)
    noise = Image.frombytes("L", page.size, grain)
    page = Image.blend(page, noise, 0.06).rotate(0.8, fillcolor=235)
    out = io.BytesIO()
    page.filter(ImageFilter.GaussianBlur(0.6)).save(out, "JPEG", quality=82)
    return out.getvalue()


def build_papers(person: Person) -> list[Paper]:
    """Three papers a provident-fund loan asks for, as the window in Wuhou took them."""
    civil = ("11510107MB1A2B3C4D", "成都市武侯区民政局")
    fund = ("12510100450717890X", "成都住房公积金管理中心")
    estate = ("11510107009187654R", "成都市武侯区规划和自然资源局")
    married = [
        ("持证人", person.name),
        ("登记日期", "2019年05月20日"),
        ("结婚证字号", "J510107-2019-003217"),
        ("登记机关", civil[1]),
    ]
    deposits = [
        ("缴存人", person.name),
        ("缴存基数", "8,600.00 元"),
        ("连续缴存", "74 个月"),
        ("贷款余额", "0.00 元"),
        ("出具机构", fund[1]),
    ]
    house = [
        f"权利人：{person.name}",
        "坐落：武侯区演示路 12 号 3 栋 2 单元 501",
        "不动产单元号：510107002003GB00012F00030501",
        "登记日期：2021年09月15日",
    ]
    return [
        Paper(
            "marriage-cert",
            "结婚证.pdf",
            "application/pdf",
            build_pdf("结 婚 证", married, f"{civil[1]}（印）\n2019年05月20日"),
            "J510107-2019-003217",
            civil,
            "2019-05-20",
            "结婚证",
        ),
        Paper(
            "hpf-cert",
            "公积金缴存证明.pdf",
            "application/pdf",
            build_pdf("住房公积金缴存使用证明", deposits, f"{fund[1]}（印）\n2026年03月02日"),
            "GJJ-2026-0088412",
            fund,
            "2026-03-02",
            "公积金缴存证明",
        ),
        Paper(
            "realestate-cert",
            "不动产权证书.jpg",
            "image/jpeg",
            build_scan("不动产权证书", house),
            "川(2021)武侯区不动产权第0123456号",
            estate,
            "2021-09-15",
            "不动产权证书",
        ),
    ]
