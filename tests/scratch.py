"""What a test process keeps where: files of test cities in memory when there is room, as the test
databases do, and everything imported out of the garbage collector's way.

Processes that are killed lose nothing of a file system in memory; what an interrupted machine
loses is counted from the system calls (`test_durability.py`), never from a disk.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ROOM_BYTES = 6 << 30
ROOT = "PYTEST_DEBUG_TEMPROOT"  # the runner's own name for it; its workers inherit it


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder before the first test asks for one."""
    if config.option.basetemp or ROOT in os.environ or not MEMORY.is_dir():
        return
    if shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        return
    os.environ[ROOT] = os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None  # asked for again, with the new environment


def pytest_collection_finish() -> None:
    """Modules and tests stay for good: neither the collector nor a forked city walks them again."""
    gc.collect()
    gc.freeze()
