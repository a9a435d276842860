"""`tongban provider`: identity providers whose word confirms consents here."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger_node.cli.city import NodeOption, WaitOption, open_city, wait_for
from ledger_node.cli.output import HOLDS, UNAVAILABLE, JsonOption, command, print_result

Name = Annotated[str, typer.Argument(help="配置中的平台名 / its name in the settings")]

app = typer.Typer(help="身份认证平台 / identity providers", no_args_is_help=True)


@app.command("show")
@command
def show(name: Name, node: NodeOption, as_json: JsonOption = False) -> int:
    """平台现在公布的公钥摘要，及本市登记过的 / digest of the keys it serves, and what is pinned."""
    with open_city(node) as runtime:
        from ledger_node.flows.providers import (
            compute_key_set_digest,
            fetch_provider_credential,
            list_pinned,
        )

        served = fetch_provider_credential(runtime.node, runtime.identity, name)
        digest = compute_key_set_digest(served).hex()
        pinned = list_pinned(runtime.node, runtime.identity.providers[name])
    result = {
        "provider": name,
        "issuer": served.issuer,
        "audience": served.audience,
        "digest": digest,
        "pinned": [
            {"commitment": row.commitment.hex(), "at": row.created_at.isoformat(), "digest": each}
            for row, each in pinned
        ],
    }
    lines = [f"{served.issuer}  公布 / serves  {digest}"]
    lines += [f"{row.created_at:%Y-%m-%d %H:%M}  登记 / pinned  {each}" for row, each in pinned]
    print_result(result, lines, as_json=as_json)
    return HOLDS


@app.command("pin")
@command
def pin(
    name: Name,
    node: NodeOption,
    digest: Annotated[
        str, typer.Option("--digest", help="与平台运维方核对过的摘要 / digest told by its operator")
    ] = "",
    wait_s: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> int:
    """登记平台公钥：凭据入日志，存证后可确认授权 / pin its keys: a credential in the log."""
    with open_city(node) as runtime:
        from ledger_node.flows.facts import NotYetAnchoredError, build_placement
        from ledger_node.flows.providers import list_pinned, pin_provider

        row = pin_provider(runtime.node, runtime.identity, name, digest=digest.lower())
        (_, pinned), *_ = list_pinned(runtime.node, runtime.identity.providers[name])

        def look() -> bool | None:
            with runtime.node.database.read() as tx:
                try:
                    build_placement(runtime.node, tx, row.commitment)
                except NotYetAnchoredError:
                    return None
            return True

        anchored = wait_for(runtime, look, wait_s, "等待凭据存证", "waiting for the anchor")
    result = {
        "provider": name,
        "issuer": row.issuer,
        "digest": pinned,
        "commitment": row.commitment.hex(),
        "state": "anchored" if anchored else "pending",
    }
    lines = [
        f"平台 {name} 的公钥已登记 / pinned  {pinned}",
        "已存证，下一秒起可确认授权 / recorded, may confirm from the next second on"
        if anchored
        else "存证中，存证后方可确认授权 / recording, may confirm once recorded",
    ]
    print_result(result, lines, as_json=as_json)
    return HOLDS if anchored or wait_s <= 0 else UNAVAILABLE
