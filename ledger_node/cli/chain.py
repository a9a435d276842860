"""`tongban chain`: the single-node chain of one machine."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger_node.cli.output import command

app = typer.Typer(help="单机链 / the chain of one machine", no_args_is_help=True)


class ClockChoice(StrEnum):
    """Who decides when a block is made."""

    WALL = "wall"
    TEST = "test"


@app.command("run")
@command
def run(
    data: Annotated[Path, typer.Option(help="数据目录 / directory of the store")],
    chain_id: Annotated[int, typer.Option(help="链编号 / EIP-155 chain id")] = 7107,
    port: Annotated[int, typer.Option(help="端口，0 为任选 / 0 picks a free one")] = 8545,
    clock: Annotated[
        ClockChoice, typer.Option(help="test 仅供测试 / test: for tests")
    ] = ClockChoice.WALL,
) -> int:
    """运行单机链，直到收到结束信号 / run the local chain until a signal."""
    from ledger_node.localchain.clock import ClockMode
    from ledger_node.localchain.service import serve
    from ledger_node.localchain.settings import ChainSettings, GenesisSettings

    def announce(facts: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()

    settings = ChainSettings(
        data=data, genesis=GenesisSettings(chain_id), port=port, clock=ClockMode(clock.value)
    )
    return serve(settings, announce)
