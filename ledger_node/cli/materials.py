"""`tongban register`, `receipt`, `import`, `withdraw`: materials of this city."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_node.cli.city import NodeOption, WaitOption, open_city, wait_for
from ledger_node.cli.fields import read_fields
from ledger_node.cli.inputs import demand_writable, write_output
from ledger_node.cli.output import HOLDS, UNAVAILABLE, JsonOption, command, print_result, progress

if TYPE_CHECKING:
    from ledger_node.core.receipt import ReceiptFile
    from ledger_node.flows.importing import ImportReport
    from ledger_node.flows.intake import Registered
    from ledger_node.flows.node import Node

OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="凭证写入此文件 / write the receipt there")
]
FieldsOption = Annotated[
    Path,
    typer.Option(
        "--fields", help="字段文件（JSON），- 为标准输入 / fields as JSON, - for standard input"
    ),
]


@command
def register(
    files: Annotated[list[Path], typer.Argument(help="文件，按顺序 / the documents, in order")],
    type_code: Annotated[str, typer.Option("--type", help="材料类型代码 / material type code")],
    fields: FieldsOption,
    node: NodeOption,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> int:
    """登记一份材料，得到签名的登记凭证 / register one material; answers a signed receipt."""
    demand_writable(output)
    described = read_fields(fields)
    with open_city(node) as runtime:
        from ledger_node.cli.submission_file import build_submission
        from ledger_node.flows.intake import register as register_material
        from ledger_node.flows.receipts import build_registration_receipt

        limit_bytes = runtime.settings.max_document_bytes
        submission = build_submission(type_code, described, files, limit_bytes)
        registered = register_material(runtime.node, runtime.queue, submission)
        receipt = build_registration_receipt(runtime.node, registered.material_id)
    result = _describe_registered(registered) | describe_receipt(receipt, output)
    lines = [
        f"已登记 {registered.material_id} / registered",
        f"条目 {result['entry']} / entry",
        f"承诺 {result['commitment']} / commitment",
        *(f"摘要 {digest} / document digest" for digest in result["digests"]),
        *receipt_lines(result, output),
    ]
    print_result(result, lines, as_json=as_json)
    return HOLDS


@command
def receipt(
    receipt_id: Annotated[str, typer.Argument(help="材料或采信编号 / id of material or reliance")],
    node: NodeOption,
    output: OutputOption = None,
    wait_s: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> int:
    """取凭证；已存证的带序号、证明与上链位置 / the receipt, with its proof once anchored."""
    demand_writable(output)
    with open_city(node) as runtime:
        seen = build_receipt(runtime.node, receipt_id)

        def look() -> ReceiptFile | None:
            nonlocal seen
            seen = build_receipt(runtime.node, receipt_id)
            return seen if seen.seal is not None else None

        wait_for(runtime, look, wait_s, "等待上链存证", "waiting for the anchor")
    result: dict[str, Any] = {"id": receipt_id, **describe_receipt(seen, output)}
    print_result(result, receipt_lines(result, output), as_json=as_json)
    return HOLDS if seen.seal is not None or wait_s <= 0 else UNAVAILABLE


@command
def import_rows(
    table: Annotated[Path, typer.Argument(help="CSV 或 Parquet 表 / a CSV or Parquet table")],
    node: NodeOption,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="有坏行也导入好行 / store good rows all the same")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """批量登记一张表 / register every row of a table."""
    from ledger_node.cli.inputs import FileUnreadableError

    if not table.is_file():
        raise FileUnreadableError(table)
    with open_city(node) as runtime, progress("导入", "importing") as show:
        from ledger_node.flows.importing import import_table

        report = import_table(
            runtime.node,
            table,
            keep_good=keep_good,
            progress=lambda stage, rows: show(f"{stage}: {rows}"),
        )
    print_result(_describe_import(report), _import_lines(report), as_json=as_json)
    return HOLDS if report.refused == 0 else 1


@command
def withdraw(
    material_id: Annotated[str, typer.Argument(help="材料编号 / id of the material")],
    reason: Annotated[
        str, typer.Option("--reason", help="理由代码，不含个人信息 / a code, never a name")
    ],
    node: NodeOption,
    wait_s: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> int:
    """撤回一份材料，通知采信过的城市 / withdraw a material; cities that relied on it are told."""
    with open_city(node) as runtime:
        from ledger_node.cli.transactions import is_confirmed
        from ledger_node.core.types import MaterialId
        from ledger_node.flows.following import catch_up
        from ledger_node.flows.watching import withdraw as withdraw_material

        catch_up(runtime.node)
        outbox_id = withdraw_material(runtime.node, MaterialId(material_id), reason)
        confirmed = wait_for(
            runtime,
            lambda: is_confirmed(runtime.node, outbox_id) or None,
            wait_s,
            "等待撤回上链",
            "waiting for the chain",
        )
    result = {"id": material_id, "state": "withdrawn" if confirmed else "submitted"}
    words = "已撤回 / withdrawn" if confirmed else "已提交，待上链 / submitted, not final yet"
    print_result(result, [words], as_json=as_json)
    return HOLDS if confirmed or wait_s <= 0 else UNAVAILABLE


def build_receipt(node: Node, receipt_id: str) -> ReceiptFile:
    """The receipt of a material, or a filed reliance receipt, as it can be given now.

    Raises:
        MaterialNotFoundError: This city knows neither by that id.
    """
    from ledger_node.core.errors import NotFoundError
    from ledger_node.core.receipt_v1 import parse_receipt_of_any_version
    from ledger_node.core.types import MaterialId
    from ledger_node.flows.receipts import build_registration_receipt
    from ledger_node.ports.database import MaterialNotFoundError

    try:
        return build_registration_receipt(node, MaterialId(receipt_id))
    except MaterialNotFoundError as unknown:
        from ledger_node.flows.relying import complete_receipt

        try:
            return parse_receipt_of_any_version(complete_receipt(node, receipt_id))
        except NotFoundError:
            raise unknown from None


def _describe_registered(registered: Registered) -> dict[str, Any]:
    from ledger_node.core.digest import encode_digest
    from ledger_node.core.entry import EntryKind, encode_entry

    return {
        "id": registered.material_id,
        "type": registered.type_code,
        "entry": encode_entry(EntryKind.MATERIAL, registered.commitment).hex(),
        "commitment": registered.commitment.hex(),
        "digests": [encode_digest(digest) for digest in registered.digests],
    }


def describe_receipt(receipt: ReceiptFile, output: Path | None) -> dict[str, Any]:
    """Facts of a receipt; the file itself is written, or stands in the result."""
    from ledger_node.core.place import encode_place
    from ledger_node.core.receipt_v1 import encode_receipt_of_any_version

    data, seal = encode_receipt_of_any_version(receipt), receipt.seal
    facts: dict[str, Any] = {
        "kind": receipt.kind.value,
        "state": "pending" if seal is None else "anchored",
    }
    if seal is not None:
        facts |= {
            "leaf_index": seal.placement.leaf_index,
            "tree_size": seal.placement.tree_head.size,
            "root": seal.placement.tree_head.root.hex(),
            "block_number": seal.anchored.block_number,
            "block_timestamp_s": seal.anchored.block_timestamp_s,
            "transaction": encode_place(seal.anchored)["transaction"],
        }
    if output is None:
        return facts | {"receipt": json.loads(data)}
    write_output(output, data)
    return facts | {"receipt_file": str(output)}


def receipt_lines(result: dict[str, Any], output: Path | None) -> list[str]:
    """State of a receipt, and where it is or its exact bytes as the last line."""
    if result["state"] == "pending":
        lines = ["存证中，凭证待上链后补全 / recording: the receipt is pending until anchored"]
        lines += [f"  tongban receipt {result['id']} --wait 30"]
    else:
        lines = [
            f"已存证，第 {result['leaf_index']} 条 / recorded, leaf index",
            f"区块 {result['block_number']}，其中第 {result['transaction']} 笔交易"
            " / block, transaction in it",
        ]
    if output is not None:
        return [*lines, f"凭证已写入 {output} / receipt written"]
    from ledger_node.core.canonical import encode_canonical

    return [*lines, encode_canonical(result["receipt"]).decode()]


def _describe_import(report: ImportReport) -> dict[str, Any]:
    return {
        "registered": report.registered,
        "refused": report.refused,
        "problems": [
            {
                "row": each.row,
                "column": each.column,
                "code": each.code,
                "message_zh": each.message_zh,
                "message_en": each.message_en,
            }
            for each in report.problems
        ],
        "stage_s": {stage: round(spent_s, 3) for stage, spent_s in report.stage_s.items()},
    }


def _import_lines(report: ImportReport) -> list[str]:
    return [
        f"登记 {report.registered} 行，拒绝 {report.refused} 行 / rows registered, refused",
        *(
            f"  第 {each.row} 行 {each.column}：{each.message_zh} / "
            f"row {each.row}, {each.column}: {each.message_en}"
            for each in report.problems
        ),
        *(f"  {stage}: {spent_s:.2f} s" for stage, spent_s in report.stage_s.items()),
    ]
