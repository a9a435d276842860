"""The committed gas table is exact, and an anchor stays cheap however large the log is."""

from __future__ import annotations

import pytest

from tests.contracts.gas import ANCHOR_STEPS, TABLE, build_table, measure_anchors


@pytest.fixture(scope="module")
def anchors() -> dict[tuple[int, int], tuple[int, int, int]]:
    return measure_anchors()


def test_gas_table_is_fresh() -> None:
    assert TABLE.read_text("utf-8") == build_table(), "run python -m tests.contracts.gas"


@pytest.mark.parametrize(("old", "new"), ANCHOR_STEPS)
def test_anchor_after_the_first_stays_in_its_limit(
    anchors: dict[tuple[int, int], tuple[int, int, int]], old: int, new: int
) -> None:
    total, lookups, hashes = anchors[old, new]
    assert hashes >= 1
    assert 8_000 < lookups < 15_000
    assert total - lookups <= (47_900 if new <= 65_536 else 55_000)
