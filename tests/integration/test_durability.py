"""T4: what is acknowledged was synced. Killing a process does not test it (the kernel keeps what
was written), so the calls that make it durable are counted, file by file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration import registering_program, sync_tracer

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        os.uname().sysname != "Linux" or os.uname().machine not in sync_tracer.SYNC_CALLS,
        reason="system calls are traced on Linux, x86_64 and aarch64",
    ),
]
REPOSITORY = Path(__file__).parents[2]


def run_traced(root: Path, writes: int, threads: int) -> tuple[dict[str, int], dict[str, int]]:
    """Register under the tracer; returns (what the program said, syncs by kind of file)."""
    program = [sys.executable, registering_program.__file__, str(root), str(writes), str(threads)]
    ran = subprocess.run(
        [sys.executable, sync_tracer.__file__, *program],
        capture_output=True,
        timeout=100,
        check=False,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]},
    )
    assert ran.returncode == 0, ran.stderr.decode()
    by_path = json.loads(ran.stderr.splitlines()[-1])
    kinds = {"database": "city.sqlite-wal", "keys": "keys/keystore.db", "documents": "documents/"}
    return json.loads(ran.stdout), {
        kind: sum(calls for path, calls in by_path.items() if path.startswith(f"{root}/{part}"))
        for kind, part in kinds.items()
    }


@pytest.fixture
def root(tmp_path: Path, sqlite_template: Path) -> Path:
    shutil.copy(sqlite_template, tmp_path / "city.sqlite")
    return tmp_path


def test_register_one_after_the_other_syncs_every_store_for_every_receipt(root: Path) -> None:
    said, syncs = run_traced(root, writes=12, threads=1)
    assert said == {"acknowledged": 12, "commits": 12}
    for kind, calls in syncs.items():
        assert calls >= 12, kind


def test_register_many_at_once_shares_syncs_but_syncs_every_commit(root: Path) -> None:
    said, syncs = run_traced(root, writes=64, threads=8)
    assert said["acknowledged"] == 64
    assert said["commits"] < 64
    for kind, calls in syncs.items():
        assert calls >= said["commits"], kind
    assert syncs["database"] < 64
