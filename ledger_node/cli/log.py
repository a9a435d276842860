"""`tongban log`: this city's log for anybody who wants to check it."""

from __future__ import annotations

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.output import HOLDS, JsonOption, command, print_result

app = typer.Typer(help="本市日志 / this city's log", no_args_is_help=True)


@app.callback()
def group() -> None:
    """本市日志 / this city's log."""


@app.command("vkey")
@command
def vkey(node: NodeOption, as_json: JsonOption = False) -> int:
    """打印日志的验证公钥（C2SP signed-note） / print the log's note verifier key."""
    with open_city(node) as runtime:
        from ledger_node.core.event_types import KeyRole
        from ledger_node.core.signed_note import VerifierKey, encode_verifier_key

        city = runtime.node
        key = VerifierKey(city.origin, city.keys.public_key(KeyRole.CHECKPOINT))
        result = {
            "origin": city.origin,
            "vkey": encode_verifier_key(key),
            "url": f"{runtime.settings.url}/log",
        }
    print_result(result, [result["vkey"]], as_json=as_json)
    return HOLDS
