"""What papers are composed of: headings, paragraphs, facts, tables, codes, signatures, the seal.

Each block works on A4 and on roll paper; tables become stacked entries on the roll.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger_node.papers.sheet import BLACK, GREY, Sheet, line_mm
from ledger_node.papers.values import Office

PAD_MM: Final = 1.6
SHADE: Final = 240
SEAL_MM: Final = 42.0  # round seal of an office
INDENT_CHARACTERS: Final = 2


@dataclass(frozen=True, slots=True)
class Type:
    """Type sizes in points of one paper size."""

    title: float
    office: float
    body: float
    table: float
    small: float


A4_TYPE: Final = Type(title=22, office=15, body=12, table=10.5, small=9)
ROLL_TYPE: Final = Type(title=15, office=11, body=9.5, table=9, small=7.5)


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a table column; `share` is its part of the width."""

    title: str
    share: float
    centred: bool = False


def types(sheet: Sheet) -> Type:
    """Type sizes for this sheet."""
    return ROLL_TYPE if sheet.narrow else A4_TYPE


def put_heading(sheet: Sheet, office: Office, title: str, title_en: str, number: str = "") -> None:
    """Name of the office, name of the paper, English beneath, document number."""
    sheet.name(f"{title} {number}".strip())
    sizes = types(sheet)
    put_centred(sheet, office.name, sizes.office)
    put_gap(sheet, 1)
    put_centred(sheet, title, sizes.title, bold=True, kind="H1")
    put_centred(sheet, title_en, sizes.small, grey=GREY)
    if number:
        put_gap(sheet, 1.5)
        put_centred(sheet, number, sizes.body)
    put_gap(sheet, 2 if sheet.narrow else 5)


def put_centred(
    sheet: Sheet, text: str, size_pt: float, *, bold: bool = False, grey: int = BLACK,
    kind: str = "P",
) -> None:  # fmt: skip
    """Centred lines."""
    for line in sheet.wrap(text, sheet.width_mm, size_pt) if text else ():
        sheet.make_room(line_mm(size_pt))
        x_mm = sheet.left_mm + (sheet.width_mm - sheet.measure(line, size_pt)) / 2
        with sheet.tagged(kind):
            sheet.put_line(x_mm, sheet.y_mm, line, size_pt, bold=bold, grey=grey)
        sheet.y_mm += line_mm(size_pt)


def put_paragraph(
    sheet: Sheet, text: str, *, size_pt: float | None = None, indent: bool = True,
    bold: bool = False, grey: int = BLACK, kind: str = "P",
) -> None:  # fmt: skip
    """Lines over the whole width; first line indented by two characters on A4."""
    size_pt = size_pt or types(sheet).body
    indented = indent and not sheet.narrow
    indent_mm = sheet.measure("国" * INDENT_CHARACTERS, size_pt) if indented else 0.0
    for place, line in enumerate(sheet.wrap(text, sheet.width_mm, size_pt, indent_mm)):
        sheet.make_room(line_mm(size_pt))
        x_mm = sheet.left_mm + (indent_mm if place == 0 else 0.0)
        with sheet.tagged(kind):
            sheet.put_line(x_mm, sheet.y_mm, line, size_pt, bold=bold, grey=grey)
        sheet.y_mm += line_mm(size_pt)


def put_section(sheet: Sheet, text: str) -> None:
    """Heading of a section, kept with two lines of what follows."""
    size_pt = types(sheet).body
    put_gap(sheet, 2.5)
    sheet.make_room(3 * line_mm(size_pt))
    put_paragraph(sheet, text, indent=False, bold=True, kind="H2")
    put_gap(sheet, 0.8)


def put_note(sheet: Sheet, text: str) -> None:
    """Small print, for example the English beside it."""
    put_paragraph(sheet, text, size_pt=types(sheet).small, indent=False, grey=GREY)


def put_gap(sheet: Sheet, height_mm: float) -> None:
    """Empty space; none at the top of a page."""
    if sheet.y_mm > sheet.top_mm:
        sheet.y_mm += height_mm


def put_facts(sheet: Sheet, facts: Sequence[tuple[str, str]], label_share: float = 0.24) -> None:
    """Label and value per line; facts without a value are left out."""
    shown = [(label, value) for label, value in facts if value]
    if sheet.narrow:
        for label, value in shown:
            _put_stacked(sheet, label, value)
        return
    columns = (Column("", label_share), Column("", 1 - label_share))
    _put_rows(sheet, columns, shown, headed=False)


