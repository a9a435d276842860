"""Running cities that look at each other often; the first one can be told to lie."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cities import TURN_S, Cities, running_cities
from tests.support.liars import Liar
from tests.support.stock import BYSTANDER, ISSUER, RELIER, make_stock


@pytest.fixture(scope="package")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cities]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TONGBAN_MIRROR_LOOK_INTERVAL_S", "0.3")
        environment.setenv("TONGBAN_ANCHORING_PROMISE_S", "60")
        with running_cities(make_stock(), tmp_path_factory.mktemp("cities")) as running:
            running.mirror_turn_s = TURN_S
            running.start(ISSUER, Liar(running.path / ISSUER).around)
            running.start(RELIER)
            running.start(BYSTANDER)
            yield running


@pytest.fixture
def liar(cities: Cities) -> Liar:
    return Liar(cities.path / ISSUER)
