"""T14: invariants and fuzz tests of the contracts, run by forge (64×50; TONGBAN_FULL=1: 1,000×500).

Fails, never skips, where forge is expected (linux x86_64). Other platforms have no pinned forge.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.anvil import FORGE

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = sys.platform == "linux" and platform.machine() == "x86_64"
FULL = bool(os.environ.get("TONGBAN_FULL"))
LIMIT_S = 3_600 if FULL else 110
RUNS, CALLS = (1_000, 500_000) if FULL else (64, 3_200)
INVARIANTS = {
    "invariant_headIsWhatOnlyTheOwnerAnchored()",
    "invariant_revokedNeverReturnsAndUsesAddUp()",
    "invariant_onlyVotesChangeMembersAndContracts()",
    "invariant_onlyVotesPublishAndNothingPublishedChanges()",
}
OTHERS = {
    "test_fuzz_anchorRefusesAnyOtherRoot(uint64,uint64,bytes32)",
    "test_consume_isReachedByTheHandler()",
    "test_execute_isReachedByTheHandler()",
    "test_publish_isReachedByTheHandler()",
}


@pytest.mark.skipif(not EXPECTED, reason="no pinned forge for this platform")
@pytest.mark.timeout(LIMIT_S + 10)
def test_forge_invariants_hold(tmp_path: Path) -> None:
    assert FORGE.exists(), "forge is missing: run npm ci"
    environment = os.environ | {
        "FOUNDRY_PROFILE": "full" if FULL else "default",
        "FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR": str(tmp_path / "invariant"),
        "FOUNDRY_FUZZ_FAILURE_PERSIST_DIR": str(tmp_path / "fuzz"),
    }
    run = subprocess.run(
        [str(FORGE), "test", "--offline", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    results = _parse_results(run.stdout)
    failures = {name: r["reason"] for name, r in results.items() if r["status"] != "Success"}
    assert not failures, failures
    assert run.returncode == 0, run.stderr[-2_000:]
    assert set(results) == INVARIANTS | OTHERS
    for name in INVARIANTS:
        kind = results[name]["kind"]["Invariant"]
        assert (kind["runs"], kind["calls"], kind["reverts"]) == (RUNS, CALLS, 0), name


def _parse_results(output: str) -> dict[str, dict]:
    """Test name -> result; forge prints one line of JSON, possibly after lines of its own."""
    line = next((text for text in output.splitlines() if text.startswith('{"tests/')), None)
    assert line is not None, output[-2_000:]
    suites = json.loads(line).values()
    return {name: result for suite in suites for name, result in suite["test_results"].items()}
