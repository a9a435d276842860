"""Steps 6 to 8 by themselves: after the one signature each city's step goes on until it ends.

Find -> record the grant, only if the city has something -> request the release -> fetch, check,
acknowledge. Each arrow is a state of the step's row (`core/reuse.py`); `pursue_step` is both the
loop and the start after a crash.

Crash orders. Find row, `access` entry and step in one commit -> sent: sent again it is the same
find. Recording is linked to its grant by `granting`, so that it happens once. Release request and
step in one commit -> pursued: asked again it is the same request.

Invariants:
    * No step waits for another: a silent city ends its own step after its own deadline.
    * A step that takes longer than STEP_LIMIT_S says so; what arrives later still counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from ledger_node.core.anchor import TxState
from ledger_node.core.catalogue import Catalogue, Need
from ledger_node.core.errors import LedgerError, UnavailableError
from ledger_node.core.find_messages import Candidate
from ledger_node.core.needs import choose_candidates
from ledger_node.core.release import IncomingState
from ledger_node.core.release_request import RequestedMaterial
from ledger_node.core.reuse import (
    PURSUED,
    STEP_LIMIT_S,
    WAITED_FOR,
    RunEvent,
    RunState,
    StepEvent,
    StepState,
    advance_run,
    advance_step,
    decide_run_event,
)
from ledger_node.core.statement import get_statement_type
from ledger_node.core.types import CityId
from ledger_node.flows.finding import prepare_find, send_find
from ledger_node.flows.granting import GrantRecordedError, load_grant, record_grant
from ledger_node.flows.holdings import list_candidates
from ledger_node.flows.node import Node
from ledger_node.flows.receiving import prepare_release, pursue_release
from ledger_node.flows.window import (
    SHOWN_FIELDS,
    Run,
    RunMovedError,
    open_visit,
    read_run,
    take_up_signatures,
)
from ledger_node.ports.database import RowConflictError, Transaction
from ledger_node.ports.database_reuse import RunRow, StepRow

MAX_SIDE_BY_SIDE: Final = 12
_ARRIVED = (IncomingState.ACKNOWLEDGED,)
_REFUSED = (IncomingState.REFUSED, IncomingState.REJECTED, IncomingState.DESTROYED)


@dataclass
class ReuseTurns:
    """Pursues all open steps of one process side by side; a slow city takes its own thread only.

    What is under way is remembered to save work, never to be right: two processes that pursue one
    step meet in its row.
    """

    node: Node
    catalogue: Catalogue
    _pool: ThreadPoolExecutor = field(init=False)
    _busy: set[tuple[str, CityId]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(MAX_SIDE_BY_SIDE, "reuse")

    def turn(self) -> None:
        """Take up signatures, give every open step that nobody works on to a thread, settle runs;
        returns at once."""
        take_up_signatures(self.node)
        with self.node.database.read() as tx:
            steps = tx.reuse.list_steps_in(PURSUED)
        for step in steps:
            key = step.run_id, step.city
            with self._lock:
                if key in self._busy:
                    continue
                self._busy.add(key)
            self._pool.submit(self._pursue, key)
        settle_runs(self.node)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _pursue(self, key: tuple[str, CityId]) -> None:
        try:
            pursue_step(self.node, self.catalogue, *key)
        except LedgerError as error:
            structlog.get_logger().warning("reuse_waits", city=self.node.city, code=error.code)
        finally:
            with self._lock:
                self._busy.discard(key)


def resume_reusing(node: Node, catalogue: Catalogue) -> int:
    """One turn over all open steps, one after the other; returns how many moved."""
    with node.database.read() as tx:
        steps = tx.reuse.list_steps_in(PURSUED)
    moved = sum(
        pursue_step(node, catalogue, step.run_id, step.city).state != step.state for step in steps
    )
    return moved + settle_runs(node)


def pursue_step(node: Node, catalogue: Catalogue, run_id: str, city: CityId) -> StepRow:
    """Take one step as far as it goes now; idempotent.

    A refusal of our own checks or of the chain ends it with its code; what does not answer leaves
    it where it is until its time is over.
    """
    row = _load_step(node, run_id, city)
    while row.state in PURSUED:
        before = row
        try:
            row = _STEPS[StepState(row.state)](node, catalogue, row)
        except UnavailableError as error:
            return _wait(node, row, error.code)
        except (RunMovedError, RowConflictError, GrantRecordedError):
            return _load_step(node, run_id, city)  # somebody else was first: their row counts
        except LedgerError as error:
            return _move(node, row, StepEvent.REFUSED, problem_code=error.code)
        if row.state == before.state:
            return _wait(node, row, row.problem_code)
    return row


def settle_runs(node: Node) -> int:
    """Move runs whose steps came to an end; returns how many moved."""
    with node.database.read() as tx:
        rows = tx.reuse.list_runs_in(RunState.RUNNING) + tx.reuse.list_runs_in(RunState.READY)
    return sum(settle_run(node, row) for row in rows)


def settle_run(node: Node, row: RunRow) -> bool:
    """Move one run by what its steps came to together; nothing is written while nothing moved."""
    with node.database.read() as tx:
        seen = [StepState(step.state) for step in tx.reuse.list_steps(row.run_id)]
    if decide_run_event(RunState(row.state), seen) is None:
        return False
    with node.database.transaction() as tx:
        steps = [StepState(step.state) for step in tx.reuse.list_steps(row.run_id)]
        event = decide_run_event(RunState(row.state), steps)
        if event is None:
            return False
        state = advance_run(RunState(row.state), event)
        return tx.reuse.advance_run(row, replace(row, state=state, updated_at=node.clock.now()))


def ask_again(node: Node, run: Run, city: CityId) -> Run:
    """Ask a silent city once more, by a new find under the same signature.

    Raises:
        IllegalTransitionError: It was not silent, or the run is over.
        RunMovedError: The run went on meanwhile.
    """
    now = node.clock.now()
    with node.database.transaction() as tx:
        step = tx.reuse.load_step(run.row.run_id, city)
        state = advance_step(StepState(step.state), StepEvent.ASKED_AGAIN)
        again = replace(
            step,
            state=state,
            find_digest=None,
            problem_code=None,
            started_at=now,
            updated_at=now,
            settled_at=None,
        )
        moved = tx.reuse.advance_step(step, again)
        if run.state is RunState.READY:
            after = advance_run(run.state, RunEvent.ASKED_AGAIN)
            moved = moved and tx.reuse.advance_run(
                run.row, replace(run.row, state=after, updated_at=now)
            )
        if not moved:
            raise RunMovedError
        return read_run(node, tx, run.row.run_id)


def _store_find(node: Node, catalogue: Catalogue, row: StepRow) -> StepRow:
    """CONSENTED: find and step in one commit."""
    del catalogue
    officer = _load_run(node, row).officer

    def link(tx: Transaction, digest: bytes) -> None:
        _swap(node, tx, row, StepEvent.FIND_STORED, find_digest=digest)

    prepare_find(node, row.grant_id, officer, link=link)
    return _load_step(node, row.run_id, row.city)


def _send_find(node: Node, catalogue: Catalogue, row: StepRow) -> StepRow:
    """ASKING: send, or take the answer that is there."""
    assert row.find_digest is not None  # ASKING carries one
    outcome = send_find(node, row.find_digest)
    if outcome.outcome == "silent":
        return _move(node, row, StepEvent.NO_ANSWER)
    if outcome.outcome != "answered":
        return _move(node, row, StepEvent.REFUSED, problem_code=outcome.outcome)
    chosen = _choose(node, catalogue, row)
    return _move(node, row, StepEvent.FOUND_SOMETHING if chosen else StepEvent.NOTHING_FOUND)


def _record(node: Node, catalogue: Catalogue, row: StepRow) -> StepRow:
    """FOUND: only now the grant goes on chain."""
    del catalogue
    with node.database.read() as tx:
        revoked = tx.chain.find_revocation(row.grant_id)
    if revoked is not None:
        return _move(node, row, StepEvent.REFUSED, problem_code="grant_revoked")
    record_grant(node, row.grant_id)
    return _move(node, row, StepEvent.RECORD_STORED)


def _request(node: Node, catalogue: Catalogue, row: StepRow) -> StepRow:
    """RECORDING: once the grant is final, the release request and the step in one commit."""
    with node.database.read() as tx:
        recorded = tx.chain.find_grant(row.grant_id)
        revoked = tx.chain.find_revocation(row.grant_id)
    if revoked is not None:
        return _move(node, row, StepEvent.REFUSED, problem_code="grant_revoked")
    if recorded is None:
        return _look_at_transaction(node, row)
    materials = [
        RequestedMaterial(each.commitment, _positions_of(each), tuple(range(each.document_count)))
        for each in _choose(node, catalogue, row)
    ]

    def link(tx: Transaction, digest: bytes) -> None:
        _swap(node, tx, row, StepEvent.REQUEST_STORED, request_digest=digest)

    prepare_release(node, row.grant_id, materials, _load_run(node, row).officer, link)
    return _load_step(node, row.run_id, row.city)


def _look_at_transaction(node: Node, row: StepRow) -> StepRow:
    """The grant is not there yet: on its way, or refused by the chain for good."""
    outbox_id = load_grant(node, row.grant_id).outbox_id
    if outbox_id is None:
        return row
    with node.database.read() as tx:
        sent = tx.outbox.load_transaction(outbox_id)
    if sent.state is TxState.FAILED:
        return _move(node, row, StepEvent.REFUSED, problem_code="grant_not_recorded")
    return row


def _pursue_release(node: Node, catalogue: Catalogue, row: StepRow) -> StepRow:
    """REQUESTED (or LATE): what became of the release."""
    if row.request_digest is None:
        return _request(node, catalogue, row)
    release = pursue_release(node, row.request_digest)
    if release.state in _ARRIVED:
        return _move(node, row, StepEvent.RELEASE_ARRIVED, problem_code=None)
    if release.state in _REFUSED:
        code = release.problem_code or "release_refused"
        return _move(node, row, StepEvent.REFUSED, problem_code=code)
    return row


_Step = Callable[[Node, Catalogue, StepRow], StepRow]
_STEPS: Mapping[StepState, _Step] = {
    StepState.CONSENTED: _store_find,
    StepState.ASKING: _send_find,
    StepState.FOUND: _record,
    StepState.RECORDING: _request,
    StepState.REQUESTED: _pursue_release,
    StepState.LATE: _pursue_release,
}


def list_asked_needs(catalogue: Catalogue, run: RunRow, node: Node) -> tuple[Need, ...]:
    """Needs of the run's item that its signature asks other cities for."""
    visit = open_visit(node, run)
    if visit.item is None:
        return ()
    asked = set(visit.asked)
    return tuple(need for need in catalogue.get_item(visit.item).needs if asked & set(need.any_of))


