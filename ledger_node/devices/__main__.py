"""`python -m ledger_node.devices`: run a bridge; one JSON line when ready and per pairing code."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ledger_node.devices.service import serve
from ledger_node.devices.settings import BridgeSettingsError, build_settings, load_settings

EXIT_BAD_INPUT = 2


def main(arguments: list[str] | None = None) -> int:
    """Parse options, run until a signal; exit code 2 when a setting is refused."""
    options = vars(_build_parser().parse_args(arguments))
    config: Path | None = options.pop("config")
    try:
        settings = load_settings(config) if config else build_settings(options)
        return serve(settings, _announce)
    except BridgeSettingsError as error:
        refusal = {"event": "refused", "code": error.code, "error": str(error)}
        sys.stderr.write(json.dumps(refusal) + "\n")
        return EXIT_BAD_INPUT


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ledger_node.devices", description=__doc__)
    parser.add_argument("--config", type=Path, help="TOML file; the other options are ignored")
    parser.add_argument("--origin", dest="origins", action="append", help="a page that may use it")
    parser.add_argument("--port", type=int, help="on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--samples", type=Path, help="folder of the simulator")
    parser.add_argument("--font", type=Path, help="font of the simulator's pages")
    parser.add_argument("--hot-folder", type=Path, help="folder a scanner drops files into")
    parser.add_argument("--settle-s", type=float, help="how long a file must stand still")
    parser.add_argument("--delay-s", type=float, help="how long simulated devices take")
    return parser


def _announce(facts: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
