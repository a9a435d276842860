"""Group `replays` on both databases: one open job, moved only by who holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_exploring import ReplayRow, ReplayState

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
WAITING = ReplayRow(
    replay_id=0, requested_by="account-1", requested_at=NOW, state=ReplayState.WAITING,
    sample=200, cancel_asked=False, worker=None, attempts=0, stage="", done=0, total=0,
    started_at=None, beat_at=None, finished_at=None, as_of_block=None, blocks=None, events=None,
    entries=None, discrepancies=None, report=None, problem_code=None,
)  # fmt: skip


def save(database: Any) -> ReplayRow:
    with database.transaction() as tx:
        return replace(WAITING, replay_id=tx.replays.save_replay(WAITING))


def test_save_replay_second_open_one_conflicts_until_the_first_has_ended(database: Any) -> None:
    row = save(database)
    with pytest.raises(RowConflictError):
        save(database)
    done = replace(row, state=ReplayState.DONE, report=b"{}", finished_at=NOW)
    with database.transaction() as tx:
        assert tx.replays.find_open_replay() == row
        assert tx.replays.advance_replay(row, done)
    again = save(database)
    with database.read() as tx:
        assert tx.replays.find_open_replay() == again
        assert tx.replays.load_replay(row.replay_id) == done


def test_advance_replay_by_who_lost_the_job_changes_nothing(database: Any) -> None:
    row = save(database)
    mine = replace(row, state=ReplayState.RUNNING, worker=b"m" * 16, attempts=1, beat_at=NOW)
    theirs = replace(mine, worker=b"t" * 16, attempts=2)
    with database.transaction() as tx:
        assert tx.replays.advance_replay(row, mine)
        assert not tx.replays.advance_replay(row, theirs)
        assert tx.replays.advance_replay(mine, theirs)
        assert not tx.replays.advance_replay(mine, replace(mine, done=5))
        liar = replace(theirs, worker=b"m" * 16)  # knows the attempt, but does not hold the job
        assert not tx.replays.advance_replay(liar, replace(liar, done=5))
        assert tx.replays.load_replay(row.replay_id) == theirs


def test_ask_cancel_is_kept_when_the_worker_tells_its_progress(database: Any) -> None:
    row = save(database)
    running = replace(row, state=ReplayState.RUNNING, worker=b"m" * 16, attempts=1)
    with database.transaction() as tx:
        tx.replays.advance_replay(row, running)
        assert tx.replays.ask_cancel(row.replay_id)
        assert tx.replays.advance_replay(running, replace(running, done=5, total=9))
        stored = tx.replays.load_replay(row.replay_id)
        assert (stored.cancel_asked, stored.done) == (True, 5)
        assert tx.replays.advance_replay(
            replace(running, done=5), replace(running, state=ReplayState.CANCELLED, worker=None)
        )
        assert not tx.replays.ask_cancel(row.replay_id)


def test_list_replays_newest_first_by_pages_and_without_reports(database: Any) -> None:
    ids = []
    for _ in range(5):
        row = save(database)
        with database.transaction() as tx:
            tx.replays.advance_replay(row, replace(row, state=ReplayState.DONE, report=b"{}"))
        ids.append(row.replay_id)
    with database.read() as tx:
        first = tx.replays.list_replays(None, 3)
        second = tx.replays.list_replays(first[-1].replay_id, 3)
    assert [row.replay_id for row in (*first, *second)] == ids[::-1]
    assert {row.report for row in first} == {None}
