"""From blocks to bytes: one pass on A4, two on the roll (the first finds the length)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime

from ledger_node.papers.blocks import types
from ledger_node.papers.sheet import GREY, ROLL_MARGIN_MM, Sheet
from ledger_node.papers.values import Fonts, PaperSize, PaperSizeNotOfferedError

Draw = Callable[[Sheet], None]
FOOTER_MM = 15.0
CUT_MM = 6.0


def draw_paper(
    draw: Draw, paper: PaperSize, fonts: Fonts, made_at: datetime, footer: str = ""
) -> bytes:
    """Draw a paper.

    Args:
        footer: Stands left of the page number on A4 (case or document number).

    Raises:
        GlyphMissingError: The font lacks a character.
        FontUnreadableError: There is no such font.
        PaperSizeNotOfferedError: Longer than a roll may be.
    """
    if paper is PaperSize.THERMAL_80:
        with closing(Sheet(fonts, paper, made_at)) as measured:
            draw(measured)
            if measured.page_number > 1:
                raise PaperSizeNotOfferedError(measured.title, paper)
            length_mm = measured.y_mm + ROLL_MARGIN_MM + CUT_MM
        with closing(Sheet(fonts, paper, made_at, length_mm)) as sheet:
            draw(sheet)
            return sheet.finish()

    def put_footer(under: Sheet, pages: int) -> None:
        size_pt = types(under).small
        y_mm = under.page_mm[1] - FOOTER_MM
        text = f"第 {under.page_number} 页　共 {pages} 页"
        right_mm = under.left_mm + under.width_mm
        with under.artifact():
            x_mm = right_mm - under.measure(text, size_pt)
            begun = under.wrap(footer, x_mm - under.left_mm - 4, size_pt)[0]  # whole in the paper
            under.put_line(under.left_mm, y_mm, begun, size_pt, grey=GREY)
            under.put_line(x_mm, y_mm, text, size_pt, grey=GREY)
        under.rule(under.left_mm, y_mm - 1, right_mm, y_mm - 1, 0.1)

    with closing(Sheet(fonts, paper, made_at)) as sheet:
        draw(sheet)
        return sheet.finish(put_footer)


def demand_a4(paper: PaperSize, name: str) -> None:
    """Refuse the roll for a paper that is sealed and filed.

    Raises:
        PaperSizeNotOfferedError: It was asked for.
    """
    if paper is not PaperSize.A4:
        raise PaperSizeNotOfferedError(name, paper)
