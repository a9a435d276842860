"""Plugins of the whole test run."""

pytest_plugins = ["tests.scheduling", "tests.fixtures.postgres", "tests.results"]
