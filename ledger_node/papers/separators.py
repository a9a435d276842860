"""Separator sheets for batch scanning: a QR code that says which paper follows.

Contents: `tongban:sep:v1:<case or batch id>:<type code>:<ordinal>`, ASCII; the id is one the node
handed out and means nothing outside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger_node.papers.blocks import put_centred, put_gap
from ledger_node.papers.drawing import draw_paper
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import Fonts, PaperFactsError, PaperSize

SEPARATOR_PREFIX = "tongban:sep:v1:"
PAPER = "批量扫描分隔页"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MAX_ORDINAL = 9999


@dataclass(frozen=True, slots=True)
class SeparatorSheet:
    """Facts of one separator sheet.

    Attributes:
        batch: Case or batch id, letters, digits, dot, hyphen, underscore; at most 64.
        type_code: Material type of the pages that follow; as `batch`.
        ordinal: 1 to 9999: place in the batch.
        type_name, type_name_en: For people.
        made_at: When the file is made (aware).
    """

    batch: str
    type_code: str
    ordinal: int
    type_name: str
    made_at: datetime
    type_name_en: str = ""


def build_separator_text(batch: str, type_code: str, ordinal: int) -> str:
    """What the QR code of a separator sheet says.

    Raises:
        PaperFactsError: An id or the ordinal is not of the form above.
    """
    named = _ID.fullmatch(batch) and _ID.fullmatch(type_code)
    if not named or not 1 <= ordinal <= MAX_ORDINAL:
        raise PaperFactsError(PAPER, "批次、类型或序号不合格式", "batch, type or ordinal is wrong")
    return f"{SEPARATOR_PREFIX}{batch}:{type_code}:{ordinal}"


QR_MM = 78.0
BAND_MM = 9.0


def render_separator_sheets(sheets: Sequence[SeparatorSheet], fonts: Fonts) -> bytes:
    """Draw separator sheets, one A4 page each, in the order given.

    Raises:
        GlyphMissingError: The font lacks a character.
        PaperFactsError: No sheet, or an id or ordinal is not of the form.
    """
    if not sheets:
        raise PaperFactsError(PAPER, "没有要打印的分隔页", "there is nothing to print")
    texts = [build_separator_text(each.batch, each.type_code, each.ordinal) for each in sheets]

    def draw(sheet: Sheet) -> None:
        sheet.name(f"{PAPER} {sheets[0].batch}")
        for place, (facts, text) in enumerate(zip(sheets, texts, strict=True)):
            if place:
                sheet.new_page()
            _put_separator(sheet, facts, text)

    return draw_paper(draw, PaperSize.A4, fonts, sheets[0].made_at, f"批次：{sheets[0].batch}")


def _put_separator(sheet: Sheet, facts: SeparatorSheet, text: str) -> None:
    """Black bands at both ends catch the eye in a stack; the code stands in the middle."""
    sheet.fill(0, 8, sheet.page_mm[0], BAND_MM, 0)
    sheet.fill(0, sheet.page_mm[1] - 36, sheet.page_mm[0], BAND_MM, 0)
    put_centred(sheet, PAPER, 20, bold=True, kind="H1")
    put_centred(sheet, "Separator sheet: the pages after this one belong together", 10)
    put_gap(sheet, 8)
    put_centred(sheet, f"第 {facts.ordinal} 份", 26, bold=True)
    put_gap(sheet, 3)
    put_centred(sheet, facts.type_name, 22, bold=True)
    put_centred(sheet, facts.type_name_en, 11)
    put_gap(sheet, 8)
    x_mm = (sheet.page_mm[0] - QR_MM) / 2
    sheet.put_qr(x_mm, sheet.y_mm, QR_MM, text, "分隔页二维码")
    sheet.y_mm += QR_MM + 2
    put_centred(sheet, text, 9)
    put_gap(sheet, 6)
    put_centred(sheet, "请将本页放在该份材料之前一同扫描；本页不归档，可以重复使用于同一批次。", 11)
