"""`python -m ledger_node.localchain`: run a chain and print one JSON line when it is ready."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ledger_node.localchain.clock import ClockMode
from ledger_node.localchain.errors import LocalChainError
from ledger_node.localchain.service import serve
from ledger_node.localchain.settings import ChainSettings, GenesisSettings

EXIT_BAD_INPUT = 2


def main(arguments: list[str] | None = None) -> int:
    """Parse options, run until a signal; exit code 2 when the store or port is refused."""
    options = _build_parser().parse_args(arguments)
    settings = ChainSettings(
        data=options.data,
        genesis=GenesisSettings(options.chain_id, balances_wei=dict(options.balance)),
        port=options.port,
        clock=ClockMode(options.clock),
        block_interval_s=options.block_interval,
        empty_interval_s=options.empty_interval,
    )
    try:
        return serve(settings, _announce)
    except LocalChainError as error:
        sys.stderr.write(json.dumps({"event": "refused", "code": error.code, "error": str(error)}))
        sys.stderr.write("\n")
        return EXIT_BAD_INPUT


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ledger_node.localchain", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the store")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--chain-id", type=_chain_id, required=True)
    parser.add_argument("--clock", choices=[str(mode) for mode in ClockMode], default="wall")
    parser.add_argument("--block-interval", type=_seconds, default=1.0)
    parser.add_argument("--empty-interval", type=_seconds, default=10.0)
    parser.add_argument(
        "--balance",
        type=_balance,
        action="append",
        default=[],
        metavar="ADDRESS=WEI",
        help="balance at block 0; part of the genesis",
    )
    return parser


def _chain_id(text: str) -> int:
    found = int(text)
    if not 1 <= found < 2**53:
        raise argparse.ArgumentTypeError("must be 1 to 2**53 - 1")
    return found


def _seconds(text: str) -> float:
    found = float(text)
    if not 0.01 <= found <= 86_400:
        raise argparse.ArgumentTypeError("must be 0.01 to 86400")
    return found


def _balance(text: str) -> tuple[bytes, int]:
    address, _, wei = text.partition("=")
    found = bytes.fromhex(address.removeprefix("0x")), int(wei)
    if len(found[0]) != 20 or not 0 <= found[1] < 2**128:
        raise argparse.ArgumentTypeError("must be ADDRESS=WEI")
    return found


def _announce(facts: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
