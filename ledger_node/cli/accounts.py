"""`tongban account`: accounts of this city, from its own machine.

The first administrators are made here; the rest is done on their pages. A password comes from a
file, from standard input or from a prompt, never from an argument. What is shown once (a TOTP
secret, a machine's key) goes to standard output.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_node.cli.city import NodeOption, open_city
from ledger_node.cli.output import HOLDS, JsonOption, command, print_result
from ledger_node.core.access import Permission, Role

if TYPE_CHECKING:
    from ledger_node.flows.node import Node
    from ledger_node.ports.database_accounts import AccountRow

app = typer.Typer(help="账号 / accounts", no_args_is_help=True)
Login = Annotated[str, typer.Argument(help="登录名（非姓名） / login, never a name")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file", help="口令文件，- 为标准输入；不给则提示输入 / file with the password"
    ),
]
Roles = Annotated[list[Role], typer.Option("--role", help="岗位，可重复 / role, repeatable")]


@app.command("add")
@command
def add(
    login: Login,
    node: NodeOption,
    role: Roles,
    name: Annotated[str, typer.Option("--name", help="显示姓名 / name shown")] = "",
    officer: Annotated[
        str, typer.Option("--officer", help="经办人编号（签名用） / officer id that signs")
    ] = "",
    outlet: Annotated[str, typer.Option("--outlet", help="网点编号 / outlet")] = "",
    window: Annotated[str, typer.Option("--window", help="窗口号 / window")] = "",
    system: Annotated[str, typer.Option("--system", help="对接系统编号 / case system")] = "",
    may: Annotated[
        list[Permission] | None,
        typer.Option("--may", help="接口账号另可办理的事项 / given to a machine, repeatable"),
    ] = None,
    password_file: PasswordFile = None,
    must_change: Annotated[
        bool, typer.Option("--must-change", help="首次登录须改口令 / changed at first sign-in")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """建立账号；动态码密钥或接口密钥只显示这一次 / make an account; secrets are shown once."""
    machine = Role.SYSTEM in role
    password = None if machine else read_password(password_file)
    with open_city(node) as runtime:
        from ledger_node.flows.accounts import NewAccount, add_account

        new = NewAccount(
            login=login,
            display_name=name or login,
            roles=frozenset(role),
            password=password,
            officer=officer or None,
            outlet=outlet or None,
            window=window or None,
            system=(system or login) if machine else None,
            initial=must_change,
            permissions=frozenset(may or ()),
        )
        made = add_account(runtime.node, new)
    result = {
        "account": made.row.account_id,
        "login": login,
        "roles": sorted(each.value for each in role),
        "may": sorted(each.value for each in may or ()),
        "totp": made.totp_secret,
        "key": made.key,
    }
    lines = [f"账号 {login} 已建立 / made"]
    lines += (
        [f"动态码密钥（只显示一次） / TOTP secret: {made.totp_secret}"] if made.totp_secret else []
    )
    lines += [f"接口密钥（只显示一次） / bearer key: {made.key}"] if made.key else []
    print_result(result, lines, as_json=as_json)
    return HOLDS


@app.command("list")
@command
def show(node: NodeOption, as_json: JsonOption = False) -> int:
    """列出账号 / list accounts."""
    with open_city(node) as runtime:
        accounts = list_accounts(runtime.node)
    lines = [_describe(each) for each in accounts]
    print_result({"accounts": accounts}, lines or ["没有账号 / none"], as_json=as_json)
    return HOLDS


def _describe(account: dict[str, Any]) -> str:
    off = "  停用/off" if account["disabled"] else ""
    return f"{account['login']}  {','.join(account['roles']) or '-'}{off}"


@app.command("disable")
@command
def disable(login: Login, node: NodeOption, as_json: JsonOption = False) -> int:
    """停用账号，立即退出 / switch an account off; it is signed out at once."""
    with open_city(node) as runtime:
        from ledger_node.flows.administering import disable_account

        disable_account(runtime.node, find_account(runtime.node, login).account_id)
    print_result({"login": login, "disabled": True}, [f"{login} 已停用 / off"], as_json=as_json)
    return HOLDS


@app.command("enable")
@command
def enable(login: Login, node: NodeOption, as_json: JsonOption = False) -> int:
    """启用账号（须重新授权） / switch an account on; it has no roles then."""
    with open_city(node) as runtime:
        from ledger_node.flows.administering import enable_account

        enable_account(runtime.node, find_account(runtime.node, login).account_id)
    print_result({"login": login, "disabled": False}, [f"{login} 已启用 / on"], as_json=as_json)
    return HOLDS


@app.command("roles")
@command
def roles(login: Login, node: NodeOption, role: Roles, as_json: JsonOption = False) -> int:
    """更改岗位，立即退出 / say what an account may do; it is signed out."""
    with open_city(node) as runtime:
        from ledger_node.flows.administering import change_roles

        account = find_account(runtime.node, login)
        totp = change_roles(runtime.node, account.account_id, role)
    lines = [f"{login} 岗位已更改 / roles changed"]
    lines += [f"动态码密钥（只显示一次） / TOTP secret: {totp}"] if totp else []
    result = {"login": login, "roles": sorted(each.value for each in role), "totp": totp}
    print_result(result, lines, as_json=as_json)
    return HOLDS


@app.command("unlock")
@command
def unlock(login: Login, node: NodeOption, as_json: JsonOption = False) -> int:
    """解锁 / let a locked account try again."""
    with open_city(node) as runtime:
        from ledger_node.flows.administering import unlock_account

        unlock_account(runtime.node, find_account(runtime.node, login).account_id)
    print_result({"login": login, "locked": False}, [f"{login} 已解锁 / unlocked"], as_json=as_json)
    return HOLDS


@app.command("reset-second-factor")
@command
def reset_factor(login: Login, node: NodeOption, as_json: JsonOption = False) -> int:
    """重置动态码 / a new TOTP secret, shown once."""
    with open_city(node) as runtime:
        from ledger_node.flows.administering import reset_second_factor

        account = find_account(runtime.node, login)
        totp = reset_second_factor(runtime.node, account.account_id)
    lines = [f"动态码密钥（只显示一次） / TOTP secret: {totp}"]
    print_result({"login": login, "totp": totp}, lines, as_json=as_json)
    return HOLDS


@app.command("reset-password")
@command
def reset(login: Login, node: NodeOption, as_json: JsonOption = False) -> int:
    """重置口令，首次登录须更改 / a new password, shown once, changed at the next sign-in."""
    with open_city(node) as runtime:
        from ledger_node.flows.administering import reset_password

        account = find_account(runtime.node, login)
        password = reset_password(runtime.node, account.account_id)
    lines = [f"临时口令（只显示一次） / first password: {password}"]
    print_result({"login": login, "password": password}, lines, as_json=as_json)
    return HOLDS


def read_password(path: Path | None) -> str:
    """The password: first line of a file or of standard input, or typed at a prompt."""
    if path is None:
        return getpass.getpass("口令 / password: ")
    text = sys.stdin.readline() if str(path) == "-" else path.read_text("utf-8")
    return text.split("\n", 1)[0].rstrip("\r")


def find_account(node: Node, login: str) -> AccountRow:
    """The account of a login.

    Raises:
        AccountNotFoundError: There is none.
    """
    from ledger_node.edges.database.accounts import AccountNotFoundError

    with node.database.read() as tx:
        row = tx.accounts.find_by_login(login)
    if row is None:
        raise AccountNotFoundError("没有这个账号。", "There is no such account.")
    return row


def list_accounts(node: Node) -> list[dict[str, Any]]:
    """Every account, without anything secret or personal."""
    with node.database.read() as tx:
        rows = tx.accounts.list_accounts("", 10_000)
    return [
        {
            "account": row.account_id,
            "login": row.login,
            "roles": row.roles.split(",") if row.roles else [],
            "officer": row.officer,
            "outlet": row.outlet,
            "window": row.window,
            "system": row.system,
            "disabled": row.disabled_at is not None,
        }
        for row in rows
    ]
