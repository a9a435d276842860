"""`tongban`: the command line of window staff, operators and auditors.

Every command takes `--json`; exit codes are in `output.py`. Modules are imported when their
command runs, so that `tongban verify` needs neither a database nor a chain library.
"""

from __future__ import annotations

import sys

import typer

from ledger_node.cli import (
    accounts,
    audit,
    chain,
    consortium,
    demo,
    devices,
    grants,
    log,
    materials,
    mirror,
    node,
    officer,
    providers,
    release,
    verify,
)
from ledger_node.cli.output import BAD_INPUT, INTERRUPTED, UsageError, print_error

app = typer.Typer(
    name="tongban",
    help="通办：城市间共享材料账本 / a shared materials ledger for cities",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(chain.app, name="chain")
app.add_typer(devices.app, name="devices")
app.add_typer(node.app, name="node")
app.add_typer(consortium.app, name="consortium")
app.add_typer(officer.app, name="officer")
app.add_typer(providers.app, name="provider")
app.add_typer(accounts.app, name="account")
app.add_typer(log.app, name="log")
app.add_typer(mirror.app, name="mirror")
app.add_typer(audit.app, name="audit")
app.command("register")(materials.register)
app.command("receipt")(materials.receipt)
app.command("import")(materials.import_rows)
app.command("withdraw")(materials.withdraw)
app.command("terms")(grants.terms)
app.command("find")(grants.find)
app.command("grant")(grants.grant)
app.command("revoke")(grants.revoke)
app.command("release")(release.release)
app.command("rely")(release.rely)
app.command("verify")(verify.run)
app.command("demo")(demo.run)


def main() -> None:
    """Entry point of the `tongban` script: with `--json` a wrong usage is an object as well."""
    if "--json" not in sys.argv[1:]:
        app()
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        print_error(UsageError(error.format_message()), as_json=True)
        code = BAD_INPUT
    except typer.Abort:
        code = INTERRUPTED
    sys.exit(code)
