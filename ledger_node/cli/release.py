"""`tongban release`, `rely`: a paper from another city, and the decision that stands on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_node.cli.city import NodeOption, WaitOption, open_city, wait_for
from ledger_node.cli.inputs import FileUnwritableError, demand_writable, parse_ids, write_output
from ledger_node.cli.materials import OutputOption, describe_receipt, receipt_lines
from ledger_node.cli.officer import OfficerIdOption, RoleOption
from ledger_node.cli.output import (
    DOES_NOT_HOLD,
    HOLDS,
    UNAVAILABLE,
    JsonOption,
    command,
    print_result,
)

if TYPE_CHECKING:
    from ledger_node.ports.database_exchange import ReleaseRow
    from ledger_node.wiring import Runtime

DEFAULT_WAIT_S = 60.0


@command
def release(
    grant_or_release: Annotated[
        str,
        typer.Argument(help="授权编号，或续取的放行编号 / grant id, or a release to go on with"),
    ],
    officer: OfficerIdOption,
    node: NodeOption,
    materials: Annotated[
        list[str] | None,
        typer.Option(
            "--material", help="材料编号，缺省为查到的全部 / all that was found if absent"
        ),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", help="字段名，缺省为授权的全部 / all that is granted if absent"),
    ] = None,
    documents: Annotated[
        bool, typer.Option("--documents/--no-documents", help="是否取文件 / documents too")
    ] = True,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="文件写入此目录 / write documents there")
    ] = None,
    wait_s: WaitOption = DEFAULT_WAIT_S,
    as_json: JsonOption = False,
) -> int:
    """凭授权从他城取材料：链先记许可 / ask for a release; the chain's permit comes first."""
    (wanted,) = parse_ids([grant_or_release], "GRANT_OR_RELEASE")
    asked = parse_ids(materials or [], "--material")
    _demand_directory(output)
    with open_city(node) as runtime:
        from ledger_node.cli.release_request import find_release, prepare
        from ledger_node.core.release import IncomingState
        from ledger_node.flows.receiving import pursue_release

        digest = find_release(runtime.node, wanted)
        if digest is None:
            digest = prepare(runtime.node, wanted, asked, fields, documents, officer)
        ended = (IncomingState.ACKNOWLEDGED, IncomingState.REFUSED, IncomingState.REJECTED)
        row = pursue_release(runtime.node, digest)

        def look() -> ReleaseRow | None:
            nonlocal row
            row = pursue_release(runtime.node, digest)
            return row if row.state in ended else None

        if row.state not in ended:
            wait_for(runtime, look, wait_s, "等待放行许可", "waiting for the permit")
        result = _describe(row)
        if row.state == IncomingState.ACKNOWLEDGED:
            result["materials"] = _take(runtime, row, output)
    print_result(result, _release_lines(result), as_json=as_json)
    if row.state == IncomingState.ACKNOWLEDGED:
        return HOLDS
    return DOES_NOT_HOLD if row.state in ended else UNAVAILABLE


def _describe(row: ReleaseRow) -> dict[str, Any]:
    return {
        "release": row.request_digest.hex(),
        "grant": row.grant_id.hex(),
        "city": row.city,
        "state": row.state,
        "problem": row.problem_code,
        "materials": [],
    }


@command
def rely(
    release_id: Annotated[str, typer.Argument(help="放行编号 / id of the release")],
    officer: OfficerIdOption,
    role: RoleOption,
    outcome: Annotated[str, typer.Option(help="决定，如 granted / the decision, as granted")],
    node: NodeOption,
    output: OutputOption = None,
    wait_s: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> int:
    """采信并作出决定，写出采信凭证 / decide on a release; writes the reliance receipt."""
    demand_writable(output)
    (digest,) = parse_ids([release_id], "RELEASE_ID")
    with open_city(node) as runtime:
        from ledger_node.core.receipt import ReceiptFile
        from ledger_node.core.receipt_v1 import parse_receipt_of_any_version
        from ledger_node.flows.relying import complete_receipt
        from ledger_node.flows.relying import rely as file_decision

        receipt_id = file_decision(runtime.node, digest, officer, role, outcome)
        seen = parse_receipt_of_any_version(complete_receipt(runtime.node, receipt_id))

        def look() -> ReceiptFile | None:
            nonlocal seen
            seen = parse_receipt_of_any_version(complete_receipt(runtime.node, receipt_id))
            return seen if seen.seal is not None else None

        wait_for(runtime, look, wait_s, "等待采信凭证存证", "waiting for the anchor")
    result = {"id": receipt_id, "outcome": outcome, **describe_receipt(seen, output)}
    print_result(result, receipt_lines(result, output), as_json=as_json)
    return HOLDS if seen.seal is not None or wait_s <= 0 else UNAVAILABLE


def _demand_directory(output: Path | None) -> None:
    if output is not None and output.exists() and not output.is_dir():
        raise FileUnwritableError(output)


def _take(runtime: Runtime, row: ReleaseRow, output: Path | None) -> list[dict[str, Any]]:
    """What was released; documents and field values go into files of their owner alone."""
    from ledger_node.core.digest import encode_digest
    from ledger_node.flows.receiving import open_document, open_release

    described = []
    for each in open_release(runtime.node, row).materials:
        commitment = each.material.commitment
        values = dict(each.showing.values)
        item: dict[str, Any] = {
            "material": commitment.hex(),
            "type": each.showing.statement_type.code,
            "fields": sorted(values),
            "documents": [encode_digest(document.part.digest) for document in each.documents],
        }
        if output is not None:
            folder = _make_directory(output / commitment.hex()[:16])
            text = json.dumps(values, ensure_ascii=False, sort_keys=True, indent=1)
            write_output(folder / "fields.json", text.encode() + b"\n")
            item["files"] = [str(folder / "fields.json")]
            for document in each.documents:
                index = document.document.index
                target = folder / f"document-{index}{_suffix_of(document.part.media_type)}"
                open_document(runtime.node, row.request_digest, commitment, index, target)
                item["files"].append(str(target))
        described.append(item)
    return described


def _make_directory(path: Path) -> Path:
    from ledger_node.edges.files import make_private_directory

    try:
        make_private_directory(path.absolute())
    except OSError as error:
        raise FileUnwritableError(path) from error
    return path


def _suffix_of(media_type: str) -> str:
    from ledger_node.cli.submission_file import MEDIA_TYPES

    return next((suffix for suffix, known in MEDIA_TYPES.items() if known == media_type), "")


def _release_lines(result: dict[str, Any]) -> list[str]:
    words = {
        "acknowledged": "已送达，文件摘要相符，回执已发 / arrived, digests match, acknowledged",
        "refused": "对方拒绝 / refused",
        "rejected": "不能采用：对方的答复或文件不成立 / what came does not hold",
    }
    waiting_words = "未完成，稍后再取 / not complete yet, go on later"
    lines = [
        f"放行 {result['release']} / release",
        words.get(result["state"], waiting_words)
        + (f" [{result['problem']}]" if result["problem"] else ""),
    ]
    if result["state"] not in words:
        lines.append(f"  tongban release {result['release']} --officer …")
    for each in result["materials"]:
        lines.append(f"{each['type']} {each['material']}：{', '.join(each['fields'])}")
        lines.extend(f"  {file}" for file in each.get("files", []))
    return lines