def _choose(node: Node, catalogue: Catalogue, row: StepRow) -> tuple[Candidate, ...]:
    needs = list_asked_needs(catalogue, _load_run(node, row), node)
    return choose_candidates(needs, list_candidates(node, row))


def _positions_of(candidate: Candidate) -> tuple[int, ...]:
    kind = get_statement_type(candidate.type_code, candidate.type_version)
    return tuple(sorted(kind.position_of(name) for name in SHOWN_FIELDS))


def _wait(node: Node, row: StepRow, code: str | None) -> StepRow:
    """Nothing moved: note what it waits for, and end the wait when its time is over."""
    over_s = (node.clock.now() - row.started_at).total_seconds() - STEP_LIMIT_S
    if over_s >= 0 and row.state in WAITED_FOR:
        return _move(node, row, StepEvent.TIME_OVER, problem_code=code)
    return row


def _load_run(node: Node, row: StepRow) -> RunRow:
    with node.database.read() as tx:
        return tx.reuse.load_run(row.run_id)


def _load_step(node: Node, run_id: str, city: CityId) -> StepRow:
    with node.database.read() as tx:
        return tx.reuse.load_step(run_id, city)


def _after(node: Node, row: StepRow, event: StepEvent, changes: Mapping[str, object]) -> StepRow:
    state = advance_step(StepState(row.state), event)
    now = node.clock.now()
    settled = row.settled_at or (None if state in WAITED_FOR else now)
    return replace(row, state=state, updated_at=now, settled_at=settled, **changes)  # type: ignore[arg-type]


def _swap(
    node: Node, tx: Transaction, row: StepRow, event: StepEvent, **changes: object
) -> StepRow:
    after = _after(node, row, event, changes)
    if not tx.reuse.advance_step(row, after):
        raise RunMovedError
    return after


def _move(node: Node, row: StepRow, event: StepEvent, **changes: object) -> StepRow:
    """Move a step by compare-and-swap; what another process did instead wins."""
    after = _after(node, row, event, changes)
    with node.database.transaction() as tx:
        if tx.reuse.advance_step(row, after):
            return after
    return _load_step(node, row.run_id, row.city)
