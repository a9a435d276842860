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
            {
                "commitment": each.row.commitment.hex(),
                "at": each.row.created_at.isoformat(),
                "digest": each.digest,
                "withdrawn": each.withdrawn,
            }
            for each in pinned
        ],
    }
    lines = [f"{served.issuer}  公布 / serves  {digest}"]
    for each in pinned:
        word = "已撤销 / withdrawn" if each.withdrawn else "登记 / pinned"
        lines.append(f"{each.row.created_at:%Y-%m-%d %H:%M}  {word}  {each.digest}")
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
        pinned, *_ = list_pinned(runtime.node, runtime.identity.providers[name])

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
        "digest": pinned.digest,
        "commitment": row.commitment.hex(),
        "state": "anchored" if anchored else "pending",
    }
    lines = [
        f"平台 {name} 的公钥已登记 / pinned  {pinned.digest}",
        "已存证，下一秒起可确认授权 / recorded, may confirm from the next second on"
        if anchored
        else "存证中，存证后方可确认授权 / recording, may confirm once recorded",
    ]
    print_result(result, lines, as_json=as_json)
    return HOLDS if anchored or wait_s <= 0 else UNAVAILABLE


@app.command("withdraw")
@command
def withdraw(
    name: Name,
    node: NodeOption,
    digest: Annotated[
        str,
        typer.Option("--digest", help="要撤销的公钥摘要，见 show / digest of the keys, see show"),
    ],
    wait_s: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> int:
    """撤销登记过的平台公钥，各市不再认 / take pinned keys back; no city counts them any more."""
    with open_city(node) as runtime:
        from ledger_node.cli.transactions import is_confirmed
        from ledger_node.flows.following import catch_up
        from ledger_node.flows.providers import withdraw_provider

        catch_up(runtime.node)
        sent = withdraw_provider(runtime.node, runtime.identity, name, digest=digest.lower())
        confirmed = wait_for(
            runtime,
            lambda: all(is_confirmed(runtime.node, each) for each in sent) or None,
            wait_s,
            "等待撤销上链",
            "waiting for the chain",
        )
    result = {
        "provider": name,
        "digest": digest.lower(),
        "state": "withdrawn" if confirmed else "submitted",
    }
    words = "已撤销 / withdrawn" if confirmed else "已提交，待上链 / submitted, not final yet"
    print_result(result, [words], as_json=as_json)
    return HOLDS if confirmed or wait_s <= 0 else UNAVAILABLE
