"""What a whole run showed, written as JSON by the process that collects all reports.

`--results FILE` (what `make test-full` gives) is full mode: counts, skips with their reasons,
faults that fired, guards whose mutant a test killed, the slowest tests, commit and seed. In full
mode a run fails that collected nothing, or skipped a test without a reason that is expected here.

Tests say what happened with `note_faults` and `note_mutant`; both work in xdist workers, because
they travel as properties of the test's own report.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
SLOWEST: Final = 25
FAULTS, MUTANT = "faults_fired", "mutant_killed"
# Reasons for which a test may be skipped in full mode: the machine lacks a tool.
EXPECTED_SKIPS: Final = (
    re.compile(r"Go is not on the PATH"),
    re.compile(r"system calls are traced on Linux, x86_64 and aarch64"),
    re.compile(r"no pinned forge for this platform"),
    re.compile(r"pins anvil for linux on x86_64 only"),
    re.compile(r"the corpus of real files is not here"),
)
_running: list[pytest.Item] = []


def note_faults(kind: str, count: int = 1) -> None:
    """Say that `count` injected faults of a kind fired in the running test."""
    if _running:
        _running[-1].user_properties.append((FAULTS, [kind, count]))


def note_mutant(guard: str) -> None:
    """Say that the running test removed a guard and saw itself or another check fail."""
    if _running:
        _running[-1].user_properties.append((MUTANT, guard))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", help="full mode: write what the run showed to this file")


def pytest_configure(config: pytest.Config) -> None:
    target = config.getoption("--results")
    if target and not hasattr(config, "workerinput"):
        config.pluginmanager.register(ResultsWriter(config, Path(target)), "tongban-results")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def read_commit() -> str:
    """The commit under test, with `+` when files differ from it."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.strip()


class ResultsWriter:
    """Gathers reports in the collecting process."""

    def __init__(self, config: pytest.Config, target: Path) -> None:
        self._config, self._target = config, target
        self._began_s = time.monotonic()
        self.outcomes: dict[str, str] = {}
        self.seconds: Counter[str] = Counter()
        self.skips: dict[str, str] = {}
        self.faults: Counter[str] = Counter()
        self.mutants: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid
        self.seconds[name] += report.duration
        if report.failed:
            self.outcomes[name] = "failed"
        elif report.skipped:
            self.outcomes.setdefault(name, "skipped")
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self.skips[name] = reason.removeprefix("Skipped: ")
        elif report.when == "call":
            self.outcomes.setdefault(name, "passed")
        if report.when == "teardown":
            self._take_properties(name, report.user_properties)

    def _take_properties(self, name: str, properties: list[tuple[str, object]]) -> None:
        for key, value in properties:
            if key == FAULTS and isinstance(value, list | tuple):
                self.faults[str(value[0])] += int(value[1])
            elif key == MUTANT:
                self.mutants.setdefault(str(value), set()).add(name)

    def list_unexpected_skips(self) -> dict[str, str]:
        """Skips whose reason is empty or not one of the expected ones."""
        return {
            name: reason
            for name, reason in sorted(self.skips.items())
            if not any(expected.search(reason) for expected in EXPECTED_SKIPS)
        }

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        unexpected = self.list_unexpected_skips()
        if session.exitstatus == pytest.ExitCode.OK and (unexpected or not self.outcomes):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        counts = Counter(self.outcomes.values())
        slowest = sorted(self.seconds.items(), key=lambda each: -each[1])[:SLOWEST]
        result = {
            "commit": read_commit(),
            "seed": self._config.getoption("hypothesis_seed", None) or "fixed in each test",
            "exit_status": int(session.exitstatus),
            "seconds": round(time.monotonic() - self._began_s, 1),
            "load_average": os.getloadavg()[0],
            "counts": {key: counts[key] for key in ("passed", "failed", "skipped")},
            "skips": dict(sorted(self.skips.items())),
            "unexpected_skips": unexpected,
            "faults_fired": dict(sorted(self.faults.items())),
            "mutants_killed": {key: sorted(names) for key, names in sorted(self.mutants.items())},
            "slowest": [{"test": name, "seconds": round(s, 2)} for name, s in slowest],
        }
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._target.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for name, reason in self.list_unexpected_skips().items():
            terminalreporter.write_line(f"UNEXPECTED SKIP {name}: {reason or 'no reason'}")
        terminalreporter.write_line(f"results: {self._target}")
