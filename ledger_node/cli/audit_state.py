"""`tongban audit state`, `tongban audit export`: any past block's state; a copy of the chain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_node.cli.audit_sources import (
    CopyOption,
    RpcOption,
    TrustOption,
    WorkOption,
    open_source,
    show_progress,
)
from ledger_node.cli.inputs import demand_writable, write_output
from ledger_node.cli.output import DOES_NOT_HOLD, HOLDS, JsonOption, command, print_result

if TYPE_CHECKING:
    from ledger_node.core.canonical import JsonObject
    from ledger_node.flows.auditing import ChainReplay


def register(app: typer.Typer) -> None:
    """Add these commands to `tongban audit`."""
    app.command("state")(state)
    app.command("export")(export)


@command
def state(
    trust: TrustOption = None,
    rpc: RpcOption = None,
    copy: CopyOption = None,
    work: WorkOption = None,
    at_block: Annotated[
        int | None,
        typer.Option("--at-block", min=0, help="区块号，缺省为最新 / newest if left out"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="逐项写入此文件 / every item, line by line"),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """某一区块时的全部共享状态 / the whole shared state as of a block."""
    demand_writable(output)
    from ledger_node.core.replay_compare import iterate_lines
    from ledger_node.flows.auditing import fold_reading

    with (
        show_progress(as_json=as_json) as told,
        open_source(trust, rpc, copy, work) as source,
    ):
        replayed = fold_reading(source.begin(at_block), told)
    if output is not None:
        write_output(output, b"".join(iterate_lines(replayed.state)))
    result = describe_state(replayed)
    print_result(result, _write_state(result), as_json=as_json)
    return HOLDS if replayed.count == 0 else DOES_NOT_HOLD


@command
def export(
    target: Annotated[Path, typer.Argument(help="副本目录 / directory of the copy")],
    trust: TrustOption = None,
    rpc: RpcOption = None,
    as_json: JsonOption = False,
) -> int:
    """复制链上全部区块与日志，供离线审计 / copy all blocks and logs for an audit offline."""
    with (
        show_progress(as_json=as_json) as told,
        open_source(trust, rpc, None, target) as source,
    ):
        reading = source.begin(None)
        logs = 0
        for portion in reading.portions():
            logs += sum(len(each) for _, each in portion)
            told("chain", reading.blocks, int(reading.as_of.number) + 1)
    found = [f"{each.code} {each.where}" for each in reading.discrepancies]
    result = {
        "blocks": reading.blocks,
        "logs": logs,
        "as_of": {"number": reading.as_of.number, "hash": reading.as_of.hash.hex()},
        "incomplete": found,
    }
    lines = [
        f"已复制 {reading.blocks} 个区块、{logs} 条日志，截至区块 {reading.as_of.number}。",
        f"{reading.blocks} blocks, {logs} logs, up to block 0x{reading.as_of.hash.hex()}",
        *(f"  不完整 / incomplete：{each}" for each in found),
    ]
    print_result(result, lines, as_json=as_json)
    return DOES_NOT_HOLD if found else HOLDS


def describe_state(replayed: ChainReplay) -> JsonObject:
    """A state in short: digest, members, held heads, counts, discrepancies."""
    from ledger_node.core.audit_progress import encode_discrepancies
    from ledger_node.core.chain_facts_format import encode_block
    from ledger_node.core.replay_compare import compute_state_digest

    known = replayed.state
    heads = {city: known.held_head(city) for city in sorted(known.consortium.members)}
    return {
        "as_of": encode_block(replayed.as_of),
        "state_digest": compute_state_digest(known).hex(),
        "members": [
            {
                "city": city,
                "generation": generation,
                "size": 0 if head is None else head.size,
                "root": None if head is None else head.root.hex(),
            }
            for city, (generation, head) in heads.items()
        ],
        "grants": len(known.grants),
        "grants_revoked": sum(each.revoked is not None for each in known.grants.values()),
        "consumptions": len(known.consumptions),
        "statuses": len(known.leaves),
        "objections": len(known.objections),
        "event_counts": dict(sorted(known.event_counts.items())),
        "discrepancy_count": replayed.count,
        "discrepancies": encode_discrepancies(replayed.discrepancies),
    }


def _write_state(result: JsonObject) -> list[str]:
    from typing import Any, cast

    known = cast(Any, result)
    return [
        f"区块 {known['as_of']['number']} 时的状态 / state as of this block",
        f"状态摘要 {known['state_digest']} / digest",
        *(
            f"  {each['city']}：第 {each['generation']} 代，{each['size']} 条 / generation, entries"
            for each in known["members"]
        ),
        f"授权 {known['grants']}，其中已撤回 {known['grants_revoked']}；用授权 "
        f"{known['consumptions']}；有状态的材料 {known['statuses']}；异议 {known['objections']}",
        "  grants, revoked, consumed, materials with a status, objections",
        f"差异 {known['discrepancy_count']} / discrepancies",
        *(f"  {each['code']}：{each['where']} {each['detail']}" for each in known["discrepancies"]),
    ]
