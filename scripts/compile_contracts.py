"""Compile the contracts into contracts/abi/, or check that what is committed there is fresh.

`python scripts/compile_contracts.py` writes, `--check` compares and exits 1 on a difference.
The compiler is npm's solc behind contracts/solcw; the settings here are those of foundry.toml.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import solcx
from eth_hash.auto import keccak
from eth_utils.abi import abi_to_signature

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
SOLC_VERSION = "0.8.37"
SOURCES = ("Membership", "CityLog", "MaterialStatus", "Grants")
FOLDERS = (".", "bases", "interfaces", "libraries", "types")
SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 1000},
    "metadata": {"bytecodeHash": "none"},
    "outputSelection": {"*": {"*": ["abi", "evm", "metadata"]}},
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


def build_artifact(name: str, output: dict[str, Any]) -> str:
    """Text of one artifact file: what a node, a deployer and an auditor need of a contract."""
    evm = output["evm"]
    errors = [item for item in output["abi"] if item["type"] == "error"]
    signatures = sorted(abi_to_signature(item) for item in errors)
    artifact = {
        "contractName": name,
        "compiler": json.loads(output["metadata"])["compiler"]["version"],
        "abi": output["abi"],
        "bytecode": "0x" + evm["bytecode"]["object"],
        "deployedBytecode": "0x" + evm["deployedBytecode"]["object"],
        "immutableReferences": evm["deployedBytecode"].get("immutableReferences", {}),
        "methodIdentifiers": evm["methodIdentifiers"],
        "errorIdentifiers": {text: keccak(text.encode()).hex()[:8] for text in signatures},
        "metadata": output["metadata"],
    }
    return json.dumps(artifact, indent=1) + "\n"


def main() -> int:
    """Write or check all artifacts; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    contracts = compile_sources(load_sources())
    stale = []
    for name in SOURCES:
        target = CONTRACTS / "abi" / f"{name}.json"
        text = build_artifact(name, contracts[f"contracts/{name}.sol"][name])
        if target.exists() and target.read_text("utf-8") == text:
            continue
        stale.append(target.name)
        if not check:
            target.write_text(text, "utf-8")
    print(
        f"{len(SOURCES)} contracts compiled; {'stale' if check else 'written'}: {stale or 'none'}"
    )
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
