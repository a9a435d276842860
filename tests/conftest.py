"""Plugins of the whole test run."""

pytest_plugins = [
    "tests.determinism",
    "tests.scheduling",
    "tests.fixtures.postgres",
    "tests.results",
]
