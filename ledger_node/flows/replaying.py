"""Replays that an auditor asks for on a page: one at a time, in a worker of the node. Step 11.

The row is the job. A worker takes it with a token, says every second how far it is, and ends it
with a report. A replay reads everything anew and keeps nothing half-way: whoever takes a job up
whose process died begins it again, and after `MAX_ATTEMPTS` it is broken.

Invariants:
    * At most one replay is open (a unique slot in the database).
    * Only the holder of the token writes; who lost the job notices within a second and stops.
    * The report stored is `flows/auditing.py`'s, as RFC 8785 bytes; a replay that could not be
      finished has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from ledger_node.core.canonical import encode_canonical
from ledger_node.core.errors import ConflictError, LedgerError, NotFoundError
from ledger_node.flows.auditing import AuditReport, encode_report, replay_ledger
from ledger_node.flows.node import Node
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_exploring import ReplayRow, ReplayState

BEAT_S = 1.0
ORPHANED_AFTER = timedelta(seconds=30)
MAX_ATTEMPTS = 3
SAMPLE = 200
MAX_STAGE_CHARS = 64


class ReplayOpenError(ConflictError):
    """A replay is under way or waiting already.

    Fields: replay_id.
    """

    code = "replay_open"

    def __init__(self, replay_id: int | None) -> None:
        super().__init__(
            "已有一次重放正在进行，请等它结束，或先取消它。",
            "A replay is under way already; wait for it, or cancel it first.",
            replay_id=replay_id,
        )


class ReplayNotFoundError(NotFoundError):
    """There is no such replay, or it has no report."""

    code = "replay_not_found"

    def __init__(self) -> None:
        super().__init__(
            "没有这次重放，或它没有报告。", "There is no such replay, or it has no report."
        )


class ReplayOverError(ConflictError):
    """The replay has ended: there is nothing to cancel."""

    code = "replay_over"

    def __init__(self) -> None:
        super().__init__("这次重放已经结束。", "This replay has ended already.")


def request_replay(node: Node, account_id: str, *, sample: int | None = SAMPLE) -> int:
    """Ask for a replay; returns its id. A worker takes it up within seconds.

    Args:
        account_id: Who asks (pseudonym).
        sample: At most so many grants and statuses are read back from storage; all if None.

    Raises:
        ReplayOpenError: One is open.
    """
    now = node.clock.now()
    row = ReplayRow(
        replay_id=0, requested_by=account_id, requested_at=now, state=ReplayState.WAITING,
        sample=sample, cancel_asked=False, worker=None, attempts=0, stage="", done=0, total=0,
        started_at=None, beat_at=None, finished_at=None, as_of_block=None, blocks=None,
        events=None, entries=None, discrepancies=None, report=None, problem_code=None,
    )  # fmt: skip
    try:
        with node.database.transaction() as tx:
            return tx.replays.save_replay(row)
    except RowConflictError as error:
        with node.database.read() as tx:
            standing = tx.replays.find_open_replay()
        raise ReplayOpenError(None if standing is None else standing.replay_id) from error


def load_replay(node: Node, replay_id: int) -> ReplayRow:
    """One replay with its report.

    Raises:
        ReplayNotFoundError: There is none.
    """
    with node.database.read() as tx:
        row = tx.replays.load_replay(replay_id)
    if row is None:
        raise ReplayNotFoundError
    return row


def list_replays(node: Node, before: int | None, limit: int) -> list[ReplayRow]:
    """Newest first, without their reports."""
    with node.database.read() as tx:
        return tx.replays.list_replays(before, limit)


def cancel_replay(node: Node, replay_id: int) -> None:
    """Ask an open replay to end; its worker does so within seconds.

    Raises:
        ReplayNotFoundError: There is none.
        ReplayOverError: It ended.
    """
    with node.database.transaction() as tx:
        asked = tx.replays.ask_cancel(replay_id)
        known = tx.replays.load_replay(replay_id) is not None
    if not known:
        raise ReplayNotFoundError
    if not asked:
        raise ReplayOverError


def resume_replays(
    node: Node, worker: bytes, stopping: Callable[[], bool] = lambda: False
) -> ReplayRow | None:
    """One turn: take the open replay, if it is nobody's, and run it to its end.

    Effects: one commit to take it, one each second, one to end it. Start-up and loop call the
    same.

    Args:
        worker: Token of this process, 16 bytes.
        stopping: Whether the process ends; the job is then given back.

    Returns:
        The replay as this turn left it; None when there was nothing to do.
    """
    row = _take(node, worker)
    if row is None or row.state is not ReplayState.RUNNING:
        return row
    watch = _Watch(node, row, stopping)
    log = structlog.get_logger().bind(city=node.city, replay=row.replay_id)
    try:
        report = _run(node, row, watch)
    except _EndedEarlyError as ended:
        after = ended.row
    except LedgerError as error:
        after = _finish(node, watch.row, ReplayState.FAILED, problem_code=error.code)
    else:
        after = _finish_done(node, watch.row, report)
    with node.database.transaction() as tx:
        moved = tx.replays.advance_replay(watch.row, after)
    log.info("replay_ended", state=after.state.value, kept=moved, code=after.problem_code)
    return after if moved else None


def _take(node: Node, worker: bytes) -> ReplayRow | None:
    """The open replay, now this worker's or ended; None when it is somebody's or none is open."""
    with node.database.read() as tx:
        row = tx.replays.find_open_replay()
    now = node.clock.now()
    if row is None or not _is_free(row, now - ORPHANED_AFTER, worker):
        return None
    if row.cancel_asked:
        after = _finish(node, row, ReplayState.CANCELLED)
    elif row.attempts >= MAX_ATTEMPTS:
        after = _finish(node, row, ReplayState.BROKEN)
    else:
        after = replace(
            row, state=ReplayState.RUNNING, worker=worker, attempts=row.attempts + 1,
            stage="", done=0, total=0, started_at=now, beat_at=now,
        )  # fmt: skip
    with node.database.transaction() as tx:
        return after if tx.replays.advance_replay(row, after) else None


def _is_free(row: ReplayRow, beat_before: datetime, worker: bytes) -> bool:
    if row.state is ReplayState.WAITING:
        return True
    return row.worker == worker or row.beat_at is None or row.beat_at < beat_before


def _run(node: Node, row: ReplayRow, watch: _Watch) -> AuditReport:
    return replay_ledger(
        node.chain,
        node.contracts,
        node.profile,
        node.domain,
        node.peers.fetch_log_file,
        database=node.database,
        sample=row.sample,
        progress=watch.told,
    )


class _EndedEarlyError(Exception):
    """The replay ends without a report; carries the row as it should stand."""

    def __init__(self, row: ReplayRow) -> None:
        super().__init__(row.state.value)
        self.row = row


@dataclass
class _Watch:
    """Says how far the replay is, and looks whether it should go on, about once a second."""

    node: Node
    row: ReplayRow
    stopping: Callable[[], bool]
    last_s: float = float("-inf")

    def told(self, stage: str, done: int, total: int) -> None:
        """Progress of the replay.

        Raises:
            _EndedEarlyError: It is cancelled, the process ends, or the job is another's by now.
        """
        now_s = self.node.clock.monotonic_s()
        if now_s - self.last_s < BEAT_S:
            return
        self.last_s = now_s
        after = replace(
            self.row, stage=stage[:MAX_STAGE_CHARS], done=done, total=total,
            beat_at=self.node.clock.now(),
        )  # fmt: skip
        with self.node.database.transaction() as tx:
            kept = tx.replays.advance_replay(self.row, after)
            stored = tx.replays.load_replay(self.row.replay_id)
        if not kept or stored is None:
            raise _EndedEarlyError(self.row)
        self.row = after
        if stored.cancel_asked:
            raise _EndedEarlyError(_finish(self.node, after, ReplayState.CANCELLED))
        if self.stopping():
            raise _EndedEarlyError(
                replace(after, state=ReplayState.WAITING, worker=None, attempts=after.attempts - 1)
            )


def _finish(
    node: Node, row: ReplayRow, state: ReplayState, *, problem_code: str | None = None
) -> ReplayRow:
    return replace(
        row, state=state, worker=None, finished_at=node.clock.now(), problem_code=problem_code
    )


def _finish_done(node: Node, row: ReplayRow, report: AuditReport) -> ReplayRow:
    return replace(
        _finish(node, row, ReplayState.DONE),
        as_of_block=int(report.as_of.number),
        blocks=report.blocks,
        events=report.events,
        entries=report.entries,
        discrepancies=report.discrepancy_count,
        report=encode_canonical(encode_report(report)),
    )
