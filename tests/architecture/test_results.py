"""The results file of full mode, under one process and under xdist workers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.architecture.source import ROOT

pytest_plugins = ["pytester"]

PROBE = """
import pytest
from tests.results import note_faults, note_mutant

def test_good():
    note_faults("cut", 2)
    note_mutant("guard")

def test_also_good():
    note_faults("cut")
"""
SKIPPED = """
@pytest.mark.skip(reason={reason!r})
def test_left_out():
    pass
"""


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the plugin under test and xdist are loaded in the runs inside."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def run_probe(
    pytester: pytest.Pytester, source: str, workers: int = 0
) -> tuple[int, dict[str, Any]]:
    """One run over `source`; with workers in a process of its own, else within this one."""
    pytester.makepyfile(source)
    options = ["-q", "-p", "tests.results", "-p", "no:cacheprovider", "--results", "results.json"]
    if workers:
        options += ["-p", "xdist"]
        run = pytester.runpytest_subprocess(*options, "-n", str(workers), timeout=100)
    else:
        run = pytester.runpytest_inprocess(*options)
    return int(run.ret), json.loads((pytester.path / "results.json").read_text("utf-8"))


@pytest.mark.parametrize("workers", [0, 2])
def test_results_file_counts_faults_and_mutants_of_all_workers(
    pytester: pytest.Pytester, workers: int
) -> None:
    status, result = run_probe(pytester, PROBE, workers)
    assert status == 0
    assert result["counts"] == {"passed": 2, "failed": 0, "skipped": 0}
    assert result["faults_fired"] == {"cut": 3}
    assert [len(names) for names in result["mutants_killed"].values()] == [1]
    assert len(result["slowest"]) == 2
    assert result["commit"]


def test_expected_skip_passes_and_is_named(pytester: pytest.Pytester) -> None:
    reason = "Go is not on the PATH; this client is written in Go"
    status, result = run_probe(pytester, PROBE + SKIPPED.format(reason=reason))
    assert status == 0
    assert list(result["skips"].values()) == [reason]


@pytest.mark.parametrize("reason", ["", "not today"])
def test_unexpected_skip_fails_the_run(pytester: pytest.Pytester, reason: str) -> None:
    status, result = run_probe(pytester, PROBE + SKIPPED.format(reason=reason))
    assert status == 1
    assert len(result["unexpected_skips"]) == 1


def test_failing_test_is_counted(pytester: pytest.Pytester) -> None:
    status, result = run_probe(pytester, PROBE + "\ndef test_bad():\n    assert False\n")
    assert status == 1
    assert result["counts"]["failed"] == 1
    assert result["exit_status"] == 1


def test_nothing_collected_is_a_failure(pytester: pytest.Pytester) -> None:
    status, result = run_probe(pytester, "")
    assert status != 0
    assert result["counts"]["passed"] == 0
