"""Spreadsheets (xlsx) as plain sheets of cells, by openpyxl; formulas and styles are not kept.

Bounded before anything is opened: a spreadsheet is a zip, and a small one can hold much.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook, load_workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]

from ledger_node.core.catalogue_sheets import Cell
from ledger_node.core.errors import MalformedInputError

MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 64
MAX_SHEETS: Final = 32


class SpreadsheetUnreadableError(MalformedInputError):
    """The file is no xlsx spreadsheet, or holds more than a catalogue can have."""

    code = "spreadsheet_unreadable"

    def __init__(self) -> None:
        super().__init__(
            "不是可读的 xlsx 表格，或内容过大。",
            "No readable xlsx spreadsheet, or one that holds too much.",
        )


def read_spreadsheet(path: Path) -> dict[str, list[list[Cell]]]:
    """Cells by sheet; dates become `2026-01-31`, whole numbers stay numbers.

    Raises:
        SpreadsheetUnreadableError: As the class says.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked_bytes = sum(each.file_size for each in archive.infolist())
        if unpacked_bytes > MAX_UNPACKED_BYTES:
            raise SpreadsheetUnreadableError
        book = load_workbook(path, read_only=True, data_only=True)
    except SpreadsheetUnreadableError:
        raise
    except Exception as error:  # openpyxl raises whatever the damage leads to
        raise SpreadsheetUnreadableError from error
    try:
        if len(book.sheetnames) > MAX_SHEETS:
            raise SpreadsheetUnreadableError
        return {sheet.title: _read_sheet(sheet) for sheet in book.worksheets}
    finally:
        book.close()


def write_spreadsheet(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> None:
    """Write sheets; replaces the file."""
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([_write_cell(sheet, cell) for cell in row])
    book.save(path)


def _write_cell(sheet: Any, cell: Cell) -> Any:
    """Text stays text: a name that begins with `=` would be run as a formula otherwise."""
    if not isinstance(cell, str):
        return cell
    written = WriteOnlyCell(sheet, value=cell)
    written.data_type = "s"
    return written


def _read_sheet(sheet: Any) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for row in sheet.iter_rows(values_only=True):
        if len(rows) >= MAX_ROWS or len(row) > MAX_COLUMNS:
            raise SpreadsheetUnreadableError
        rows.append([_read_cell(cell) for cell in row])
    return rows


def _read_cell(cell: object) -> Cell:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else str(cell)
    return cell if cell is None or isinstance(cell, str | int) else str(cell)
