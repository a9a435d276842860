"""Compile the contracts into contracts/abi/ and layout/, or check that what is there is fresh.

`python scripts/compile_contracts.py` writes, `--check` compares and exits 1 on a difference.
The compiler is npm's solc behind contracts/solcw; the settings here are those of foundry.toml.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import solcx

from scripts.contract_files import build_artifact, build_layout

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
SOLC_VERSION = "0.8.37"
SOURCES = ("Membership", "CityLog", "MaterialStatus", "Grants", "Catalogue")
FOLDERS = (".", "bases", "interfaces", "libraries", "types")
SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 1000},
    "metadata": {"bytecodeHash": "none"},
    "outputSelection": {"*": {"*": ["abi", "evm", "metadata", "storageLayout"]}},
}


def compile_sources(sources: dict[str, str]) -> dict[str, Any]:
    """Compile {path: source text} and return solc's `contracts` output by path and name."""
    solcw = CONTRACTS / "solcw"
    found = str(solcx.wrapper.get_solc_version(solcw))
    if found != SOLC_VERSION:
        sys.exit(f"solc {found} found, {SOLC_VERSION} wanted: run npm ci")
    standard_input = {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sorted(sources.items())},
        "settings": SETTINGS,
    }
    try:
        output = solcx.compile_standard(standard_input, solc_binary=solcw)
    except solcx.exceptions.SolcError as error:
        sys.exit(error.message)
    for warning in output.get("errors", []):
        sys.exit(str(warning["formattedMessage"]))
    contracts: dict[str, Any] = output["contracts"]
    return contracts


def load_sources() -> dict[str, str]:
    """Product sources by their path from the root; tests and build folders left out."""
    files = [path for folder in FOLDERS for path in (CONTRACTS / folder).glob("*.sol")]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in files}


def main() -> int:
    """Write or check all artifacts; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    contracts = compile_sources(load_sources())
    stale = []
    for name in SOURCES:
        output = contracts[f"contracts/{name}.sol"][name]
        for folder, text in (
            ("abi", build_artifact(name, output)),
            ("layout", build_layout(name, output)),
        ):
            target = CONTRACTS / folder / f"{name}.json"
            if target.exists() and target.read_text("utf-8") == text:
                continue
            stale.append(target.relative_to(CONTRACTS).as_posix())
            if not check:
                target.parent.mkdir(exist_ok=True)
                target.write_text(text, "utf-8")
    print(
        f"{len(SOURCES)} contracts compiled; {'stale' if check else 'written'}: {stale or 'none'}"
    )
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
