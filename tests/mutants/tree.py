"""A copy of the repository in which guards are taken out, one at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.table import Mutant

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {
    ".git", ".venv", ".stamps", ".ci", "node_modules", "build", "cache", "out", "__pycache__",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis",
}  # fmt: skip
LIMIT_S = 900


class Tree:
    """The copy; imports and child processes of tests that run in it use it and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(ROOT, path, ignore=lambda _, names: LEFT_OUT.intersection(names))
        (path / "node_modules").symlink_to(ROOT / "node_modules")
        packages = Path("verifier", "node_modules")
        (path / packages).symlink_to(ROOT / packages)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the interpreter in the copy."""
        environment = os.environ | {"PYTHONPATH": str(self.path), "PYTHONDONTWRITEBYTECODE": "1"}
        environment = {
            name: value for name, value in environment.items() if not name.startswith("PYTEST")
        }
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def test(self, nodes: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run tests; exit code 0 when all pass, 1 when one fails."""
        return self.run(
            *("-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider"),
            f"--basetemp={self.path}.tmp",
            *nodes,
        )

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """Take one guard out for the duration of the block."""
        file = self.path / mutant.file
        source = file.read_text("utf-8")
        compiled = self.path / "contracts" / "abi"
        kept = self.path / "contracts" / "abi.kept"
        assert source.count(mutant.snippet) == 1, f"{mutant.name}: the snippet is not there once"
        try:
            file.write_text(source.replace(mutant.snippet, mutant.replacement), "utf-8")
            if file.suffix == ".sol" and "test_forge" not in mutant.test:
                shutil.copytree(compiled, kept)
                done = self.run("scripts/compile_contracts.py")
                assert done.returncode == 0, done.stdout + done.stderr
            yield
        finally:
            file.write_text(source, "utf-8")
            if kept.exists():
                shutil.rmtree(compiled)
                kept.rename(compiled)
