"""`tongban node`: making, running and looking after a city's node."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.inputs import MalformedArgumentError
from ledger_node.cli.output import DOES_NOT_HOLD, HOLDS, JsonOption, command, print_result

if TYPE_CHECKING:
    from ledger_node.wiring import Runtime

_CITY = re.compile(r"[0-9]{6}")
_URL = re.compile(r"https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?")
_NAME_CHARS = 64

app = typer.Typer(help="城市节点 / a city's node", no_args_is_help=True)


@app.command("init")
@command
def init(
    directory: Annotated[Path, typer.Argument(help="新的城市数据目录 / the city's new directory")],
    city: Annotated[str, typer.Option(help="六位区划码 / six-digit division code")],
    name: Annotated[str, typer.Option(help="城市名 / name of the city")],
    url: Annotated[str, typer.Option(help="节点对外地址 / address other cities will use")],
    as_json: JsonOption = False,
) -> int:
    """为一座城市生成密钥，打印创始条目 / make a city's keys; prints its founder entry."""
    _demand(_CITY.fullmatch(city), "--city", "应为六位数字", "six digits are expected")
    _demand(_URL.fullmatch(url), "--url", "应为不带路径的网址", "a URL without a path is expected")
    named = name.strip() and len(name) <= _NAME_CHARS and name.isprintable()
    _demand(named, "--name", "应为 1 至 64 个可见字符", "1 to 64 printable characters")
    from ledger_node.core.event_types import KeyRole
    from ledger_node.core.types import CityId
    from ledger_node.founding import GOVERN_DIRECTORY, CityPlan, init_city

    founding = init_city(directory, CityPlan(CityId(city), name, name, directory.name, url))
    keys = {
        role.name.lower(): key.hex() for role, key in zip(KeyRole, founding.entry.keys, strict=True)
    }
    result = {"city": city, "name": name, "url": url, "keys": keys}
    lines = [
        f"{name} {city} 的密钥已生成于 {directory} / keys made",
        *(f"  {role}: {key}" for role, key in keys.items()),
        f"把 {GOVERN_DIRECTORY}/ 移至离线保管 / move it offline",
        "把以上公开条目交给联盟部署方 / hand this entry to whoever deploys",
    ]
    print_result(result, lines, as_json=as_json)
    return HOLDS


@app.command("run")
@command
def run(node: NodeOption) -> int:
    """运行本市节点，直到收到结束信号 / run the city's node until a signal."""
    from ledger_node.running import run_node

    return run_node(node)


@app.command("status")
@command
def status(node: NodeOption, as_json: JsonOption = False) -> int:
    """本市现状：日志、链、待办、停机 / the city's log, chain, open work and halts."""
    with open_city(node) as runtime:
        result = describe_node(runtime)
    chain, log = result["chain"], result["log"]
    lines = [
        f"{result['name']} {result['city']}  {result['url']}",
        f"日志 {log['size']} 条，待编号 {log['pending']}，已存证 {log['anchored']} "
        "/ log size, waiting, anchored",
        "链：尚未同步 / chain: not followed yet"
        if chain is None
        else f"链：区块 {chain['block']}（终局 {chain['final_block']}），{chain['age_s']} 秒前 "
        "/ block (final), seconds ago",
        f"未完成交易 {result['open_transactions']} / open transactions",
        *(f"停机 {each}：须由负责人解除 / halted" for each in result["halts"]),
    ]
    print_result(result, lines, as_json=as_json)
    return DOES_NOT_HOLD if result["halts"] else HOLDS


@app.command("halts")
@command
def halts(
    node: NodeOption,
    every: Annotated[bool, typer.Option("--all", help="含已解除的 / cleared ones too")] = False,
    as_json: JsonOption = False,
) -> int:
    """列出停机原因 / list what stopped the node."""
    with open_city(node) as runtime:
        from ledger_node.flows.halts import list_halts

        found = list_halts(runtime.node, standing_only=not every)
    listed = [
        {
            "reason": each.reason,
            "detail": each.detail,
            "latched_at": each.latched_at.isoformat(),
            "cleared_at": None if each.cleared_at is None else each.cleared_at.isoformat(),
            "cleared_by": each.cleared_by,
        }
        for each in found
    ]
    lines = [
        f"{each['reason']}({each['latched_at']}):{each['detail']}"
        + (f" — 已由 {each['cleared_by']} 解除 / cleared" if each["cleared_at"] else "")
        for each in listed
    ]
    print_result({"halts": listed}, lines or ["没有停机 / none"], as_json=as_json)
    return DOES_NOT_HOLD if any(each["cleared_at"] is None for each in listed) else HOLDS


@app.command("clear-halt")
@command
def clear(
    reason: Annotated[str, typer.Argument(help="停机原因代码 / the halt's reason")],
    by: Annotated[str, typer.Option(help="核查并决定的人 / who looked and decided")],
    node: NodeOption,
    as_json: JsonOption = False,
) -> int:
    """负责人核查后解除停机 / a person clears a halt after looking into it."""
    _demand(by.strip(), "--by", "不能为空", "must not be empty")
    with open_city(node) as runtime:
        from ledger_node.flows.clearing import resolve_halt

        cleared = resolve_halt(runtime.node, reason, by)
    words = "已解除 / cleared" if cleared else "没有这样的停机 / no such halt stands"
    print_result({"reason": reason, "cleared": cleared}, [words], as_json=as_json)
    return HOLDS if cleared else DOES_NOT_HOLD


def describe_node(runtime: Runtime) -> dict[str, Any]:
    """What a person looks at first; nothing in it is about a person."""
    from ledger_node.flows.halts import list_halts

    city, settings = runtime.node, runtime.settings
    with city.database.read() as tx:
        tip = tx.chain.load_tip()
        checkpoint = tx.log.load_latest_checkpoint(city.generation)
        head = tx.chain.find_latest_head(city.city)
        pending = tx.log.count_pending()
        open_transactions = len(tx.outbox.list_open(1000))
        materials = tx.intake.count_materials()
    now_s = city.clock.now().timestamp()
    return {
        "city": city.city,
        "name": settings.city_name,
        "url": settings.url,
        "materials": materials,
        "log": {
            "origin": city.origin,
            "size": 0 if checkpoint is None else checkpoint.size,
            "pending": pending,
            "anchored": 0 if head is None else head.tree_head.size,
        },
        "chain": None
        if tip is None
        else {
            "block": tip.number,
            "final_block": tip.final_number,
            "age_s": max(0, int(now_s - tip.block_timestamp_s)),
        },
        "open_transactions": open_transactions,
        "halts": [each.reason for each in list_halts(city)],
    }


def _demand(holds: object, argument: str, reason_zh: str, reason_en: str) -> None:
    if not holds:
        raise MalformedArgumentError(argument, reason_zh, reason_en)
