"""Check rules no other tool knows: sizes, hosts, machine paths, open notes without an issue.

Run by `make check`. Prints each finding as `file:line: what` and ends with 1 when there is any.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE_LIMIT = 600
CORE_LIMIT = 300
CONTRACT_LIMIT = 400
SCRIPT_LIMIT = 100
FUNCTION_LIMIT = 60
FILE_LIMIT_BYTES = 1_000_000
PRODUCT = ("ledger_node/", "api/", "contracts/", "scripts/")
BINARY = {".pdf", ".jpg", ".png", ".ttf", ".woff2", ".parquet", ".db"}
# Spelled in pieces so that this file does not find itself.
FORBIDDEN = {
    "registry host": re.compile(
        r"https?://[a-z.-]*(?:pypi|python" + r"hosted|npm" + r"js|golang|crates|maven)\b"
    ),
    "path of one machine": re.compile(
        r"(?<![\w.])/(?:ho" + r"me|ro" + r"ot|Us" + r"ers|wo" + r"rk)/\w"
    ),
    "open note without an issue": re.compile(r"\bTO" + r"DO\b(?!\(\d+\))"),
}


def list_files() -> list[Path]:
    """Every file git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in names.stdout.splitlines() if (path := ROOT / name).is_file()]


def limit_of(path: Path) -> int | None:
    """Most lines a file may have; None where no limit is set."""
    name = path.relative_to(ROOT).as_posix()
    if name.startswith("ledger_node/core/"):
        return CORE_LIMIT
    if path.suffix == ".sol":
        return None if name.startswith("contracts/test") else CONTRACT_LIMIT
    if name.startswith("scripts/"):
        return SCRIPT_LIMIT if name.count("/") == 1 else MODULE_LIMIT
    return MODULE_LIMIT if path.suffix in {".py", ".go", ".ts"} else None


def find_long_functions(name: str, text: str) -> list[str]:
    """Functions of the product that are longer than anybody holds in mind."""
    if not name.endswith(".py") or not name.startswith(PRODUCT) or "/migrations/" in name:
        return []
    return [
        f"{name}:{node.lineno}: {node.name} has more than {FUNCTION_LIMIT} lines; split it"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LIMIT
    ]


def check_file(path: Path) -> list[str]:
    """Findings of one text file."""
    name = path.relative_to(ROOT).as_posix()
    if path.stat().st_size > FILE_LIMIT_BYTES:
        return [f"{name}:1: more than {FILE_LIMIT_BYTES} bytes"]
    if path.suffix in BINARY:
        return []
    text = path.read_text("utf-8")
    lines = text.splitlines()
    found = [
        f"{name}:{number}: {what}: {match.group()}"
        for number, line in enumerate(lines, 1)
        for what, pattern in FORBIDDEN.items()
        if (match := pattern.search(line))
    ]
    found += find_long_functions(name, text)
    limit = limit_of(path)
    if limit is not None and len(lines) > limit:
        found.append(f"{name}:{len(lines)}: more than {limit} lines; split it")
    return found


def main() -> int:
    """Check every file; exit code 1 when anything was found."""
    files = list_files()
    if len(files) < 20:
        print(f"only {len(files)} files were found: the check itself is broken")
        return 1
    findings = [finding for path in files for finding in check_file(path)]
    print("\n".join(findings) or f"{len(files)} files follow the repository's rules")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
