"""One founded, running consortium for all tests of this folder; founding takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.postgres import PostgresServer
from tests.integration.way.story import Way, running_way


@pytest.fixture(scope="session")
def way(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
    postgres_template: str,
) -> Iterator[Way]:
    database = postgres_server.create_database(postgres_template)
    with running_way(tmp_path_factory.mktemp("way"), database) as running:
        yield running
