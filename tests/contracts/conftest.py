"""Fixtures of the contract tests: a fresh consortium of five cities for every test."""

import pytest

from tests.contracts.consortium import Consortium


@pytest.fixture(scope="session")
def built_consortium():
    return Consortium()


@pytest.fixture
def consortium(built_consortium):
    return built_consortium.fork()
