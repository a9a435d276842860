"""Replays that an auditor asks for: one at a time, carried by a worker, kept or given back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ledger_node.core.errors import UnavailableError
from ledger_node.flows import replaying
from ledger_node.flows.node import Node
from ledger_node.flows.replaying import (
    MAX_ATTEMPTS,
    ORPHANED_AFTER,
    ReplayNotFoundError,
    ReplayOpenError,
    ReplayOverError,
    cancel_replay,
    load_replay,
    request_replay,
    resume_replays,
)
from ledger_node.ports.database_exploring import OPEN_REPLAYS, ReplayState
from tests.integration.way.story import Way

pytestmark = [pytest.mark.integration]
MINE, THEIRS = b"m" * 16, b"t" * 16


@pytest.fixture(params=["sqlite", "postgres"])
def node(way: Way, request: pytest.FixtureRequest) -> Iterator[Node]:
    node = way.issuer if request.param == "sqlite" else way.relier
    way.consortium.turn()
    yield node
    with node.database.read() as tx:
        row = tx.replays.find_open_replay()
    if row is not None:
        cancel_replay(node, row.replay_id)
        while resume_replays(node, row.worker or MINE) is None:
            pass


@pytest.fixture
def told_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every report of progress is written, so that short replays are looked at too."""
    monkeypatch.setattr(replaying, "BEAT_S", 0.0)


def test_resume_replays_runs_to_a_clean_report_and_keeps_its_bytes(node: Node) -> None:
    replay_id = request_replay(node, "account-1")
    done = resume_replays(node, MINE)
    assert done is not None
    assert (done.state, done.discrepancies, done.problem_code) == (ReplayState.DONE, 0, None)
    stored = load_replay(node, replay_id)
    assert stored.report is not None
    report = json.loads(stored.report)
    assert report["clean"] is True
    assert report["events"] == stored.events > 0
    assert report["database_rows"] > 0  # this node's own rows were compared too
    assert resume_replays(node, MINE) is None  # nothing more to do


def test_request_replay_second_one_waits_for_the_first(node: Node) -> None:
    first = request_replay(node, "account-1")
    with pytest.raises(ReplayOpenError) as refused:
        request_replay(node, "account-2")
    assert refused.value.fields["replay_id"] == first
    resume_replays(node, MINE)
    assert request_replay(node, "account-2") > first


def test_cancel_replay_before_and_while_it_runs_ends_it_without_report(
    node: Node, told_always: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = request_replay(node, "account-1")
    cancel_replay(node, waiting)
    ended = resume_replays(node, MINE)
    assert ended is not None
    assert ended.state is ReplayState.CANCELLED

    running = request_replay(node, "account-1")

    def cancel_first() -> bool:
        if not load_replay(node, running).cancel_asked:
            cancel_replay(node, running)
        return False

    ended = resume_replays(node, MINE, cancel_first)
    assert ended is not None
    assert (ended.state, ended.report) == (ReplayState.CANCELLED, None)
    with pytest.raises(ReplayOverError):
        cancel_replay(node, running)
    with pytest.raises(ReplayNotFoundError):
        cancel_replay(node, 10**9)


def test_resume_replays_process_that_ends_gives_the_job_back(node: Node, told_always: None) -> None:
    replay_id = request_replay(node, "account-1")
    given_back = resume_replays(node, MINE, lambda: True)
    assert given_back is not None
    assert (given_back.state, given_back.worker) == (ReplayState.WAITING, None)
    assert given_back.attempts == 0
    done = resume_replays(node, THEIRS)
    assert done is not None
    assert (done.replay_id, done.state) == (replay_id, ReplayState.DONE)


def take(node: Node, worker: bytes, age: timedelta) -> None:
    """A worker took the open replay and was last heard of so long ago."""

    with node.database.transaction() as tx:
        row = tx.replays.find_open_replay()
        assert row is not None
        beat = node.clock.now() - age
        after = replace(
            row, state=ReplayState.RUNNING, worker=worker, attempts=row.attempts + 1, beat_at=beat
        )
        assert tx.replays.advance_replay(row, after)


def test_resume_replays_job_of_a_living_worker_is_left_alone(node: Node) -> None:
    replay_id = request_replay(node, "account-1")
    take(node, THEIRS, timedelta(seconds=5))
    assert resume_replays(node, MINE) is None
    row = load_replay(node, replay_id)
    assert (row.state, row.worker) == (ReplayState.RUNNING, THEIRS)
    cancel_replay(node, replay_id)
    resume_replays(node, THEIRS)


def test_resume_replays_job_of_a_dead_worker_is_begun_again_and_broken_in_the_end(
    node: Node,
) -> None:
    request_replay(node, "account-1")
    long_ago = ORPHANED_AFTER + timedelta(seconds=1)
    take(node, THEIRS, long_ago)
    again = resume_replays(node, MINE)
    assert again is not None
    assert (again.state, again.attempts) == (ReplayState.DONE, 2)

    broken = request_replay(node, "account-1")
    for _ in range(MAX_ATTEMPTS):
        take(node, THEIRS, long_ago)
    ended = resume_replays(node, MINE)
    assert ended is not None
    assert (ended.replay_id, ended.state) == (broken, ReplayState.BROKEN)


def test_resume_replays_worker_that_lost_the_job_stops_and_changes_nothing(
    node: Node, told_always: None
) -> None:
    replay_id = request_replay(node, "account-1")

    def lose() -> bool:
        if load_replay(node, replay_id).worker == MINE:
            take(node, THEIRS, timedelta())
        return False

    assert resume_replays(node, MINE, lose) is None
    row = load_replay(node, replay_id)
    assert (row.state, row.worker) == (ReplayState.RUNNING, THEIRS)
    assert row.state in OPEN_REPLAYS
    cancel_replay(node, replay_id)
    resume_replays(node, THEIRS)


def test_resume_replays_silent_endpoint_fails_with_its_code(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object, **__: object) -> None:
        raise UnavailableError("没有应答", "silent")

    request_replay(node, "account-1")
    monkeypatch.setattr(replaying, "replay_ledger", silent)
    ended = resume_replays(node, MINE)
    assert ended is not None
    assert (ended.state, ended.problem_code) == (ReplayState.FAILED, "unavailable")
