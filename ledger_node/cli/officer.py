"""`tongban officer`: officers of this city and their keys."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger_node.cli.city import NodeOption, WaitOption, open_city, wait_for
from ledger_node.cli.output import HOLDS, UNAVAILABLE, JsonOption, command, print_result
from ledger_node.core.evidence_parts import OfficerRole

OfficerIdOption = Annotated[
    str, typer.Option("--officer", help="经办人编号（非姓名） / officer's id, never a name")
]
RoleOption = Annotated[OfficerRole, typer.Option("--role", help="岗位 / role")]

app = typer.Typer(help="经办人 / officers", no_args_is_help=True)


@app.command("enrol")
@command
def enrol(
    officer: Annotated[
        str, typer.Argument(help="经办人编号（非姓名） / officer's id, never a name")
    ],
    role: RoleOption,
    node: NodeOption,
    wait_s: WaitOption = 0.0,
    as_json: JsonOption = False,
) -> int:
    """登记经办人：在本机生成密钥，凭据入日志 / enrol an officer: key here, credential logged."""
    with open_city(node) as runtime:
        from ledger_node.core.errors import ConflictError, MalformedInputError
        from ledger_node.core.shapes import read_name
        from ledger_node.edges.clock import system_entropy
        from ledger_node.flows.enrolling import enrol_officer
        from ledger_node.flows.facts import NotYetAnchoredError, build_placement
        from ledger_node.wiring import open_officer_keys

        read_name(officer, what="officer")
        keys = open_officer_keys(runtime.settings.data_dir)
        made = not keys.has(officer)
        key = keys.create(officer, system_entropy) if made else keys.public_key(officer)
        try:
            row = enrol_officer(runtime.node, officer, role, key)
        except (ConflictError, MalformedInputError):
            if made:
                keys.remove(officer)
            raise

        def look() -> bool | None:
            with runtime.node.database.read() as tx:
                try:
                    build_placement(runtime.node, tx, row.commitment)
                except NotYetAnchoredError:
                    return None
            return True

        anchored = wait_for(runtime, look, wait_s, "等待凭据存证", "waiting for the anchor")
    result = {
        "officer": officer,
        "role": role.value,
        "key": key.hex(),
        "commitment": row.commitment.hex(),
        "state": "anchored" if anchored else "pending",
    }
    lines = [
        f"经办人 {officer} 已登记，岗位 {role.value} / enrolled",
        "已存证，下一秒起可签名 / recorded, may sign from the next second on"
        if anchored
        else "存证中，存证后方可签名 / recording, may sign once recorded",
    ]
    print_result(result, lines, as_json=as_json)
    return HOLDS if anchored or wait_s <= 0 else UNAVAILABLE


@app.command("list")
@command
def show(node: NodeOption, as_json: JsonOption = False) -> int:
    """列出本市经办人 / list this city's officers."""
    with open_city(node) as runtime:
        from ledger_node.wiring import open_officer_keys

        keys = open_officer_keys(runtime.settings.data_dir)
        with runtime.node.database.read() as tx:
            rows = tx.officers.list_officers()
        officers = [
            {
                "officer": row.officer,
                "role": row.role,
                "key": row.public_key.hex(),
                "key_here": keys.has(row.officer),
            }
            for row in rows
        ]
    lines = [f"{each['officer']}  {each['role']}" for each in officers]
    print_result({"officers": officers}, lines or ["没有经办人 / none"], as_json=as_json)
    return HOLDS
