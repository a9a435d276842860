"""A sheet to draw on: text in one embedded Chinese font, pages, tags for screen readers.

Sizes are millimetres, type sizes points. Every text goes through `put_line`, which refuses a
character the font lacks; lines never leave the page, `make_room` starts the next one.

Not here: what papers are composed of (blocks.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final

import segno
from fontTools.ttLib import TTLibError  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import TextMode
from fpdf.fonts import TTFFont

from ledger_node.core.errors import MalformedInputError, UnavailableError
from ledger_node.papers.breaking import break_lines
from ledger_node.papers.values import Fonts, PaperSize

FAMILY: Final = "paper"
POINT_MM: Final = 25.4 / 72
LEADING: Final = 1.45
BASELINE: Final = 0.36  # of the type size, below the middle of the line
STROKE: Final = 0.028  # of the type size: one weight drawn stronger for headings
ROLL_MM: Final = 80.0
ROLL_MARGIN_MM: Final = 4.0
ROLL_LONGEST_MM: Final = 4000.0
A4_MM: Final = (210.0, 297.0)
A4_SIDES_MM: Final = (28.0, 26.0)  # GB/T 9704: left, right
A4_TOP_MM: Final = 26.0
A4_BOTTOM_MM: Final = 27.0
LANGUAGE: Final = "zh-CN"
PRODUCER: Final = "tongban"
TRUE_TYPE: Final = b"\x00\x01\x00\x00"
BLACK: Final = 0
GREY: Final = 95
_UNSEEN: Final = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")


class GlyphMissingError(MalformedInputError):
    """The font has no picture of a character. Fields: characters (as `U+4E00`), font (name)."""

    code = "glyph_missing"

    def __init__(self, characters: str, font: str) -> None:
        named = "、".join(f"{each}(U+{ord(each):04X})" for each in characters)
        points = ", ".join(f"U+{ord(each):04X}" for each in characters)
        super().__init__(
            f"打印字体缺少下列字：{named}。请换用含有这些字的字体，或改为手写并由窗口人员盖章确认。",
            f"The font has no glyph for {points}; use a font that has, or write it by hand "
            "and have it stamped.",
            characters=points,
            font=font,
        )


class FontUnreadableError(UnavailableError):
    """The font file is missing or no TrueType font. Fields: font (file name)."""

    code = "font_unreadable"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"无法读取打印字体文件 {path.name}。请检查安装。",
            f"The font file {path.name} cannot be read; check the installation.",
            font=path.name,
        )


class Sheet:
    """One paper under the pen; `y_mm` is where the next block goes."""

    def __init__(
        self, fonts: Fonts, paper: PaperSize, made_at: datetime, length_mm: float | None = None
    ) -> None:
        self.narrow = paper is PaperSize.THERMAL_80
        if self.narrow:
            self.page_mm = (ROLL_MM, length_mm or ROLL_LONGEST_MM)
            self.left_mm, right_mm = ROLL_MARGIN_MM, ROLL_MARGIN_MM
            self.top_mm, self.bottom_mm = ROLL_MARGIN_MM, self.page_mm[1] - ROLL_MARGIN_MM
        else:
            self.page_mm = A4_MM
            self.left_mm, right_mm = A4_SIDES_MM
            self.top_mm, self.bottom_mm = A4_TOP_MM, A4_MM[1] - A4_BOTTOM_MM
        self.width_mm = self.page_mm[0] - self.left_mm - right_mm
        self.on_new_page: Callable[[], None] = _nothing
        self.y_mm = self.top_mm
        self.title = ""
        self._font_name = fonts.regular.name
        self._pdf = _open_pdf(fonts, self.page_mm, made_at)
        font = self._pdf.fonts[FAMILY]
        assert isinstance(font, TTFFont)  # a file was added
        self._font = font
        self.new_page()

    @property
    def page_number(self) -> int:
        """Current page, from 1."""
        return self._pdf.page

    def name(self, title: str, language: str = LANGUAGE) -> None:
        """Title and language of the file."""
        self.title = title
        self._pdf.set_title(title)
        self._pdf.set_lang(language)

    def new_page(self) -> None:
        """Start a page; blocks that repeat themselves (table heads) are told."""
        self._pdf.add_page()
        self.y_mm = self.top_mm
        self.on_new_page()

    def make_room(self, height_mm: float) -> None:
        """Go to the next page unless `height_mm` still fits on this one."""
        if self.y_mm + height_mm > self.bottom_mm and self.y_mm > self.top_mm:
            self.new_page()

    def measure(self, text: str, size_pt: float) -> float:
        """Width in millimetres."""
        widths = self._font.cw
        return sum(widths[ord(each)] for each in text) * size_pt / 1000 * POINT_MM

    def wrap(self, text: str, width_mm: float, size_pt: float, indent_mm: float = 0) -> list[str]:
        """Lines of a text at a width."""
        return break_lines(text, width_mm, lambda part: self.measure(part, size_pt), indent_mm)

    def put_line(
        self, x_mm: float, y_mm: float, text: str, size_pt: float, *, bold: bool = False,
        grey: int = BLACK,
    ) -> None:  # fmt: skip
        """Draw one line; (x, y) is the left top corner of its `line_mm`.

        Raises:
            GlyphMissingError: The font lacks a character.
        """
        self._demand_glyphs(text)
        if not text:
            return
        pdf = self._pdf
        pdf.set_font(FAMILY, size=size_pt)
        pdf.set_text_color(grey)
        baseline_mm = y_mm + line_mm(size_pt) / 2 + BASELINE * size_pt * POINT_MM
        if not bold:
            pdf.text(x_mm, baseline_mm, text)
            return
        pdf.set_draw_color(grey)
        with pdf.local_context(
            text_mode=TextMode.FILL_STROKE,
            line_width=STROKE * size_pt,  # text() takes points
        ):
            pdf.text(x_mm, baseline_mm, text)

    def rule(self, x1: float, y1: float, x2: float, y2: float, width_mm: float = 0.2) -> None:
        """A straight line, no content to a screen reader."""
        with self.artifact():
            self._pdf.set_draw_color(BLACK)
            self._pdf.set_line_width(width_mm)
            self._pdf.line(x1, y1, x2, y2)

    def fill(self, x: float, y: float, width: float, height: float, grey: int) -> None:
        """A filled rectangle behind text."""
        with self.artifact():
            self._pdf.set_fill_color(grey)
            self._pdf.rect(x, y, width, height, style="F")

    def frame(self, x: float, y: float, width: float, height: float, line: float = 0.3) -> None:
        """An empty rectangle."""
        with self.artifact():
            self._pdf.set_draw_color(BLACK)
            self._pdf.set_line_width(line)
            self._pdf.rect(x, y, width, height)

    def put_qr(self, x: float, y: float, side: float, text: str, alt: str) -> None:
        """A QR code (error level M, quiet zone of four modules inside `side`), as vectors."""
        rows = tuple(segno.make_qr(text, error="m").matrix_iter(border=4))
        module = side / len(rows)
        with self.tagged("Figure", alt):
            self._pdf.set_fill_color(BLACK)
            for row, line in enumerate(rows):
                for first, last in _runs(line):
                    self._pdf.rect(
                        x + first * module, y + row * module, (last - first) * module, module, "F"
                    )

    def put_picture(self, x: float, y: float, w: float, h: float, png: bytes, alt: str) -> None:
        """A picture inside a box, proportions kept."""
        self._pdf.image(BytesIO(png), x, y, w, h, keep_aspect_ratio=True, alt_text=alt)

    @contextmanager
    def tagged(self, kind: str, alt: str | None = None) -> Iterator[None]:
        """Mark what is drawn as one element of the document (`H1`, `P`, `Figure`).

        fpdf2 tags pictures only; its own way of doing so is used for text too.
        """
        pdf = self._pdf
        mcid = pdf.struct_builder.next_mcid_for_page(pdf.page)
        pdf._add_marked_content(struct_type=f"/{kind}", mcid=mcid, alt_text=alt)
        pdf._out(f"/{kind} <</MCID {mcid}>> BDC")
        yield
        pdf._out("EMC")

    @contextmanager
    def artifact(self) -> Iterator[None]:
        """Mark what is drawn as no content: rules, page numbers, repeated heads."""
        self._pdf._out("/Artifact BMC")
        yield
        self._pdf._out("EMC")

    def finish(self, footer: Callable[[Sheet, int], None] | None = None) -> bytes:
        """Bytes of the file; `footer(sheet, pages)` is called once on every page."""
        if footer is not None:
            pages = self._pdf.pages_count
            for page in range(1, pages + 1):
                self._pdf.page = page
                self._pdf.current_font_is_set_on_page = False  # of the page left
                footer(self, pages)
        return bytes(self._pdf.output())

    def close(self) -> None:
        """Close the font's file, which the library leaves open."""
        self._font.ttfont.close()

    def _demand_glyphs(self, text: str) -> None:
        missing = {each for each in text if ord(each) not in self._font.cmap or each in _UNSEEN}
        if missing:
            raise GlyphMissingError("".join(sorted(missing)), self._font_name)


def line_mm(size_pt: float) -> float:
    """Height of a line of this type size."""
    return size_pt * POINT_MM * LEADING


def _open_pdf(fonts: Fonts, page_mm: tuple[float, float], made_at: datetime) -> FPDF:
    pdf = FPDF(unit="mm", format=page_mm)
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.set_creation_date(made_at)
    pdf.set_producer(PRODUCER)
    try:
        _demand_true_type(fonts.regular)
        pdf.add_font(FAMILY, fname=fonts.regular)
    except (OSError, TTLibError, KeyError, NotImplementedError) as error:
        raise FontUnreadableError(fonts.regular) from error
    return pdf


def _demand_true_type(path: Path) -> None:
    """Looked at first, because the library leaves a file open that it cannot read."""
    with path.open("rb") as file:
        if file.read(len(TRUE_TYPE)) != TRUE_TYPE:
            raise FontUnreadableError(path)


def _runs(line: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Dark stretches of a row of modules, end excluded."""
    start: int | None = None
    for place, dark in enumerate((*line, 0)):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place
            start = None


def _nothing() -> None:
    """Nothing repeats."""
