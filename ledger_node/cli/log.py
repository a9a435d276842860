"""`tongban log`: this city's log for anybody who wants to check it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.inputs import demand_writable, write_output
from ledger_node.cli.materials import OutputOption
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


@app.command("proof")
@command
def proof(
    material_id: Annotated[str, typer.Argument(help="材料编号 / id of the material")],
    node: NodeOption,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> int:
    """导出存证证明（C2SP tlog-proof），通用客户端可验 / a proof any log client can verify."""
    demand_writable(output)
    with open_city(node) as runtime:
        from ledger_node.core.types import MaterialId
        from ledger_node.flows.exporting import build_tlog_proof

        data = build_tlog_proof(runtime.node, MaterialId(material_id))
    result: dict[str, Any] = {"id": material_id}
    if output is None:
        text = data.decode("utf-8")
        print_result(result | {"proof": text}, [text], as_json=as_json)
        return HOLDS
    write_output(output, data)
    words = f"证明已写入 {output} / proof written"
    print_result(result | {"proof_file": str(output)}, [words], as_json=as_json)
    return HOLDS
