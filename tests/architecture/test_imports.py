"""The core imports only what design §6 allows; import-linter can deny but not allow-list."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "ledger_node" / "core"
ALLOWED = {
    "cryptography",
    "eth_hash",
    "eth_keys",
    "http_message_signatures",
    "http_sf",
    "joserfc",
    "rfc8785",
    "rlp",
    "webauthn",
}
# Standard library, but clock, randomness, files, network or environment.
DENIED = {"asyncio", "os", "pathlib", "random", "secrets", "socket", "subprocess", "tempfile"} | {
    "time",
    "logging",
    "threading",
    "urllib",
    "sqlite3",
    "io",
}


def imported_roots(path: Path) -> set[str]:
    roots: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            module = node.module or ""
            if module.startswith("ledger_node"):
                assert module.startswith("ledger_node.core"), f"{path.name} imports {module}"
            roots.add(module.split(".")[0])
    return roots


def test_core_imports_only_the_allow_list() -> None:
    modules = sorted(CORE.rglob("*.py"))
    assert len(modules) >= 15
    allowed = ALLOWED | {"ledger_node"} | (sys.stdlib_module_names - DENIED)
    wrong = {path.name: extra for path in modules if (extra := imported_roots(path) - allowed)}
    assert not wrong


def test_core_reads_no_clock() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in sorted(CORE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "urandom"}
    ]
    assert not found


def test_import_rules_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stdout
    assert "0 broken" in run.stdout
