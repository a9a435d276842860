"""Plugins of the whole test run."""

pytest_plugins = ["tests.fixtures.postgres", "tests.results"]
