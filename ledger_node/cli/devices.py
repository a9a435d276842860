"""`tongban devices`: the device bridge of a window's machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ledger_node.cli.output import UsageError, command

app = typer.Typer(help="设备桥 / the device bridge of a window", no_args_is_help=True)


@app.command("run")
@command
def run(
    config: Annotated[Path, typer.Option(help="设置文件 / settings, TOML (docs/spec/devices.md)")],
) -> int:
    """在窗口电脑上运行设备桥，直到收到结束信号 / run the bridge until a signal."""
    from ledger_node.devices.service import serve
    from ledger_node.devices.settings import BridgeSettingsError, load_settings

    def announce(facts: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()

    try:
        return serve(load_settings(config), announce)
    except BridgeSettingsError as error:
        raise UsageError(str(error)) from error
