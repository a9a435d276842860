"""The compiled contracts, as data: ABI, bytecode and identifiers from contracts/abi/.

Written by scripts/compile_contracts.py and committed, so that running a node needs no compiler.
Not here: talking to a chain (ledger_node/edges/chain).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

CONTRACT_NAMES = ("Membership", "CityLog", "MaterialStatus", "Grants", "Catalogue")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    Attributes:
        name: Contract name.
        compiler: Full version of the compiler.
        abi: JSON ABI, as web3 takes it.
        bytecode: Creation code, without constructor arguments.
        deployed_bytecode: Runtime code with zeros where immutables go.
        immutable_references: AST id -> places (start, length in bytes) of an immutable in the
            runtime code.
        method_ids: Signature -> 4-byte selector of each function.
        error_ids: Signature -> 4-byte selector of each custom error declared or used.
        metadata: The compiler's metadata JSON text (sources' hashes, settings).
    """

    name: str
    compiler: str
    abi: Sequence[Mapping[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes
    immutable_references: Mapping[str, Sequence[Mapping[str, int]]]
    method_ids: Mapping[str, bytes]
    error_ids: Mapping[str, bytes]
    metadata: str


@cache
def load_artifact(name: str) -> Artifact:
    """Load a committed artifact.

    Args:
        name: One of CONTRACT_NAMES.

    Raises:
        KeyError: There is no such contract.
    """
    if name not in CONTRACT_NAMES:
        raise KeyError(name)
    raw = json.loads((files("contracts") / "abi" / f"{name}.json").read_text("utf-8"))
    return Artifact(
        name=raw["contractName"],
        compiler=raw["compiler"],
        abi=raw["abi"],
        bytecode=_parse_hex(raw["bytecode"]),
        deployed_bytecode=_parse_hex(raw["deployedBytecode"]),
        immutable_references=MappingProxyType(raw["immutableReferences"]),
        method_ids=_parse_selectors(raw["methodIdentifiers"]),
        error_ids=_parse_selectors(raw["errorIdentifiers"]),
        metadata=raw["metadata"],
    )


@cache
def load_error_signatures() -> Mapping[bytes, str]:
    """Selector -> signature of every custom error any of the contracts can revert with."""
    return MappingProxyType(
        {
            selector: signature
            for name in CONTRACT_NAMES
            for signature, selector in load_artifact(name).error_ids.items()
        }
    )


def _parse_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _parse_selectors(identifiers: Mapping[str, str]) -> Mapping[str, bytes]:
    return MappingProxyType({name: bytes.fromhex(text) for name, text in identifiers.items()})
