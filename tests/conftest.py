"""Plugins of the whole test run."""

pytest_plugins = [
    "tests.scratch",
    "tests.determinism",
    "tests.own_streams",
    "tests.quick_passwords",
    "tests.scheduling",
    "tests.fixtures.postgres",
    "tests.results",
]
