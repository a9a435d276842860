"""`tongban mirror`: other cities' logs as this node mirrors them, and what stands against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.output import DOES_NOT_HOLD, HOLDS, JsonOption, command, print_result

if TYPE_CHECKING:
    from ledger_node.ports.database_mirrors import FindingRow

app = typer.Typer(help="镜像与见证 / mirrors and witnesses", no_args_is_help=True)


@app.callback()
def group() -> None:
    """镜像与见证 / mirrors and witnesses."""


@app.command("status")
@command
def status(node: NodeOption, as_json: JsonOption = False) -> int:
    """各市日志：镜像到哪里、谁已见证、有何问题 / every log: mirrored, witnessed, wrong."""
    with open_city(node) as runtime:
        from ledger_node.flows.witnessing import encode_standing, load_standings

        logs: list[dict[str, Any]] = [
            dict(encode_standing(each)) for each in load_standings(runtime.node)
        ]
    lines = []
    for log in logs:
        kept = "本市 / own" if log["mirrored_size"] is None else f"{log['mirrored_size']}"
        lines.append(
            f"{log['city']}/{log['generation']}：锚定 {log['anchored_size']}，镜像 {kept}，"
            f"见证 {log['witnessed']}/{log['witnesses']} / anchored, mirrored, witnessed by n of m"
        )
        lines += [f"  {each['kind']}：{each['detail']}" for each in log["findings"]]
    clean = not any(log["findings"] for log in logs)
    print_result({"logs": logs}, lines, as_json=as_json)
    return HOLDS if clean else DOES_NOT_HOLD


@app.command("findings")
@command
def findings(
    node: NodeOption,
    every: Annotated[bool, typer.Option("--all", help="含已了结的 / ended ones too")] = False,
    as_json: JsonOption = False,
) -> int:
    """列出发现的问题 / list what was found; exit 1 while something stands."""
    with open_city(node) as runtime, runtime.node.database.read() as tx:
        found = tx.mirrors.list_findings(standing_only=not every)
    listed = [describe_finding(each) for each in found]
    lines = [
        f"{each['city']}/{each['generation']} {each['kind']}({each['found_at']}):{each['detail']}"
        + ("" if each["ended_by"] is None else f" — {each['ended_by']} {each['ended_at']}")
        for each in listed
    ]
    print_result({"findings": listed}, lines or ["没有 / none"], as_json=as_json)
    return DOES_NOT_HOLD if any(each.ended_at is None for each in found) else HOLDS


def describe_finding(row: FindingRow) -> dict[str, Any]:
    """A finding as plain JSON; the signed checkpoint that shows it as text."""
    return {
        "city": row.city,
        "generation": row.generation,
        "kind": row.kind.value,
        "detail": row.detail,
        "evidence": None if row.evidence is None else row.evidence.decode(),
        "found_at": row.found_at.isoformat(),
        "ended_at": None if row.ended_at is None else row.ended_at.isoformat(),
        "ended_by": row.ended_by,
    }


@app.command("end")
@command
def end(
    city: Annotated[str, typer.Argument(help="区划码 / division code")],
    kind: Annotated[str, typer.Argument(help="问题种类，如 forked / kind of finding")],
    by: Annotated[str, typer.Option("--by", help="核查人 / who looked and decided")],
    node: NodeOption,
    generation: Annotated[int, typer.Option(min=1, help="日志代次 / generation")] = 1,
    as_json: JsonOption = False,
) -> int:
    """负责人核查后了结一项问题，姓名留存 / a person who looked ends a finding."""
    with open_city(node) as runtime:
        from ledger_node.core.types import CityId
        from ledger_node.flows.judging_logs import end_findings_by_person

        ended = end_findings_by_person(runtime.node, CityId(city), generation, kind, by)
    print_result({"ended": ended}, [f"了结 {ended} 项 / ended"], as_json=as_json)
    return HOLDS if ended else DOES_NOT_HOLD


@app.command("vkey")
@command
def vkey(node: NodeOption, as_json: JsonOption = False) -> int:
    """打印本市见证公钥（C2SP tlog-cosignature） / print this city's cosigner key."""
    with open_city(node) as runtime:
        from ledger_node.core.cosignature import encode_cosigner_key
        from ledger_node.flows.mirroring import build_cosigner_key

        key = build_cosigner_key(runtime.node)
        result = {
            "name": key.name,
            "vkey": encode_cosigner_key(key),
            "url": f"{runtime.settings.url}/mirror",
        }
    print_result(result, [result["vkey"]], as_json=as_json)
    return HOLDS
