"""One running set of cities for the modules of this folder that kill them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cities import Cities, running_cities
from tests.support.stock import make_stock


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cities]:
    with running_cities(make_stock(), tmp_path_factory.mktemp("cities")) as running:
        yield running
