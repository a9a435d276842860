"""Which tests share a worker: a file, or a folder whose tests share one running consortium.

Founding a consortium or starting a chain takes seconds, so tests that use the same one go to one
worker. (Marks cannot say so: the pinned runner computes node ids in a way that hides them.)
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ONE_WORKER = ("tests/integration/way/", "tests/integration/exchange/", "tests/unit/papers/")
# Long files whose tests share nothing: each test goes wherever there is room.
ANY_WORKER = (
    "tests/integration/test_crashes.py",
    "tests/integration/chain/",
    "tests/unit/",
    "tests/fuzz/",
)


class SharedScheduling(LoadScopeScheduling):
    """Work units are files, but for the folders named above."""

    def _split_scope(self, nodeid: str) -> str:
        for folder in ONE_WORKER:
            if nodeid.startswith(folder):
                return folder
        if nodeid.startswith(ANY_WORKER):
            return nodeid
        return nodeid.split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> SharedScheduling:
    """The scheduler of every parallel run."""
    return SharedScheduling(config, log)
