"""`tongban catalogue`: a catalogue file checked, exported, imported, compared; lists on chain.

A file is an xlsx spreadsheet, a JSON catalogue in any spelling, or the seed; without one the
catalogue that ships with the program is meant. Only what stands on chain (editions.py) needs a
node.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_node.cli import editions
from ledger_node.cli.inputs import demand_writable, read_input, write_output
from ledger_node.cli.output import DOES_NOT_HOLD, HOLDS, JsonOption, command, print_result
from ledger_node.core.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger_node.core.catalogue import Catalogue
    from ledger_node.core.catalogue_findings import Finding
    from ledger_node.core.catalogue_sheets import SheetFinding

app = typer.Typer(help="事项目录 / the service catalogue", no_args_is_help=True)
FileOption = Annotated[
    Path | None,
    typer.Argument(help="xlsx 或 json，不写为随程序的目录 / xlsx or json; ours if left out"),
]
SPREADSHEET = ".xlsx"
MAX_FILE_BYTES = 16 * 1024 * 1024


class CatalogueFileError(MalformedInputError):
    """The file is neither a spreadsheet nor JSON."""

    code = "catalogue_file"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"“{path.name}”既不是 xlsx 表格，也不是 JSON 目录。",
            f"{path.name!r} is neither an xlsx spreadsheet nor a JSON catalogue.",
            file=path.name,
        )


app.command("lists")(editions.lists)
app.command("propose")(editions.propose)
app.command("vote")(editions.vote)
app.command("publish")(editions.publish)


@app.callback()
def group() -> None:
    """事项目录 / the service catalogue."""


@app.command("check")
@command
def check(file: FileOption = None, as_json: JsonOption = False) -> int:
    """逐处列出问题，有错误时退出码为 1 / every finding with its place; exit 1 on an error."""
    from ledger_node.core.catalogue_findings import CatalogueRefusedError
    from ledger_node.core.catalogue_sheets import SheetsRefusedError

    try:
        catalogue, findings = _load(file)
        errors: list[dict[str, Any]] = []
    except SheetsRefusedError as refused:
        catalogue, findings, errors = None, [], [_describe_cell(each) for each in refused.cells]
    except CatalogueRefusedError as refused:
        catalogue, findings, errors = None, [], [_describe(each) for each in refused.findings]
    listed = [*errors, *findings]
    lines = [f"{each['severity']} {each['place']}: {each['zh']} / {each['en']}" for each in listed]
    about = {} if catalogue is None else _describe_catalogue(catalogue)
    if about:
        lines.append(f"{about['pin']}：{about['items']} 项 / items")
    print_result({"findings": listed, **about}, lines, as_json=as_json)
    return DOES_NOT_HOLD if any(each["severity"] == "error" for each in listed) else HOLDS


@app.command("export")
@command
def export(
    to: Annotated[Path, typer.Option(help="写到 .xlsx 或 .json / where to")],
    file: FileOption = None,
    as_json: JsonOption = False,
) -> int:
    """导出为表格或规范 JSON / write a spreadsheet or canonical JSON."""
    catalogue, _ = _load(file)
    _save(catalogue, to)
    about = _describe_catalogue(catalogue)
    print_result({"file": to.name, **about}, [f"{to.name}:{about['pin']}"], as_json=as_json)
    return HOLDS


@app.command("import")
@command
def import_file(
    file: Annotated[Path, typer.Argument(help="xlsx 或 json / xlsx or json")],
    to: Annotated[Path, typer.Option(help="写到 .json / where to")],
    as_json: JsonOption = False,
) -> int:
    """读入并写规范 JSON，有错误时不写 / write canonical JSON; nothing on an error."""
    catalogue, findings = load_checked(file), _load(file)[1]
    _save(catalogue, to)
    about = _describe_catalogue(catalogue)
    lines = [
        f"{each['severity']} {each['place']}: {each['zh']} / {each['en']}" for each in findings
    ]
    print_result(
        {"file": to.name, "findings": findings, **about}, [*lines, about["pin"]], as_json=as_json
    )
    return HOLDS


@app.command("diff")
@command
def diff(
    before: Annotated[Path, typer.Argument(help="旧 / the old one")],
    after: Annotated[
        Path | None, typer.Argument(help="新，不写为随程序的 / the new one; ours")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """逐行比较两版目录 / what changed, row by row; exit 1 if anything did."""
    from ledger_node.core.catalogue_diff import compare_catalogues, encode_changes

    changes = compare_catalogues(_load(before)[0], _load(after)[0])
    lines = []
    for each in changes:
        lines.append(f"{each.table} {each.code}: {each.kind.value}")
        lines += [f"  {one.member}: {one.before} → {one.after}" for one in each.members]
    print_result(
        {"changes": encode_changes(changes)}, lines or ["没有不同 / no difference"], as_json=as_json
    )
    return DOES_NOT_HOLD if changes else HOLDS


def load_checked(path: Path | None) -> Catalogue:
    """A catalogue without errors.

    Raises:
        CatalogueRefusedError: It has some.
    """
    from ledger_node.core.catalogue_check import check_catalogue
    from ledger_node.core.catalogue_findings import refuse_errors

    catalogue, _ = _load(path)
    refuse_errors(check_catalogue(catalogue))
    return catalogue


def _load(path: Path | None) -> tuple[Catalogue, list[dict[str, Any]]]:
    from ledger_node.core.catalogue_check import check_catalogue

    if path is None:
        from ledger_node.seed import load_catalogue

        return load_catalogue(), _describe_all(check_catalogue(load_catalogue()))
    if path.suffix.lower() == SPREADSHEET:
        from ledger_node.core.catalogue_sheets import read_sheets
        from ledger_node.edges.sheets import read_spreadsheet

        catalogue, cells = read_sheets(read_spreadsheet(path))
        return catalogue, [_describe_cell(each) for each in cells]
    catalogue = _read_json(path)
    return catalogue, _describe_all(check_catalogue(catalogue))


def _read_json(path: Path) -> Catalogue:
    from ledger_node.core.catalogue_format import CATALOGUE_VERSION, read_catalogue
    from ledger_node.core.catalogue_seed import parse_seed

    try:
        value = json.loads(read_input(path, MAX_FILE_BYTES))
    except (ValueError, RecursionError) as error:
        raise CatalogueFileError(path) from error
    is_ours = isinstance(value, dict) and value.get("v") == CATALOGUE_VERSION
    return read_catalogue(value) if is_ours else parse_seed(value)


def _save(catalogue: Catalogue, path: Path) -> None:
    if path.suffix.lower() == SPREADSHEET:
        from ledger_node.core.catalogue_sheets import write_sheets
        from ledger_node.edges.sheets import write_spreadsheet

        demand_writable(path)
        write_spreadsheet(path, write_sheets(catalogue))
    else:
        from ledger_node.core.catalogue_format import encode_catalogue

        write_output(path, encode_catalogue(catalogue))


def _describe_catalogue(catalogue: Catalogue) -> dict[str, Any]:
    from ledger_node.core.catalogue_format import compute_catalogue_pin

    return {
        "version": catalogue.version,
        "pin": compute_catalogue_pin(catalogue),
        "items": len(catalogue.items),
        "types": len(catalogue.types),
    }


def _describe_all(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [_describe(each) for each in findings]


def _describe(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "place": finding.path,
        "path": finding.path,
        "zh": finding.zh,
        "en": finding.en,
    }


def _describe_cell(found: SheetFinding) -> dict[str, Any]:
    """A finding of a spreadsheet names its cell as a person sees it."""
    cell = {"sheet": found.sheet, "row": found.row, "column": found.column}
    return {**_describe(found.finding), **cell, "place": found.place}
