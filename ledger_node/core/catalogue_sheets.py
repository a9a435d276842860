"""The catalogue as sheets of cells: one sheet a table, needs on a sheet of their own.

Step 6. Cells are text, numbers or empty; a header row names the members. Which file the sheets
come from is the edge's. Spec: docs/spec/catalogue.md, "Sheets".

Invariants:
    * What is written reads back as the same catalogue.
    * Every finding names sheet, row and column as a person sees them: rows count from 1, the
      header being row 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from ledger_node.core.canonical import JsonObject, JsonValue
from ledger_node.core.catalogue import Catalogue, Need
from ledger_node.core.catalogue_check import check_catalogue
from ledger_node.core.catalogue_findings import CatalogueRefusedError, Finding
from ledger_node.core.catalogue_format import (
    CATALOGUE_VERSION,
    TABLES,
    read_catalogue,
    write_catalogue,
)
from ledger_node.core.catalogue_rows import ALL, ROWS, wrong

Cell: TypeAlias = str | int | bool | None
Sheet: TypeAlias = Sequence[Sequence[Cell]]

ABOUT: Final = "catalogue"
NEEDS: Final = "needs"
_ITEM: Final = "item"
_LISTS: Final = frozenset(
    {"any_of", "lists", "receive", "accept", "decide_cities", "surrender", "items"}
    | {"members", "receiving", "deciding"}
)
_FLAGS: Final = frozenset({"sensitive", "single_use", "instant", "event_date", "second_officer"})
_NUMBERS: Final = frozenset(
    {"version", "validity_months", "retention_years", "batch", "statutory_days"}
    | {"promised_days", "freshness_days"}
)
_EMPTY_TEXT: Final = frozenset({"note"})
_YES: Final = {
    **dict.fromkeys(("是", "yes", "true"), True),
    **dict.fromkeys(("否", "no", "false"), False),
}
_PATH: Final = re.compile(r"(\w+)\[(\d+)\](?:\.needs\[(\d+)\])?(?:\.(\w+))?")


@dataclass(frozen=True, slots=True)
class SheetFinding:
    """A finding with the cell it is about; row 0: the sheet; column empty: the row."""

    sheet: str
    row: int
    column: str
    finding: Finding

    @property
    def place(self) -> str:
        """As a person finds it: `items 12 home_by`."""
        return f"{self.sheet} {self.row} {self.column}".rstrip()


class SheetsRefusedError(CatalogueRefusedError):
    """The sheets are no catalogue; every finding names its cell. Fields: findings, cells."""

    code = "catalogue_sheets_refused"

    def __init__(self, cells: Sequence[SheetFinding]) -> None:
        super().__init__([each.finding for each in cells], cells[0].place)
        self.cells = tuple(cells)
        self.fields["cells"] = self.cells


def write_sheets(catalogue: Catalogue) -> dict[str, list[list[Cell]]]:
    """Sheets by name, each with its header row."""
    value = write_catalogue(catalogue)
    sheets: dict[str, list[list[Cell]]] = {ABOUT: [["version"], [catalogue.version]]}
    for table, kind in TABLES.items():
        names = list(ROWS[kind])
        rows = cast("list[JsonObject]", value[table])
        sheets[table] = [
            list(names),
            *([_write_cell(name, row[name]) for name in names] for row in rows),
        ]
    names = list(ROWS[Need])
    needs: list[list[Cell]] = [[_ITEM, *names]]
    for item in cast("list[JsonObject]", value["items"]):
        for need in cast("list[JsonObject]", item["needs"]):
            needs.append([str(item["code"]), *(_write_cell(name, need[name]) for name in names)])
    sheets[NEEDS] = needs
    return sheets


def read_sheets(sheets: Mapping[str, Sheet]) -> tuple[Catalogue, tuple[SheetFinding, ...]]:
    """Read sheets; returns the catalogue with what a person should look at.

    Raises:
        SheetsRefusedError: A cell cannot be read, or the catalogue contradicts itself; carries
            every finding with its cell.
    """
    places: dict[str, tuple[str, int]] = {}
    missing = [name for name in (ABOUT, *TABLES, NEEDS) if not sheets.get(name)]
    if missing:
        raise SheetsRefusedError(
            [
                SheetFinding(name, 0, "", wrong(name, "缺少这张表。", "this sheet is missing."))
                for name in missing
            ]
        )
    value, strays = _read_value(sheets, places)
    if strays:
        raise SheetsRefusedError(strays)
    try:
        catalogue = read_catalogue(value)
    except CatalogueRefusedError as error:
        raise SheetsRefusedError([_locate(each, places) for each in error.findings]) from None
    findings = check_catalogue(catalogue)
    located = tuple(_locate(each, places) for each in findings)
    errors = [each for each in located if each.finding.severity == "error"]
    if errors:
        raise SheetsRefusedError(errors)
    return catalogue, located


def _read_value(
    sheets: Mapping[str, Sheet], places: dict[str, tuple[str, int]]
) -> tuple[JsonObject, list[SheetFinding]]:
    value: JsonObject = {"v": CATALOGUE_VERSION}
    about = _read_rows(sheets[ABOUT])
    value["version"] = about[0][1].get("version") if about else None
    for table in TABLES:
        rows = _read_rows(sheets[table])
        places.update({f"{table}[{n}]": (table, row) for n, (row, _) in enumerate(rows)})
        value[table] = [members for _, members in rows]
    items = cast("list[dict[str, JsonValue]]", value["items"])
    numbers: dict[JsonValue, int] = {}
    for number, item in enumerate(items):
        item["needs"] = []
        numbers.setdefault(item.get("code"), number)
    strays = []
    for row, members in _read_rows(sheets[NEEDS]):
        code = members.pop(_ITEM, None)
        if code not in numbers:
            finding = wrong(NEEDS, "没有这个事项。", "there is no such item.")
            strays.append(SheetFinding(NEEDS, row, _ITEM, finding))
            continue
        needs = cast("list[JsonValue]", items[numbers[code]]["needs"])
        places[f"items[{numbers[code]}].needs[{len(needs)}]"] = (NEEDS, row)
        needs.append(members)
    return value, strays


def _read_rows(sheet: Sheet) -> list[tuple[int, dict[str, JsonValue]]]:
    """(row, members) of every row with something in it; a column without a name is not read."""
    names = [str(cell).strip() if cell is not None else "" for cell in sheet[0]]
    rows = []
    for number, cells in enumerate(sheet[1:], start=2):
        if any(cell not in (None, "") for cell in cells):
            padded = [*cells, *([None] * (len(names) - len(cells)))]
            members = {
                name: _read_cell(name, cell)
                for name, cell in zip(names, padded, strict=False)
                if name
            }
            rows.append((number, members))
    return rows


def _read_cell(name: str, cell: Cell) -> JsonValue:
    """The value a cell stands for; what does not fit is left for the row's reader to refuse."""
    text = cell.strip() if isinstance(cell, str) else cell
    if name in _LISTS:
        if text in (None, ""):
            return []
        return ALL if text == ALL else [part.strip() for part in str(text).split(",")]
    if text in (None, ""):
        return "" if name in _EMPTY_TEXT else None
    if name in _FLAGS and isinstance(text, str):
        return _YES.get(text.lower(), text)
    if name in _NUMBERS or name in _FLAGS:
        return int(text) if isinstance(text, str) and re.fullmatch("[0-9]{1,9}", text) else text
    return str(text)


def _write_cell(name: str, value: JsonValue) -> Cell:
    if isinstance(value, bool):
        return "是" if value else "否"
    if name in _LISTS and not isinstance(value, str):
        return ",".join(str(each) for each in cast("Sequence[JsonValue]", value))
    assert value is None or isinstance(value, str | int)
    return value


def _locate(finding: Finding, places: Mapping[str, tuple[str, int]]) -> SheetFinding:
    """Cell of a finding's path."""
    match = _PATH.fullmatch(finding.path)
    if match is None:
        return SheetFinding(ABOUT, 2, finding.path, finding)
    table, number, need, member = match.groups()
    path = f"{table}[{number}]" if need is None else f"{table}[{number}].needs[{need}]"
    sheet, row = places[path]
    return SheetFinding(sheet, row, member or "", finding)
