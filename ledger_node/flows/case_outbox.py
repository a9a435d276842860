"""Events for case systems, delivered at least once: retried with growing distance, then given up.

Step 10. Spec: docs/spec/systems.md, "Events". The receiver tells doubles by the event's `id` and
orders by `revision`: after a failure a later event may arrive first. A system without callback and
folder pulls by cursor; its events are never sent.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ledger_node.flows.node import Node
from ledger_node.ports.case_systems import CaseSystems, CaseSystemUnavailableError
from ledger_node.ports.database_cases import CaseEventRow

BATCH: Final = 50
FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 900.0
TRIES: Final = 40  # about eight hours, then a person looks


def resume_case_events(node: Node, systems: CaseSystems) -> int:
    """Deliver what is due; returns how many were taken."""
    now = node.clock.now()
    with node.database.read() as tx:
        due = tx.cases.list_due_events(now, BATCH)
    taken = 0
    silent: set[str] = set()
    for row in due:
        if row.system in silent:
            continue  # one silent system costs one time-out a turn
        taken += _deliver(node, systems, row, silent)
    return taken


def compute_wait_s(attempts: int, jitter: float) -> float:
    """Seconds until the next try.

    Args:
        attempts: Tries made, at least 1.
        jitter: From 0 to 1: half of the distance is spread, so that systems are not hit at once.
    """
    distance = min(FIRST_WAIT_S * 2.0 ** min(attempts - 1, 20), LONGEST_WAIT_S)
    return distance * (0.5 + 0.5 * jitter)


def _deliver(node: Node, systems: CaseSystems, row: CaseEventRow, silent: set[str]) -> int:
    to = systems.systems.get(row.system)
    if to is None or not (to.callback_origin or to.folder):
        _mark(node, row, row.attempts, None, None)  # it pulls
        return 0
    try:
        systems.deliver(row.system, row.event_id, row.body)
    except CaseSystemUnavailableError as error:
        silent.add(row.system)
        attempts = row.attempts + 1
        wait_s = compute_wait_s(attempts, node.entropy(1)[0] / 255)
        _mark(node, row, attempts, None if attempts >= TRIES else wait_s, str(error)[:200])
        return 0
    with node.database.transaction() as tx:
        tx.cases.mark_event(
            row.event_id,
            attempts=row.attempts + 1,
            next_at=None,
            delivered_at=node.clock.now(),
            problem=None,
        )
    return 1


def _mark(
    node: Node, row: CaseEventRow, attempts: int, wait_s: float | None, problem: str | None
) -> None:
    next_at = None if wait_s is None else node.clock.now() + timedelta(seconds=wait_s)
    with node.database.transaction() as tx:
        tx.cases.mark_event(
            row.event_id, attempts=attempts, next_at=next_at, delivered_at=None, problem=problem
        )
