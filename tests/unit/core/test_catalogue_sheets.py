"""Sheets and differences: what is written reads back, and every finding names its cell."""

import json
from dataclasses import replace
from datetime import date

import pytest
from typer.testing import CliRunner

from ledger_node.cli import app
from ledger_node.cli.editions import begin_of_day_s
from ledger_node.core.catalogue_diff import ChangeKind, compare_catalogues, encode_changes
from ledger_node.core.catalogue_format import parse_catalogue, read_catalogue
from ledger_node.core.catalogue_sheets import SheetsRefusedError, read_sheets, write_sheets
from ledger_node.edges.sheets import (
    SpreadsheetUnreadableError,
    read_spreadsheet,
    write_spreadsheet,
)
from ledger_node.seed import load_catalogue
from tests.reference import catalogues


def small():
    return read_catalogue(catalogues.catalogue())


def test_read_sheets_of_the_seed_read_back_the_same():
    catalogue, findings = read_sheets(write_sheets(load_catalogue()))
    assert catalogue == load_catalogue()
    assert len(findings) == 15
    assert all(each.finding.severity == "warning" for each in findings)


def test_read_spreadsheet_small_file_reads_back_the_same(tmp_path):
    path = tmp_path / "catalogue.xlsx"
    write_spreadsheet(path, write_sheets(small()))
    assert read_sheets(read_spreadsheet(path)) == (small(), ())


def bent(sheet, row, column, value):
    """The small catalogue's sheets with one cell changed; row as a person counts."""
    sheets = write_sheets(small())
    at = sheets[sheet][0].index(column)
    sheets[sheet][row - 1][at] = value
    return sheets


CELLS = {
    ("items", 2, "effective_from", "2026-02-30"): "date_impossible",
    ("items", 3, "promised_days", "soon"): "value_wrong",
    ("items", 2, "home_by", None): "home_unknown",
    ("items", 4, "decide_cities", None): "nobody_decides",
    ("needs", 3, "basis", "moon"): "basis_unknown",
    ("needs", 5, "any_of", "a,z"): "type_unknown",
    ("needs", 2, "item", "moon"): "value_wrong",
    ("types", 4, "code", "a"): "code_duplicate",
    ("types", 3, "sensitive", "perhaps"): "value_wrong",
    ("lists", 3, "receiving", "510107,510700"): "sides_wrong",
    ("catalogue", 2, "version", 0): "value_wrong",
}


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_read_sheets_bent_cell_is_named(cell):
    sheet, row, column, _ = cell
    with pytest.raises(SheetsRefusedError) as caught:
        read_sheets(bent(*cell))
    found = [(each.sheet, each.row, each.column, each.finding.code) for each in caught.value.cells]
    expected = "members" if CELLS[cell] == "sides_wrong" else column
    assert (sheet, row, expected, CELLS[cell]) in found


def test_read_sheets_names_every_cell_at_once_and_skips_empty_rows():
    sheets = bent("items", 2, "promised_days", -1)
    sheets["items"].insert(1, [None] * len(sheets["items"][0]))
    sheets["types"][1][2] = None
    with pytest.raises(SheetsRefusedError) as caught:
        read_sheets(sheets)
    found = [(each.sheet, each.row, each.column) for each in caught.value.cells]
    assert found == [("types", 2, "zh"), ("items", 3, "promised_days")]


def test_read_sheets_missing_sheet_or_column_is_named():
    sheets = write_sheets(small())
    del sheets["needs"]
    with pytest.raises(SheetsRefusedError) as caught:
        read_sheets(sheets)
    assert [(each.sheet, each.row) for each in caught.value.cells] == [("needs", 0)]
    sheets = write_sheets(small())
    sheets["bundles"][0][2] = None
    with pytest.raises(SheetsRefusedError) as caught:
        read_sheets(sheets)
    (cell,) = caught.value.cells
    assert (cell.sheet, cell.row, cell.column, cell.finding.code) == (
        "bundles",
        2,
        "en",
        "member_missing",
    )


