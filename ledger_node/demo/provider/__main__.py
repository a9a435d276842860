"""`python -m ledger_node.demo.provider`: run the simulated identity provider on 127.0.0.1.

Prints one JSON line when its port is open; ends on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import uvicorn

from ledger_node.demo.provider.app import Office, build_provider
from ledger_node.demo.provider.tokens import Desk, open_key
from ledger_node.edges.clock import SystemClock

TITLE = "实名认证平台"


class Announcing(uvicorn.Server):
    """uvicorn that says when its port is open."""

    issuer = ""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Open the port, then announce it."""
        await super().startup(sockets)  # type: ignore[arg-type]
        facts = {"event": "ready", "port": self.config.port, "issuer": self.issuer}
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal."""
    options = _build_parser().parse_args(arguments)
    issuer = options.issuer or f"http://127.0.0.1:{options.port}"
    clock = SystemClock()
    desk = Desk(issuer, open_key(options.key_file), lambda: clock.now().timestamp())
    clients = dict(_read_client(each) for each in options.client)
    app = build_provider(Office(options.title, desk, clients))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=options.port, log_config=None, access_log=False
    )
    server = Announcing(config)
    server.issuer = issuer
    server.run()
    return 0


def _read_client(text: str) -> tuple[str, tuple[str, str]]:
    client_id, callback, *name = text.split("|")
    return client_id, (callback, name[0] if name else "")


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ledger_node.demo.provider", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--issuer", default="", help="as tokens name it")
    parser.add_argument("--title", default=TITLE, help="name on its page")
    parser.add_argument("--key-file", type=Path, required=True, help="signing key; made if missing")
    parser.add_argument(
        "--client", action="append", default=[], metavar="ID|CALLBACK|NAME", help="a node it serves"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
