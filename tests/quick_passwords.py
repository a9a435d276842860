"""Passwords of test accounts are hashed with little work; `test_sessions.py` looks at ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from ledger_node.flows import accounts

build_own_hasher = accounts._hasher
_quick = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


@pytest.fixture(scope="session", autouse=True)
def _hash_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", lambda: _quick)
        yield
