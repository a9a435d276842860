"""The second verifier is built before it is tested, if its sources are newer than what is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

VERIFIER = Path(__file__).resolve().parents[2] / "verifier"
BUILT = VERIFIER / "dist" / "conformance.js"
LIMIT_S = 60


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """`make verifier` also checks types; here the bundler is enough."""
    sources = [each for each in (VERIFIER / "src").rglob("*") if each.is_file()]
    newest = max(each.stat().st_mtime for each in sources)
    if not BUILT.exists() or BUILT.stat().st_mtime < newest:
        subprocess.run(["node", "build.mjs"], cwd=VERIFIER, timeout=LIMIT_S, check=True)
