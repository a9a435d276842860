"""`tongban node`: running a city's node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger_node.cli.output import command

app = typer.Typer(help="城市节点 / a city's node", no_args_is_help=True)

NodeOption = Annotated[
    Path,
    typer.Option("--node", envvar="TONGBAN_NODE", help="城市数据目录 / the city's directory"),
]


@app.command("run")
@command
def run(node: NodeOption) -> int:
    """运行本市节点,直到收到结束信号 / run the city's node until a signal."""
    from ledger_node.running import run_node

    return run_node(node)
