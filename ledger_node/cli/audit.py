"""`tongban audit`: the whole history replayed from chain events and log tiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_node.cli.city import open_city
from ledger_node.cli.inputs import MalformedArgumentError, demand_writable, read_input, write_output
from ledger_node.cli.output import (
    DOES_NOT_HOLD,
    HOLDS,
    JsonOption,
    command,
    print_result,
    progress,
)

if TYPE_CHECKING:
    from ledger_node.core.trust import Trust
    from ledger_node.flows.auditing import AuditReport
    from ledger_node.ports.chain import ChainProfile

app = typer.Typer(help="审计 / audit", no_args_is_help=True)


@app.callback()
def group() -> None:
    """审计 / audit."""


@app.command("replay")
@command
def replay(
    trust: Annotated[
        Path | None, typer.Option("--trust", help="信任文件，无需节点 / trust file, no node needed")
    ] = None,
    node: Annotated[
        Path | None, typer.Option("--node", help="城市目录，并核对其库 / a city, its database too")
    ] = None,
    rpc: Annotated[
        str | None, typer.Option("--rpc", help="链的 JSON-RPC 地址 / URL of the chain")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=0, help="合约状态抽查数 / read back at most so many")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="报告写入此文件 / write the report there")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """从创世重放全部历史并逐项比对 / replay everything from the first block and compare."""
    if (trust is None) == (node is None) or (trust is not None and rpc is None):
        raise MalformedArgumentError(
            "--trust/--node",
            "须给出 --node，或 --trust 加 --rpc",
            "either --node, or --trust with --rpc",
        )
    demand_writable(output)
    from ledger_node.core.canonical import encode_canonical
    from ledger_node.flows.auditing import encode_report

    with progress("重放", "replaying") as show:
        if node is not None:
            report = _replay_from_node(node, sample, show)
        else:
            assert trust is not None  # looked at above
            assert rpc is not None
            report = _replay_from_trust(_read_trust(trust), rpc, sample, show)
    result = encode_report(report)
    if output is not None:
        write_output(output, encode_canonical(result))
    print_result(result, write_report(report), as_json=as_json)
    return HOLDS if report.clean else DOES_NOT_HOLD


def write_report(report: AuditReport) -> list[str]:
    """The report for people."""
    compared = "" if report.database_rows is None else f"，节点库 {report.database_rows} 行"
    lines = [
        f"截至区块 {report.as_of.number}：{report.blocks} 个区块，{report.events} 个事件，"
        f"{report.entries} 条日志，合约状态 {report.storage_reads} 项{compared}",
        "  blocks, events, log entries, values read back"
        + ("" if report.database_rows is None else ", rows of the node compared"),
        *(
            f"  {log.origin}：{log.entries} 条，{log.explained}/{log.heads} 个锚定树头可解释"
            " / entries, anchored heads explained"
            for log in report.logs
        ),
        f"状态摘要 {report.state_digest.hex()} / digest of the replayed state",
        f"差异 {report.discrepancy_count} / discrepancies",
    ]
    return lines + [f"  {each.code}：{each.where} {each.detail}" for each in report.discrepancies]


def _read_trust(path: Path) -> Trust:
    from ledger_node.core.trust_format import MAX_TRUST_BYTES, parse_trust

    return parse_trust(read_input(path, MAX_TRUST_BYTES))


def _replay_from_node(node: Path, sample: int | None, show: Callable[[str], None]) -> AuditReport:
    with open_city(node) as runtime:
        from ledger_node.flows.auditing import replay_ledger
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
            sample=sample,
            progress=_told(show),
        )


def _replay_from_trust(
    trust: Trust, rpc: str, sample: int | None, show: Callable[[str], None]
) -> AuditReport:
    from ledger_node.flows.auditing import replay_chain, replay_ledger
    from ledger_node.wiring import open_chain, open_log_files

    profile = profile_of(trust)
    with open_chain(rpc, trust.chain_id) as (chain, contracts):
        replayed = replay_chain(chain, profile, _told(show))
        with open_log_files(replayed.url_of) as logs:
            return replay_ledger(
                chain,
                contracts,
                profile,
                trust.domain,
                logs.fetch_log_file,
                replayed=replayed,
                sample=sample,
                progress=_told(show),
            )


def profile_of(trust: Trust) -> ChainProfile:
    """What pins the chain, as a trust file says it; reading starts at the first block.

    Raises:
        MalformedArgumentError: The trust file names no Membership contract.
    """
    from ledger_node.core.anchor import FinalityKind, FinalityPolicy
    from ledger_node.core.event_types import ContractRole
    from ledger_node.core.types import BlockNumber
    from ledger_node.ports.chain import ChainProfile

    for contract in trust.contracts:
        if contract.role is ContractRole.MEMBERSHIP:
            return ChainProfile(
                chain_id=trust.chain_id,
                genesis_hash=trust.genesis,
                membership=contract.registration.address,
                first_block=BlockNumber(0),
                finality=FinalityPolicy(FinalityKind.IMMEDIATE, 0),
            )
    raise MalformedArgumentError(
        "--trust", "中没有 Membership 合约", "the file names no Membership contract"
    )


def _told(show: Callable[[str], None]) -> Callable[[str, int, int], None]:
    return lambda stage, done, total: show(f"{stage} {done}/{total}")
