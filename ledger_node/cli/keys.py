"""`tongban keys`: the wrapping keys of the key store."""

from __future__ import annotations

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.output import HOLDS, JsonOption, command, print_result

app = typer.Typer(help="密钥库 / the key store", no_args_is_help=True)


@app.callback()
def group() -> None:
    """密钥库 / the key store."""


@app.command("rotate")
@command
def rotate(node: NodeOption, as_json: JsonOption = False) -> int:
    """立即更换包裹密钥，旧钥销毁 / begin a new epoch now; the old wrapping key is destroyed."""
    with open_city(node) as runtime:
        epoch = runtime.node.key_store.rotate_epoch()
    line = f"包裹密钥已更换，现为第 {epoch} 期；旧钥已销毁 / epoch {epoch} begun, old key destroyed"
    print_result({"epoch": epoch}, [line], as_json=as_json)
    return HOLDS