def put_table(sheet: Sheet, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """A table; the head is repeated on every page. On the roll an entry per row."""
    if not sheet.narrow:
        _put_rows(sheet, columns, rows, headed=True)
        return
    for ordinal, row in enumerate(rows, 1):
        named = list(zip(columns, row, strict=True))
        if named[0][0].title == "序号":
            del named[0]
        put_paragraph(sheet, f"{ordinal}. {named[0][1]}", bold=True)
        _put_packed(sheet, [(column.title, value) for column, value in named[1:] if value])
        put_gap(sheet, 1)


def put_code(sheet: Sheet, label: str, code: str) -> None:
    """A code people copy or read out, framed, as large as one line of it can be."""
    size_pt = 15.0 if sheet.narrow else 20.0
    fits_pt = size_pt * (sheet.width_mm - 2 * PAD_MM) / sheet.measure(code, size_pt)
    size_pt = min(size_pt, fits_pt)
    label_pt = types(sheet).small
    height_mm = line_mm(label_pt) + line_mm(size_pt) + 2 * PAD_MM
    sheet.make_room(height_mm + 2)
    sheet.frame(sheet.left_mm, sheet.y_mm, sheet.width_mm, height_mm, 0.5)
    sheet.y_mm += PAD_MM
    put_centred(sheet, label, label_pt)
    put_centred(sheet, code, size_pt, bold=True)
    sheet.y_mm += PAD_MM + 2


def put_qr_beside(sheet: Sheet, text: str, alt: str, lines: Sequence[str]) -> None:
    """A QR code with lines of text beside it (below it on the roll)."""
    side_mm = 34.0
    size_pt = types(sheet).small if sheet.narrow else types(sheet).table
    if sheet.narrow:
        sheet.make_room(side_mm)
        x_mm = sheet.left_mm + (sheet.width_mm - side_mm) / 2
        sheet.put_qr(x_mm, sheet.y_mm, side_mm, text, alt)
        sheet.y_mm += side_mm + 1
        for line in lines:
            put_paragraph(sheet, line, size_pt=size_pt)
        return
    width_mm = sheet.width_mm - side_mm - 4
    wrapped = [part for line in lines for part in sheet.wrap(line, width_mm, size_pt)]
    height_mm = max(side_mm, len(wrapped) * line_mm(size_pt))
    sheet.make_room(height_mm)
    sheet.put_qr(sheet.left_mm, sheet.y_mm, side_mm, text, alt)
    y_mm = sheet.y_mm + max(0.0, (side_mm - len(wrapped) * line_mm(size_pt)) / 2)
    for part in wrapped:
        with sheet.tagged("P"):
            sheet.put_line(sheet.left_mm + side_mm + 4, y_mm, part, size_pt)
        y_mm += line_mm(size_pt)
    sheet.y_mm += height_mm + 1


def put_signature_lines(sheet: Sheet, labels: Sequence[str]) -> None:
    """Lines to sign on, each with a place for the date."""
    size_pt = types(sheet).body
    date_text = "年    月    日"
    for whole in labels:
        *before, label = sheet.wrap(whole, sheet.width_mm * 0.6, size_pt)
        for line in before:
            put_paragraph(sheet, line, indent=False)
        height_mm = line_mm(size_pt) + (7 if sheet.narrow and not before else 5)
        sheet.make_room(height_mm)
        sheet.y_mm += 0 if before else height_mm - line_mm(size_pt)
        with sheet.tagged("P"):
            sheet.put_line(sheet.left_mm, sheet.y_mm, label, size_pt)
        end_mm = sheet.left_mm + sheet.width_mm
        if not sheet.narrow:
            end_mm -= sheet.measure(date_text, size_pt) + 14
            with sheet.tagged("P"):
                sheet.put_line(end_mm + 14, sheet.y_mm, date_text, size_pt)
        start_mm = sheet.left_mm + sheet.measure(label, size_pt) + 1
        bottom_mm = sheet.y_mm + line_mm(size_pt)
        sheet.rule(start_mm, bottom_mm, end_mm, bottom_mm)
        sheet.y_mm = bottom_mm


def put_sign_off(sheet: Sheet, office: Office, day: str, *, sealed: bool = True) -> None:
    """落款: office, 成文日期, and room for the seal over both (none on what nobody seals)."""
    sizes = types(sheet)
    if sheet.narrow:
        put_gap(sheet, 3)
        put_centred(sheet, office.name, sizes.body)
        put_centred(sheet, day, sizes.body)
        return
    put_gap(sheet, 4)
    lines = [*sheet.wrap(office.name, sheet.width_mm / 2, sizes.body), day]
    sheet.make_room(max(SEAL_MM, len(lines) * line_mm(sizes.body)))
    widths_mm = [sheet.measure(text, sizes.body) for text in lines]
    right_mm = sheet.left_mm + sheet.width_mm - sheet.measure("国国国国", sizes.body)
    centre_mm = right_mm - max(widths_mm) / 2
    y_mm = sheet.y_mm + max(0.0, SEAL_MM / 2 - (len(lines) - 0.5) * line_mm(sizes.body))
    for text, wide_mm in zip(lines, widths_mm, strict=True):
        with sheet.tagged("P"):
            sheet.put_line(centre_mm - wide_mm / 2, y_mm, text, sizes.body)
        y_mm += line_mm(sizes.body)
    mark = "（印章）" if sealed else "（电子核验，不加盖印章）"
    with sheet.tagged("P"):
        x_mm = centre_mm - sheet.measure(mark, sizes.small) / 2
        sheet.put_line(x_mm, y_mm, mark, sizes.small, grey=GREY)
    sheet.y_mm += SEAL_MM


def put_contact(sheet: Sheet, office: Office) -> None:
    """Where people reach the office."""
    parts = [
        f"{label}：{value}"
        for label, value in (
            ("办理窗口", office.outlet),
            ("地址", office.address),
            ("电话", office.phone),
        )
        if value
    ]
    if parts:
        put_gap(sheet, 1.5)
        put_note(sheet, "　".join(parts) if not sheet.narrow else "\n".join(parts))


def _put_packed(sheet: Sheet, pairs: Sequence[tuple[str, str]]) -> None:
    """Short entries side by side, long ones each on lines of their own."""
    size_pt = types(sheet).table
    line = ""
    for label, value in pairs:
        entry = f"{label}：{value}"
        joined = f"{line}　{entry}" if line else entry
        if sheet.measure(joined, size_pt) <= sheet.width_mm:
            line = joined
            continue
        if line:
            put_paragraph(sheet, line, size_pt=size_pt)
        line = "" if sheet.measure(entry, size_pt) > sheet.width_mm else entry
        if not line:
            _put_stacked(sheet, label, value)
    if line:
        put_paragraph(sheet, line, size_pt=size_pt)


def _put_stacked(sheet: Sheet, label: str, value: str) -> None:
    """Label in front, value hanging behind it."""
    size_pt = types(sheet).table
    label_text = f"{label}："
    hang_mm = min(sheet.measure(label_text, size_pt), sheet.width_mm * 0.4)
    lines = sheet.wrap(value, sheet.width_mm - hang_mm, size_pt)
    for place, line in enumerate(lines):
        sheet.make_room(line_mm(size_pt))
        with sheet.tagged("P"):
            if place == 0:
                sheet.put_line(sheet.left_mm, sheet.y_mm, label_text, size_pt, grey=GREY)
            sheet.put_line(sheet.left_mm + hang_mm, sheet.y_mm, line, size_pt)
        sheet.y_mm += line_mm(size_pt)


def _put_rows(
    sheet: Sheet, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, headed: bool
) -> None:
    """Rows with their borders; one that is higher than a page goes on over the next ones."""
    head = _wrap_row(sheet, columns, [column.title for column in columns])
    if headed:
        sheet.make_room(2 * _height_mm(sheet, 1))
        _put_row(sheet, columns, head, shaded=True)
    for row in rows:
        cells = _wrap_row(sheet, columns, row)
        count = max(len(cell) for cell in cells)
        before = sheet.page_number
        whole = count <= _count_fitting(sheet, sheet.top_mm) - 3  # beneath a repeated head
        sheet.make_room(_height_mm(sheet, count if whole else 3))
        first = 0
        while first < count:
            if headed and sheet.page_number != before:
                _put_row(sheet, columns, head, shaded=True, repeated=True)
            last = first + max(1, _count_fitting(sheet, sheet.y_mm))
            part = [cell[first:last] for cell in cells]
            _put_row(sheet, columns, part, shaded=False, labelled=not headed)
            first, before = last, sheet.page_number
            if first < count:
                sheet.new_page()


def _count_fitting(sheet: Sheet, from_mm: float) -> int:
    """Lines of a cell between a height and the bottom of the page."""
    return int((sheet.bottom_mm - from_mm - 2 * PAD_MM) / line_mm(types(sheet).table))


def _widths(sheet: Sheet, columns: Sequence[Column]) -> list[float]:
    whole = sum(column.share for column in columns)
    return [sheet.width_mm * column.share / whole for column in columns]


def _wrap_row(sheet: Sheet, columns: Sequence[Column], row: Sequence[str]) -> list[list[str]]:
    size_pt = types(sheet).table
    return [
        sheet.wrap(cell, width - 2 * PAD_MM, size_pt)
        for cell, width in zip(row, _widths(sheet, columns), strict=True)
    ]


def _height_mm(sheet: Sheet, lines: int) -> float:
    return lines * line_mm(types(sheet).table) + 2 * PAD_MM


def _put_row(
    sheet: Sheet, columns: Sequence[Column], cells: Sequence[Sequence[str]], *, shaded: bool,
    repeated: bool = False, labelled: bool = False,
) -> None:  # fmt: skip
    """One row with its borders; a repeated head is no content to a screen reader."""
    size_pt = types(sheet).table
    height_mm = _height_mm(sheet, max(len(cell) for cell in cells))
    x_mm, y_mm = sheet.left_mm, sheet.y_mm
    for place, (column, width, lines) in enumerate(
        zip(columns, _widths(sheet, columns), cells, strict=True)
    ):
        labelling = shaded or (labelled and place == 0)
        if labelling:
            sheet.fill(x_mm, y_mm, width, height_mm, SHADE)
        sheet.frame(x_mm, y_mm, width, height_mm, 0.2)
        top_mm = y_mm + (height_mm - len(lines) * line_mm(size_pt)) / 2
        with sheet.artifact() if repeated else sheet.tagged("P"):
            for line in lines:
                inset = PAD_MM
                if column.centred or shaded:
                    inset = (width - sheet.measure(line, size_pt)) / 2
                sheet.put_line(x_mm + inset, top_mm, line, size_pt)
                top_mm += line_mm(size_pt)
        x_mm += width
    sheet.y_mm += height_mm
