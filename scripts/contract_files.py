"""Texts of the files in contracts/abi/ and contracts/layout/, from what the compiler says."""

from __future__ import annotations

import json
from typing import Any

from eth_hash.auto import keccak
from eth_utils.abi import abi_to_signature


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


def build_layout(name: str, output: dict[str, Any]) -> str:
    """Text of one layout file: what a verifier of storage proofs needs to know of a contract."""
    layout = output["storageLayout"]
    types = layout["types"] or {}
    structs = {
        kind["label"].rpartition(".")[2]: [build_variable(each) for each in kind["members"]]
        for kind in types.values()
        if "members" in kind
    }
    variables = [
        build_variable(each) | {"type": types[each["type"]]["label"]} for each in layout["storage"]
    ]
    text = {"contractName": name, "storage": variables, "structs": dict(sorted(structs.items()))}
    return json.dumps(text, indent=1) + "\n"


def build_variable(item: dict[str, Any]) -> dict[str, Any]:
    """Name and place of a variable: slot, and offset in bytes from the lowest."""
    return {"label": item["label"], "slot": int(item["slot"]), "offset": item["offset"]}