def test_read_sheets_takes_what_people_type():
    sheets = bent("items", 2, "promised_days", "5")
    sheets["types"][2][sheets["types"][0].index("sensitive")] = "Yes"
    sheets["items"][2][sheets["items"][0].index("receive")] = " 510107 , 510700 "
    assert read_sheets(sheets)[0] == small()


def test_write_spreadsheet_text_never_becomes_a_formula(tmp_path):
    path = tmp_path / "formula.xlsx"
    write_spreadsheet(path, {"one": [["=1+1", 2]]})
    assert read_spreadsheet(path) == {"one": [["=1+1", 2]]}


@pytest.mark.parametrize("data", [b"", b"PK", b"{}", b"PK\x05\x06" + bytes(18)])
def test_read_spreadsheet_damaged_raises(tmp_path, data):
    path = tmp_path / "damaged.xlsx"
    path.write_bytes(data)
    with pytest.raises(SpreadsheetUnreadableError):
        read_spreadsheet(path)


def test_compare_catalogues_names_what_changed_and_nothing_else():
    before = small()
    item = before.items["loan"]
    needs = (replace(item.needs[0], freshness_days=30), *item.needs[1:2])
    after = replace(
        before,
        version=4,
        items={**before.items, "loan": replace(item, promised_days=3, needs=needs)},
        bundles={},
        types={**before.types, "e": replace(before.types["a"], code="e")},
    )
    changes = compare_catalogues(before, after)
    assert [(each.table, each.code, each.kind) for each in changes] == [
        ("types", "e", ChangeKind.ADDED),
        ("items", "loan", ChangeKind.CHANGED),
        ("bundles", "both", ChangeKind.REMOVED),
    ]
    members = [(one.member, one.before, one.after) for one in changes[1].members]
    assert members[0] == ("promised_days", 5, 3)
    assert members[1] == ("needs[0].freshness_days", None, 30)
    assert (members[2][0], members[2][2]) == ("needs[2]", None)
    assert compare_catalogues(before, replace(before, version=9)) == ()
    assert encode_changes(changes)[1]["members"][0]["after"] == 3


def run(*arguments):
    result = CliRunner().invoke(app, ["catalogue", *map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout) if result.stdout else {}


def test_catalogue_commands_export_change_import_and_compare(tmp_path):
    assert run("check")[0] == 0
    first, sheet, second = (tmp_path / name for name in ("a.json", "b.xlsx", "c.json"))
    first.write_text(json.dumps(catalogues.catalogue()), "utf-8")
    code, exported = run("export", first, "--to", sheet)
    assert (code, exported["items"]) == (0, 3)
    assert run("import", sheet, "--to", second)[1]["pin"] == exported["pin"]
    assert parse_catalogue(second.read_bytes()) == small()
    assert run("diff", first, second) == (0, {"changes": []})
    write_spreadsheet(sheet, bent("items", 2, "home_by", None))
    code, checked = run("check", sheet)
    assert (code, checked["findings"][0]["place"]) == (1, "items 2 home_by")
    before = second.read_bytes()
    assert run("import", sheet, "--to", second)[0] == 2
    assert second.read_bytes() == before
    assert run("check", tmp_path / "none.json")[0] == 2


def test_catalogue_commands_on_chain_without_a_city_are_refused(tmp_path):
    for arguments in (
        ("lists",),
        ("vote", 1),
        ("vote", 1, "--against"),
        ("publish", 1),
        ("propose", "pair-1", "--effective", "2026-09-01"),
        ("propose", "pair-1", "--effective", "2026-02-30"),
    ):
        assert run(*arguments, "--node", tmp_path)[0] == 2


def test_begin_of_day_is_midnight_in_china():
    assert begin_of_day_s(date(2026, 9, 1)) == 1_788_192_000
