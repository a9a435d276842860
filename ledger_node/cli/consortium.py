"""`tongban consortium`: founding five cities on one machine, and the trust file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.inputs import MalformedArgumentError, demand_writable, write_output
from ledger_node.cli.output import HOLDS, JsonOption, command, print_result, waiting

FIRST_PORT = 8101
CITIES = 5

app = typer.Typer(help="联盟 / the consortium", no_args_is_help=True)


@app.command("init")
@command
def init(
    directory: Annotated[Path, typer.Argument(help="五城目录的上级 / parent of five directories")],
    rpc: Annotated[str, typer.Option("--rpc", help="链的 JSON-RPC 地址 / URL of the chain")],
    domain: Annotated[str, typer.Option(help="联盟域名 / domain of the consortium")] = (
        "tongban.example"
    ),
    ports: Annotated[
        str | None, typer.Option(help="五个端口，逗号分隔 / five ports, comma separated")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """建立五城联盟：各自生成密钥，部署并表决合约 / found the five cities and their contracts."""
    chosen = parse_ports(ports)
    with waiting("部署合约并表决", "deploying the contracts and voting"):
        from ledger_node.founding import found_consortium, plan_five_cities

        plans = plan_five_cities(chosen)
        deployment = found_consortium(directory, rpc, domain, plans)
    cities = [
        {
            "city": plan.city,
            "name_zh": plan.name_zh,
            "name_en": plan.name_en,
            "url": plan.url,
            "directory": str(directory / plan.slug),
        }
        for plan in plans
    ]
    result = {
        "consortium": domain,
        "chain_id": deployment.chain_id,
        "genesis": deployment.genesis_hash.hex(),
        "membership": "0x" + deployment.membership.hex(),
        "contracts": {
            role.name.lower(): "0x" + address.hex()
            for role, address in deployment.contracts.items()
        },
        "cities": cities,
    }
    lines = [
        f"联盟 {domain} 已建立，链 {deployment.chain_id} / founded",
        *(f"  {each['name_zh']} {each['name_en']}：{each['directory']}" for each in cities),
        "逐城运行 / run each: tongban node run --node DIR",
        "各城 govern-offline/ 目录须移至离线保管 / move every govern-offline/ offline",
    ]
    print_result(result, lines, as_json=as_json)
    return HOLDS


@app.command("trust")
@command
def trust(
    node: NodeOption,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="写入此文件 / write it there")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """写出信任文件，供离线核验 / write the trust file that offline checks need."""
    demand_writable(output)
    with open_city(node) as runtime:
        from ledger_node.core.trust_format import parse_trust
        from ledger_node.core.types import CityId
        from ledger_node.flows.following import catch_up
        from ledger_node.flows.trusting import build_trust_file
        from ledger_node.founding import FIVE_CITIES

        catch_up(runtime.node)
        names = {CityId(code): zh for code, zh, _, _ in FIVE_CITIES}
        data = build_trust_file(runtime.node, names)
    trusted = parse_trust(data)
    as_of = None if trusted.facts is None else trusted.facts.as_of.number
    if output is None:
        print_result({}, [data.decode()], as_json=False)  # the file itself is one JSON object
        return HOLDS
    write_output(output, data)
    result = {
        "trust_file": str(output),
        "members": sorted(trusted.members),
        "chain_id": trusted.chain_id,
        "as_of_block": as_of,
    }
    lines = [f"信任文件已写入 {output} / trust file written", f"事实截至区块 {as_of} / facts up to"]
    print_result(result, lines, as_json=as_json)
    return HOLDS


def parse_ports(text: str | None) -> tuple[int, ...]:
    """Five distinct ports.

    Raises:
        MalformedArgumentError: Something else.
    """
    if text is None:
        return tuple(range(FIRST_PORT, FIRST_PORT + CITIES))
    parts = [part.strip() for part in text.split(",")]
    numbers = tuple(int(part) for part in parts if part.isascii() and part.isdecimal())
    distinct = {number for number in numbers if 0 < number < 65536}
    if len(parts) != CITIES or len(distinct) != CITIES:
        raise MalformedArgumentError(
            "--ports", "须为五个不同端口", "five different ports are expected"
        )
    return numbers
