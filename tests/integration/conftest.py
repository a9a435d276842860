"""Cities for the tests of this folder; each runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.flows.intake import IntakeQueue
from ledger_node.flows.node import Node
from tests.integration.city import close_city, open_city


@pytest.fixture
def city(tmp_path: Path, database_url: str) -> Iterator[Node]:
    node = open_city(tmp_path, database_url)
    yield node
    close_city(node)


@pytest.fixture
def queue(city: Node) -> IntakeQueue:
    return IntakeQueue(city)
