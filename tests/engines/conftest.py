"""One server of each kind for the whole run; every test has its own part of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger_node.edges.documents import StagedStore
from tests.engines.servers import Server, run_kubo, run_versitygw

_parts = itertools.count()
STARTS = {"s3": run_versitygw, "ipfs": run_kubo}


@pytest.fixture(scope="session", params=["s3", "ipfs"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with STARTS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def part() -> str:
    return f"part-{next(_parts)}"


@pytest.fixture
def open_store(server: Server, tmp_path: Path, part: str) -> Iterator[Callable[[], StagedStore]]:
    """Opens the same store again, as another process would."""
    opened: list[StagedStore] = []

    def open_again() -> StagedStore:
        opened.append(server.open_store(tmp_path / "spool", part=part))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()
