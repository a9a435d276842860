"""`python -m ledger_node.demo.zongchuang`: run the simulated case system on 127.0.0.1.

Prints one JSON line when its port is open; ends on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from pathlib import Path

import uvicorn

from ledger_node.core.errors import LedgerError
from ledger_node.demo.zongchuang.app import CALLBACK, Hall, build_hall
from ledger_node.demo.zongchuang.city import CityLine, FolderLine, HttpLine
from ledger_node.demo.zongchuang.journal import Journal
from ledger_node.demo.zongchuang.signatures import EventCheck
from ledger_node.demo.zongchuang.words import OFFICERS

EXIT_BAD_INPUT = 2


class Announcing(uvicorn.Server):
    """uvicorn that says when its port is open."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Open the port, then announce it."""
        await super().startup(sockets)  # type: ignore[arg-type]
        sys.stdout.write(json.dumps({"event": "ready", "port": self.config.port}) + "\n")
        sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal; exit code 2 when what was given does not fit together."""
    options = _build_parser().parse_args(arguments)
    origin = options.origin or f"http://127.0.0.1:{options.port}"
    callback = f"http://127.0.0.1:{options.port}"
    journal = Journal(options.journal)
    try:
        line = _open_line(options)
        check = EventCheck(callback, CALLBACK, options.city_key)
    except (LedgerError, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT
    logins = {name: f"{options.login_prefix}{name}" for name in OFFICERS}
    node_origin = options.node_origin if options.folder is None else ""
    hall = Hall(origin, node_origin, line, journal, check, logins)
    config = uvicorn.Config(
        build_hall(hall), host="127.0.0.1", port=options.port, log_config=None, access_log=False
    )
    Announcing(config).run()
    journal.close()
    return 0


def _open_line(options: argparse.Namespace) -> CityLine:
    if options.folder is not None:
        return FolderLine(options.folder)
    if not options.city_url or options.key_file is None:
        raise ValueError("--city-url and --key-file, or --folder")
    if stat.S_IMODE(os.stat(options.key_file).st_mode) & 0o077:
        raise ValueError("the key file can be read by others")
    return HttpLine(options.city_url, options.system, options.key_file.read_text("utf-8").strip())


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ledger_node.demo.zongchuang", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--origin", default="", help="address of these pages in a browser")
    parser.add_argument("--journal", type=Path, required=True, help="file of what it knows")
    parser.add_argument("--system", default="zongchuang", help="its id in the node's settings")
    parser.add_argument("--city-url", default="", help="address of the node")
    parser.add_argument("--node-origin", default="", help="address the panel is shown from")
    parser.add_argument("--key-file", type=Path, help="bearer key of its machine account")
    parser.add_argument(
        "--city-key", action="append", default=[], help="message key of the city, may be repeated"
    )
    parser.add_argument("--login-prefix", default="", help="what the officers' logins begin with")
    parser.add_argument("--folder", type=Path, help="work without an interface, through this")
    return parser


if __name__ == "__main__":
    sys.exit(main())
