"""What is committed fits what is written: artifacts, loader, lock file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contracts import CONTRACT_NAMES, load_artifact, load_error_signatures
from scripts.compile_contracts import SETTINGS, SOLC_VERSION

ROOT = Path(__file__).resolve().parents[2]
EIP170_LIMIT_BYTES = 24_576
PUSH0 = 0x5F


def opcodes(code: bytes) -> set[int]:
    """Opcodes of runtime code, push data skipped."""
    found, at = set(), 0
    while at < len(code):
        found.add(code[at])
        at += 1 + (code[at] - 0x5F if 0x60 <= code[at] <= 0x7F else 0)
    return found


@pytest.mark.slow  # `make check` runs the same command
def test_compile_contracts_check_finds_artifacts_fresh() -> None:
    command = [sys.executable, "scripts/compile_contracts.py", "--check"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("4 contracts compiled; stale: none")


@pytest.mark.parametrize("name", CONTRACT_NAMES)
def test_load_artifact_is_complete_and_deployable(name: str) -> None:
    artifact = load_artifact(name)
    assert artifact.name == name
    assert artifact.compiler.startswith(SOLC_VERSION)
    settings = json.loads(artifact.metadata)["settings"]
    assert settings["evmVersion"] == SETTINGS["evmVersion"] == "paris"
    assert settings["optimizer"] == SETTINGS["optimizer"]
    assert 0 < len(artifact.deployed_bytecode) <= EIP170_LIMIT_BYTES
    assert PUSH0 not in opcodes(artifact.deployed_bytecode)
    assert artifact.immutable_references
    functions = [item for item in artifact.abi if item["type"] == "function"]
    assert len(artifact.method_ids) == len(functions) >= 6


def test_load_artifact_unknown_name_raises() -> None:
    with pytest.raises(KeyError):
        load_artifact("Fees")


def test_load_error_signatures_are_unambiguous_and_named_after_their_contract() -> None:
    signatures = load_error_signatures()
    assert len(signatures) == len(set(signatures.values())) >= 60
    for signature in signatures.values():
        assert re.match(
            r"(Membership|CityLog|MaterialStatus|Grants|Catalogue|Rfc6962)[A-Z]", signature
        )


def test_every_error_is_expected_by_a_behaviour_test() -> None:
    files = [p for p in Path(__file__).parent.glob("test_*.py") if p != Path(__file__)]
    text = "".join(path.read_text("utf-8") for path in files)
    names = {signature.partition("(")[0] for signature in load_error_signatures().values()}
    assert {name for name in names if f'"{name}"' not in text} == set()


def test_settings_of_forge_and_compiler_agree() -> None:
    text = (ROOT / "foundry.toml").read_text("utf-8")
    assert f'evm_version = "{SETTINGS["evmVersion"]}"' in text
    assert f"optimizer_runs = {SETTINGS['optimizer']['runs']}" in text
    assert f'"solc": "{SOLC_VERSION}"' in (ROOT / "package.json").read_text("utf-8")


def test_lock_file_names_no_host() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    for package in lock["packages"].values():
        package.pop("funding", None)  # where a package asks for money is no registry
    assert "://" not in json.dumps(lock)


def test_scripts_and_sources_stay_small() -> None:
    assert len((ROOT / "scripts/compile_contracts.py").read_text().splitlines()) <= 100
    sources = [p for p in (ROOT / "contracts").rglob("*.sol") if "out" not in p.parts]
    assert len(sources) >= 12
    for path in sources:
        assert len(path.read_text().splitlines()) <= 400, path
