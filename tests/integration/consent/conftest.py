"""Wuhou, Mianyang and Xiong'an in this process, on a copy of the stock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.consortium import Consortium, running_consortium
from tests.support.stock import make_stock


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    path = tmp_path_factory.mktemp("consent")
    with running_consortium(make_stock().template, path) as running:
        running.turn()
        yield running
