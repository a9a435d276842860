"""Tables handed in for bulk import: CSV and Parquet as rows of text, a batch at a time.

Row numbers are those a spreadsheet shows: the header is row 1. Nothing is kept in memory beyond
one batch, so a table may be read twice (first to check it, then to store it).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from ledger_node.core.errors import MalformedInputError

FIRST_ROW: Final = 2
MAX_COLUMNS: Final = 200
SURPLUS: Final = ""  # name under which cells beyond the header are reported


class MalformedTableError(MalformedInputError):
    """The file is no table this program reads, or its header is not acceptable."""

    code = "malformed_table"

    def __init__(self, reason_zh: str, reason_en: str, **fields: object) -> None:
        super().__init__(
            f"表格无法读取：{reason_zh}。", f"unreadable table: {reason_en}.", **fields
        )


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number in the file and its non-empty cells by column."""

    number: int
    cells: Mapping[str, str]


def read_header(path: Path) -> list[str]:
    """Column names of a table.

    Raises:
        MalformedTableError: Neither CSV nor Parquet, or a name is missing or repeated.
    """
    names = _parquet_header(path) if _is_parquet(path) else _csv_header(path)
    if not names or len(names) > MAX_COLUMNS:
        raise MalformedTableError(f"须有 1 至 {MAX_COLUMNS} 列", f"1 to {MAX_COLUMNS} columns")
    for name in names:
        if not name or names.count(name) > 1:
            raise MalformedTableError(
                f"列名“{name}”为空或重复", f"column name {name!r} is empty or repeated", column=name
            )
    return names


def read_rows(path: Path, batch_rows: int) -> Iterator[list[TableRow]]:
    """Rows in batches, in the order of the file; blank rows are left out but counted.

    Raises:
        MalformedTableError: The bytes stop being a table; names the row.
    """
    read = _read_parquet if _is_parquet(path) else _read_csv
    return read(path, read_header(path), batch_rows)


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError as error:
        raise MalformedTableError("文件打不开", f"cannot open {path.name}") from error


def _csv_header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            return [name.strip() for name in next(csv.reader(file, strict=True), [])]
        except (csv.Error, UnicodeDecodeError) as error:
            raise MalformedTableError(
                "首行不是 UTF-8 编码的 CSV", "the first row is not CSV in UTF-8", row=1
            ) from error


def _read_csv(path: Path, header: list[str], batch_rows: int) -> Iterator[list[TableRow]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = enumerate(csv.reader(file, strict=True), start=1)
        number = 1
        try:
            next(rows)
            while batch := list(islice(rows, batch_rows)):
                number = batch[-1][0]
                yield [_csv_row(header, n, cells) for n, cells in batch if any(cells)]
        except (csv.Error, UnicodeDecodeError) as error:
            raise MalformedTableError(
                f"第 {number} 行之后不是 UTF-8 编码的 CSV",
                f"after row {number} it is not CSV in UTF-8",
                row=number,
            ) from error


def _csv_row(header: Sequence[str], number: int, cells: Sequence[str]) -> TableRow:
    named = {
        name: text for name, cell in zip(header, cells, strict=False) if (text := cell.strip())
    }
    surplus = "".join(cells[len(header) :]).strip()
    return TableRow(number, {**named, SURPLUS: surplus} if surplus else named)


def _parquet_header(path: Path) -> list[str]:
    import pyarrow as pa  # type: ignore[import-untyped]  # the package carries no types
    from pyarrow import parquet

    try:
        return list(parquet.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise MalformedTableError("Parquet 文件损坏", "the Parquet file is damaged") from error


def _read_parquet(path: Path, header: list[str], batch_rows: int) -> Iterator[list[TableRow]]:
    import pyarrow as pa
    from pyarrow import parquet

    number = FIRST_ROW
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=batch_rows):
                columns = [[_cell_text(value) for value in c.to_pylist()] for c in batch.columns]
                yield [
                    TableRow(n, {k: text for k, text in zip(header, cells, strict=True) if text})
                    for n, cells in enumerate(zip(*columns, strict=True), start=number)
                    if any(cells)
                ]
                number += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise MalformedTableError(
            f"Parquet 文件在第 {number} 行之后损坏",
            f"the Parquet file is damaged after row {number}",
            row=number,
        ) from error


def _cell_text(value: object) -> str:
    """Text, days and whole numbers as they would stand in a CSV; bytes as hex (digests)."""
    if value is None:
        return ""
    return value.hex() if isinstance(value, bytes) else str(value).strip()
