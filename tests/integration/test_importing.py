"""Bulk import: rows and columns named, nothing half-stored, good rows kept only if asked for."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ledger_node.flows.importing import BadRowsError, import_table
from ledger_node.flows.intake import IntakeQueue, register
from ledger_node.flows.materials import load_material
from ledger_node.flows.node import Node
from ledger_node.flows.sequencing import resume_sequencing
from ledger_node.flows.table_reader import MalformedTableError
from tests.integration.city import LOG, submission
from tests.integration.ledger_oracle import check_ledger

pytestmark = pytest.mark.integration
HEADER = (
    "type_code",
    "grade",
    "subject_scheme",
    "subject_number",
    "subject_name",
    "subject2_role",
    "subject2_scheme",
    "subject2_number",
    "subject2_name",
    "number",
    "issued_on",
    "digest",
    "file2",
    "attribute.place",
)


def row(which: int, **changes: str) -> dict[str, str]:
    cells = {
        "type_code": "marriage-cert",
        "grade": "A",
        "subject_scheme": "cn-resident-id",
        "subject_number": f"51010719900101{which:04}",
        "subject_name": f"张三{which}",
        "number": f"J{which}",
        "issued_on": "2020-05-20",
        "digest": hashlib.sha256(b"%d" % which).hexdigest(),
        "attribute.place": "武侯,\n双楠",
    }
    return {**cells, **changes}


def write_csv(
    path: Path, rows: Sequence[Mapping[str, str]], header: Sequence[str] = HEADER
) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {name: [row.get(name) for row in rows] for name in HEADER}
    parquet.write_table(pa.table(columns), path, row_group_size=3)
    return path


def count(city: Node) -> int:
    with city.database.read() as tx:
        return tx.intake.count_materials()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_import_table_good_rows_are_registered_and_logged(
    city: Node, tmp_path: Path, database_url: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger_node.flows.importing.BATCH_ROWS", 4)
    (tmp_path / "scan.pdf").write_bytes(b"a scan")
    rows = [row(which) for which in range(10)]
    rows[3] |= {"file2": "scan.pdf", "subject2_scheme": "cn-resident-id"}
    rows[3] |= {"subject2_number": "510107199001019999", "subject2_name": "李四"}
    rows[3] |= {"subject2_role": "spouse"}
    write = write_csv if form == "csv" else write_parquet
    seen: list[tuple[str, int]] = []
    report = import_table(
        city, write(tmp_path / f"t.{form}", rows), progress=lambda *step: seen.append(step)
    )
    assert (report.registered, report.refused) == (10, 0)
    assert set(report.stage_s) == {"read", "check", "prepare", "keys", "rows"}
    assert [stage for stage, _ in seen] == ["check"] * 3 + ["store"] * 3
    tag = city.keys.compute_index_tag("cn-resident-id", "510107199001019999")
    with city.database.read() as tx:
        (found,) = tx.intake.find_materials_by_subject(tag)
    opened = load_material(city, found.row.material_id)
    assert [part.digest for part in opened.parts] == [
        hashlib.sha256(b"3").digest(),
        hashlib.sha256(b"a scan").digest(),
    ]
    assert [s["role"] for s in opened.values.values["subjects"]] == ["holder", "spouse"]  # type: ignore[index,union-attr]
    assert opened.values.values["attributes"] == {"place": "武侯,\n双楠"}
    resume_sequencing(city)
    assert len(check_ledger(database_url, tmp_path / LOG)["sequenced"]) == 10


BAD = [
    ({"type_code": "none"}, "type_code", "unknown_material_type"),
    ({"grade": ""}, "grade", "malformed_submission"),
    ({"subject_number": "123"}, "subject_number", "malformed_input"),
    ({"subject2_name": "李四"}, "subject2_number", "malformed_submission"),
    ({"issued_on": "20.5.2020"}, "issued_on", "malformed_submission"),
    ({"digest": "sha-256:zz"}, "digest", "malformed_submission"),
    ({"digest": ""}, "file", "malformed_submission"),
    ({"file2": "missing.pdf"}, "file2", "malformed_submission"),
    ({"file2": "empty.pdf"}, "file2", "document_empty"),
]


@pytest.mark.parametrize("position", [0, 3, 4, 9])
def test_import_table_bad_row_at_any_place_is_named_and_nothing_is_stored(
    city: Node, tmp_path: Path, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger_node.flows.importing.BATCH_ROWS", 4)
    (tmp_path / "empty.pdf").write_bytes(b"")
    for changes, column, code in BAD:
        rows = [row(which) for which in range(10)]
        rows[position] |= changes
        with pytest.raises(BadRowsError) as refused:
            import_table(city, write_csv(tmp_path / "t.csv", rows))
        (problem,) = refused.value.problems
        wanted = "file" if changes == {"digest": ""} else column
        assert (problem.row, problem.code) == (position + 2, code)
        assert problem.column in (wanted, "documents"), changes
    assert count(city) == 0


def test_import_table_keep_good_stores_the_good_and_names_the_bad(
    city: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger_node.flows.importing.BATCH_ROWS", 4)
    rows = [row(which) for which in range(10)]
    rows[2] |= {"grade": "Z"}
    rows[9] |= {"digest": "x"}
    report = import_table(city, write_csv(tmp_path / "t.csv", rows), keep_good=True)
    assert (report.registered, report.refused) == (8, 2)
    assert [(p.row, p.column) for p in report.problems] == [(4, "grade"), (11, "digest")]
    assert count(city) == 8


def test_import_table_paper_twice_in_the_table_or_registered_before_is_refused(
    city: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger_node.flows.importing.BATCH_ROWS", 2)
    register(city, IntakeQueue(city), submission(1, number="J-old"))
    rows = [row(0), row(1, number="j-OLD"), row(2), row(3), row(0, issued_on="2021-01-01")]
    path = write_csv(tmp_path / "t.csv", rows)
    with pytest.raises(BadRowsError) as refused:
        import_table(city, path)
    assert [(p.row, p.column, p.code) for p in refused.value.problems] == [
        (3, "number", "document_already_registered"),
        (6, "number", "malformed_submission"),
    ]
    assert count(city) == 1
    assert import_table(city, path, keep_good=True).registered == 3
    assert import_table(city, path, keep_good=True).registered == 0


@pytest.mark.parametrize(
    ("data", "column"),
    [
        (b"", None),
        (b"\xff\xfe\x00", None),
        (b"type_code,grade\n", "subject_scheme"),
        (b"type_code,type_code\n", "type_code"),
        (b"type_code,colour\n", "colour"),
        (",".join(n for n in HEADER if n not in ("digest", "file2")).encode(), None),
        (b"PAR1 and no Parquet", None),
    ],
)
def test_import_table_header_not_acceptable_names_the_column(
    city: Node, tmp_path: Path, data: bytes, column: str | None
) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(MalformedTableError) as refused:
        import_table(city, tmp_path / "t.csv")
    assert refused.value.fields.get("column") == column


def test_import_table_no_such_file_raises_malformed_table(city: Node, tmp_path: Path) -> None:
    with pytest.raises(MalformedTableError):
        import_table(city, tmp_path / "none.csv")


@pytest.mark.parametrize("tail", [b'"never closed', b"\xff\xff\n", b"a\x00b\n"])
def test_import_table_bytes_stop_being_csv_nothing_is_stored(
    city: Node, tmp_path: Path, tail: bytes
) -> None:
    path = write_csv(tmp_path / "t.csv", [row(which) for which in range(3)])
    path.write_bytes(path.read_bytes() + tail)
    with pytest.raises((MalformedTableError, BadRowsError)):
        import_table(city, path)
    assert count(city) == 0


def test_import_table_more_cells_than_columns_is_named(city: Node, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [row(0)])
    path.write_bytes(path.read_bytes().rstrip() + b",surplus,cells\r\n")
    with pytest.raises(BadRowsError) as refused:
        import_table(city, path)
    assert [(p.row, p.column) for p in refused.value.problems] == [(2, "(row)")]


def test_import_table_file_emptied_between_check_and_store_is_refused_late(
    city: Node, tmp_path: Path
) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"a scan")
    path = write_csv(tmp_path / "t.csv", [row(0, file2="scan.pdf"), row(1)])

    def empty_it(stage: str, _rows: int) -> None:
        if stage == "check":
            scan.write_bytes(b"")

    report = import_table(city, path, progress=empty_it)
    assert (report.registered, report.refused) == (1, 1)
    assert [(p.row, p.code) for p in report.problems] == [(2, "document_empty")]
