"""Bulk registration of a table: the same steps 1 and 2, thousands of rows to a commit.

Nothing is stored unless every row is good (the table is read twice: checked, then stored), or
with `keep_good` the good rows are stored and the bad ones named. Each batch follows intake's
crash order; a crash between batches leaves whole batches, and running the import again with
`keep_good` registers the rest (rows whose paper has a number are recognised).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger_node.core.errors import LedgerError, MalformedInputError, UnavailableError
from ledger_node.flows.intake import (
    DocumentAlreadyRegisteredError,
    list_duplicate_keys_of,
    store_rows,
    store_secrets,
)
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import PreparedMaterial, prepare_material
from ledger_node.flows.submission import (
    CheckedSubmission,
    MalformedSubmissionError,
    check_submission,
)
from ledger_node.flows.table_reader import TableRow, read_header, read_rows
from ledger_node.flows.table_rows import build_submission, column_of, demand_known_columns
from ledger_node.ports.database_intake import DuplicateKey

BATCH_ROWS: Final = 2_000
MAX_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is refused: where (row as in the file, header = 1; column) and what."""

    row: int
    column: str
    code: str
    message_zh: str
    message_en: str


class BadRowsError(MalformedInputError):
    """Rows of the table are not acceptable; nothing was stored. `problems` names the first."""

    code = "bad_rows"

    def __init__(self, count: int, problems: Sequence[RowProblem]) -> None:
        first = problems[0]
        super().__init__(
            f"{count} 行不合格，未导入任何内容。第 {first.row} 行“{first.column}”："
            f"{first.message_zh}",
            f"{count} rows are not acceptable, nothing was imported. "
            f"Row {first.row}, column {first.column}: {first.message_en}",
            count=count,
            row=first.row,
            column=first.column,
        )
        self.count = count
        self.problems = tuple(problems)


@dataclass(slots=True)
class ImportReport:
    """How an import went.

    Attributes:
        registered: Rows that are durable now.
        refused: Rows that are not.
        problems: The first `MAX_PROBLEMS` of those, in order of the file.
        stage_s: Seconds by stage: read, check, prepare, keys, rows.
    """

    registered: int = 0
    refused: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    stage_s: dict[str, float] = field(default_factory=dict)

    def refuse(self, problem: RowProblem) -> None:
        """Count a refused row and keep the first ones."""
        self.refused += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


Progress = Callable[[str, int], None]


def import_table(
    node: Node,
    path: Path,
    *,
    keep_good: bool = False,
    progress: Progress = lambda _stage, _rows: None,
) -> ImportReport:
    """Register every row of a CSV or Parquet table.

    Args:
        path: The table; relative file paths in it begin at its folder.
        keep_good: Store good rows although others are bad.
        progress: Called with (`check` or `store`, rows done) after each batch.

    Effects: per batch of `BATCH_ROWS`, intake's crash order with one sync, one key put and one
        commit.
    Idempotent: no; rows with a document number are refused the second time.

    Raises:
        MalformedTableError: The file is no table, or a column is unknown or missing.
        BadRowsError: Without `keep_good`: rows are bad; nothing was stored.
        UnavailableError: A store or the database does not answer; earlier batches are stored.
    """
    demand_known_columns(read_header(path))
    report = ImportReport()
    if not keep_good:
        for rows in _checked_batches(node, path, report):
            progress("check", rows[-1][0].number if rows else 0)
        if report.refused:
            raise BadRowsError(report.refused, report.problems)
    for rows in _checked_batches(node, path, report):
        _store(node, rows, report)
        progress("store", report.registered)
    return report


@contextmanager
def _timed(node: Node, report: ImportReport, stage: str) -> Iterator[None]:
    begun_s = node.clock.monotonic_s()
    try:
        yield
    finally:
        spent_s = node.clock.monotonic_s() - begun_s
        report.stage_s[stage] = report.stage_s.get(stage, 0.0) + spent_s


CheckedRow = tuple[TableRow, CheckedSubmission]


def _checked_batches(node: Node, path: Path, report: ImportReport) -> Iterator[list[CheckedRow]]:
    """Good rows, a batch at a time; bad ones are noted in the report.

    Papers seen before in the same table are remembered by the first 16 bytes of their tags.
    """
    seen: set[bytes] = set()
    batches = read_rows(path, BATCH_ROWS)
    while True:
        with _timed(node, report, "read"):
            rows = next(batches, None)
        if rows is None:
            return
        with _timed(node, report, "check"):
            checked = [one for row in rows if (one := _check(node, path, row, report))]
            good = _drop_registered(node, checked, seen, report)
        yield good


def _check(node: Node, path: Path, row: TableRow, report: ImportReport) -> CheckedRow | None:
    try:
        return row, check_submission(node, build_submission(row.cells, path.parent))
    except UnavailableError:
        raise
    except LedgerError as error:
        report.refuse(_problem(row.number, error))
        return None


def _problem(row: int, error: LedgerError) -> RowProblem:
    column = column_of(str(error.fields.get("field", "(row)")))
    return RowProblem(row, column, error.code, error.message_zh, error.message_en)


def _drop_registered(
    node: Node, rows: list[CheckedRow], seen: set[bytes], report: ImportReport
) -> list[CheckedRow]:
    """Leave out rows whose paper stands registered, or stands in an earlier row."""
    keys = [list_duplicate_keys_of(node, checked) for _, checked in rows]
    with node.database.read() as tx:
        owners = tx.intake.find_number_owners([key for of_row in keys for key in of_row])
    good = []
    for (row, checked), of_row in zip(rows, keys, strict=True):
        owner = next((owners[key] for key in of_row if key in owners), None)
        marks = {_mark(key) for key in of_row}
        if owner is not None:
            error: LedgerError = DocumentAlreadyRegisteredError(owner)
        elif marks & seen:
            error = MalformedSubmissionError(
                "number", "与前面某行是同一证件", "the same paper as in an earlier row"
            )
        else:
            seen |= marks
            good.append((row, checked))
            continue
        error.fields.setdefault("field", "number")
        report.refuse(_problem(row.number, error))
    return good


def _mark(key: DuplicateKey) -> bytes:
    tail = bytes(a ^ b for a, b in zip(key.subject_tag[:16], key.number_tag[:16], strict=True))
    return tail + key.type_code.encode()


def _store(node: Node, rows: list[CheckedRow], report: ImportReport) -> None:
    """One batch through intake's crash order."""
    prepared: list[tuple[int, PreparedMaterial]] = []
    with _timed(node, report, "prepare"):
        for row, checked in rows:
            try:
                prepared.append((row.number, prepare_material(node, checked)))
            except MalformedInputError as error:  # a file changed since it was checked
                report.refuse(_problem(row.number, error))
    if not prepared:
        return
    batch = [one for _, one in prepared]
    with _timed(node, report, "keys"):
        store_secrets(node, batch)
    with _timed(node, report, "rows"):
        outcomes = store_rows(node, batch)
    for (number, _), failure in zip(prepared, outcomes, strict=True):
        if failure is None:
            report.registered += 1
        else:
            report.refuse(_problem(number, failure))
