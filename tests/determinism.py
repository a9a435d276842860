"""The same examples in every run: Hypothesis draws constants out of whatever modules are loaded,
and which those are depends on the tests a worker ran before. With `derandomize` they are none."""

from __future__ import annotations

from hypothesis.internal.conjecture import providers


def pytest_configure() -> None:
    """Runs once per worker, before any example is drawn."""
    empty = providers._local_constants
    assert not len(empty)
    providers._get_local_constants = lambda: empty
