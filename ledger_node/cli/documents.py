"""`tongban documents`: where sealed documents are kept, and what nobody needs any more."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.output import DOES_NOT_HOLD, HOLDS, JsonOption, command, print_result

app = typer.Typer(help="文件库 / the document store", no_args_is_help=True)


@app.command("move")
@command
def move(
    to: Annotated[str, typer.Option("--to", help="directory | s3 | ipfs")],
    node: NodeOption,
    as_json: JsonOption = False,
) -> int:
    """把密文搬到另一文件库，节点照常服务 / move documents to another store while serving."""
    with open_city(node) as runtime:
        from ledger_node.document_stores import get_joined
        from ledger_node.flows.keeping import Moved, move_documents

        stores = get_joined(runtime.settings, runtime.node.documents, to)
        parts = [move_documents(other, stores.first, _show) for other in stores.others]
        done = Moved(
            sum(part.moved for part in parts),
            tuple(address for part in parts for address in part.damaged),
        )
    result = {"to": to, "moved": done.moved, "damaged": [each.hex() for each in done.damaged]}
    lines = [
        f"已搬移 {done.moved} 份密文至 {to} / documents moved",
        *(
            f"密文已损坏，留在原处：{each.hex()} / damaged, left where it is"
            for each in done.damaged
        ),
    ]
    print_result(result, lines, as_json=as_json)
    return DOES_NOT_HOLD if done.damaged else HOLDS


@app.command("collect")
@command
def collect(
    node: NodeOption,
    delete: Annotated[
        bool, typer.Option("--delete", help="删除，否则只清点 / remove, not only look")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """清点无人需要的密文；满一天的可删 / look for what nobody needs; remove after a day."""
    with open_city(node) as runtime:
        from ledger_node.flows.keeping import collect_documents

        found = collect_documents(runtime.node, remove=delete)
    result = {
        "needed": found.needed,
        "waiting": found.waiting,
        "due": found.due,
        "removed": found.removed,
    }
    lines = [
        f"在用 {found.needed} / needed",
        f"无人需要，未满一天 {found.waiting} / not needed, for less than a day",
        f"无人需要，已满一天 {found.due} / not needed for a day",
        f"已删除 {found.removed} / removed",
    ]
    print_result(result, lines, as_json=as_json)
    return HOLDS


def _show(moved: int) -> None:
    print(f"已搬移 {moved} / moved", file=sys.stderr)  # noqa: T201 # progress, as docs/cli.md says
