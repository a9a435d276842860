"""`tongban audit`: the whole history replayed from chain events and log tiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_node.cli import audit_questions, audit_reports, audit_state
from ledger_node.cli.audit_reports import AuditorOption, KeyOption, sign_report
from ledger_node.cli.audit_sources import (
    CopyOption,
    RpcOption,
    TilesOption,
    TrustOption,
    WorkOption,
    open_folder,
    open_source,
    open_tiles,
    show_progress,
)
from ledger_node.cli.city import open_city
from ledger_node.cli.inputs import MalformedArgumentError, demand_writable, write_output
from ledger_node.cli.output import DOES_NOT_HOLD, HOLDS, JsonOption, command, print_result

if TYPE_CHECKING:
    from ledger_node.core.audit_report import ReportFacts
    from ledger_node.flows.auditing import AuditReport

app = typer.Typer(help="审计 / audit", no_args_is_help=True)
audit_state.register(app)
audit_reports.register(app)
audit_questions.register(app)


@app.callback()
def group() -> None:
    """审计 / audit."""


@app.command("replay")
@command
def replay(
    trust: TrustOption = None,
    node: Annotated[
        Path | None, typer.Option("--node", help="城市目录，并核对其库 / a city, its database too")
    ] = None,
    rpc: RpcOption = None,
    copy: CopyOption = None,
    tiles: TilesOption = None,
    work: WorkOption = None,
    sample: Annotated[
        int | None, typer.Option(min=0, help="合约状态抽查数 / read back at most so many")
    ] = None,
    documents: Annotated[
        int | None, typer.Option(min=0, help="重读文件数，随 --node / read so many documents again")
    ] = None,
    all_documents: Annotated[
        bool, typer.Option("--all-documents", help="重读全部文件 / read all documents again")
    ] = False,
    key: KeyOption = None,
    auditor: AuditorOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="报告写入此文件 / write the report there")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """从创世重放全部历史并逐项比对 / replay everything from the first block and compare."""
    if (trust is None) == (node is None):
        raise MalformedArgumentError(
            "--trust/--node",
            "须给出 --node，或 --trust 加 --rpc 或 --copy",
            "either --node, or --trust with --rpc or --copy",
        )
    if (key is None) != (auditor is None) or (key is not None and (output is None or node)):
        raise MalformedArgumentError(
            "--key/--auditor",
            "签名报告需要 --trust、--key、--auditor 和 --output",
            "a signed report needs --trust, --key, --auditor and --output",
        )
    demand_writable(output)
    from ledger_node.core.canonical import encode_canonical
    from ledger_node.flows.auditing import encode_report

    with show_progress(as_json=as_json) as told:
        if node is not None:
            wanted = (documents,) if documents is not None else (None,) if all_documents else ()
            report = _replay_from_node(node, sample, wanted, told)
            facts = None
        else:
            report, facts = _replay_from_source(trust, rpc, copy, tiles, work, sample, told)
    result = encode_report(report)
    if output is not None:
        signed = key is not None and facts is not None
        data = sign_report(key, auditor, facts, result) if signed else encode_canonical(result)
        write_output(output, data)
    print_result(result, write_report(report), as_json=as_json)
    return HOLDS if report.clean else DOES_NOT_HOLD


def write_report(report: AuditReport) -> list[str]:
    """The report for people."""
    compared = "" if report.database_rows is None else f"，节点库 {report.database_rows} 行"
    compared += "" if report.documents_read is None else f"，文件 {report.documents_read} 份"
    lines = [
        f"截至区块 {report.as_of.number}：{report.blocks} 个区块，{report.events} 个事件，"
        f"{report.entries} 条日志，合约状态 {report.storage_reads} 项{compared}",
        "  blocks, events, log entries, values read back"
        + ("" if report.database_rows is None else ", rows of the node compared")
        + ("" if report.documents_read is None else ", documents"),
        *(
            f"  {log.origin}：{log.entries} 条，{log.explained}/{log.heads} 个锚定树头可解释"
            " / entries, anchored heads explained"
            for log in report.logs
        ),
        f"状态摘要 {report.state_digest.hex()} / digest of the replayed state",
        f"差异 {report.discrepancy_count} / discrepancies",
    ]
    return lines + [f"  {each.code}：{each.where} {each.detail}" for each in report.discrepancies]


def _replay_from_node(
    node: Path,
    sample: int | None,
    wanted: tuple[int | None, ...],
    told: Callable[[str, int, int], None],
) -> AuditReport:
    with open_city(node) as runtime:
        from ledger_node.flows.auditing import DocumentsToRead, replay_ledger
        from ledger_node.flows.following import catch_up

        city = runtime.node
        catch_up(city)
        return replay_ledger(
            city.chain,
            city.contracts,
            city.profile,
            city.domain,
            city.peers.fetch_log_file,
            database=city.database,
            documents=DocumentsToRead(city.documents, wanted[0]) if wanted else None,
            sample=sample,
            progress=told,
        )


def _replay_from_source(
    trust: Path | None,
    rpc: str | None,
    copy: Path | None,
    tiles: str | None,
    work: Path | None,
    sample: int | None,
    told: Callable[[str, int, int], None],
) -> tuple[AuditReport, ReportFacts]:
    from ledger_node.cli.audit_reports import facts_of
    from ledger_node.flows.audit_resuming import AuditKeeper
    from ledger_node.flows.auditing import compare_replay, fold_reading

    with open_source(trust, rpc, copy, work) as source:
        keeper = AuditKeeper.open(open_folder(work))
        standing = keeper.progress.as_of
        reading = source.begin(None if standing is None else standing.number)
        replayed = fold_reading(reading, told)
        with open_tiles(tiles, source, replayed) as fetch:
            report = compare_replay(
                replayed,
                source.contracts,
                source.trust.domain,
                fetch,
                sample=sample,
                progress=told,
                keeper=keeper,
            )
        return report, facts_of(source, sample)
