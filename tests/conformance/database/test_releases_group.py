"""Group `releases` on both databases: a row per side, moved only from the state it was in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger_node.core.types import CityId, GrantId
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_exchange import ReleaseRow

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DIGEST = b"d" * 32


def release(direction: str = "outgoing", state: str = "answered") -> ReleaseRow:
    return ReleaseRow(
        request_digest=DIGEST,
        direction=direction,
        city=CityId("510700"),
        grant_id=GrantId(b"g" * 32),
        state=state,
        request=b"{}",
        request_message=b"",
        answer=b"answer",
        answer_message=None,
        release_salt=None,
        release_commitment=None,
        sealed_secrets=None,
        acknowledgement=None,
        outbox_id=None,
        problem_code=None,
        created_at=NOW,
        updated_at=NOW,
    )


def test_save_release_twice_conflicts_but_each_side_has_its_own(database: Any) -> None:
    with database.transaction() as tx:
        tx.releases.save_release(release())
        tx.releases.save_release(release("incoming"))
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.releases.save_release(replace(release(), answer=b"another"))
    with database.read() as tx:
        assert tx.releases.load_release(DIGEST, "outgoing") == release()


def test_advance_release_from_a_state_it_left_changes_nothing(database: Any) -> None:
    before, after = release(), release(state="consume_signed")
    with database.transaction() as tx:
        tx.releases.save_release(before)
        tx.releases.save_release(release("incoming"))
        assert tx.releases.advance_release(before, after)
        assert not tx.releases.advance_release(before, release(state="refused"))
    with database.read() as tx:
        assert tx.releases.load_release(DIGEST, "outgoing") == after
        assert tx.releases.load_release(DIGEST, "incoming") == release("incoming")
