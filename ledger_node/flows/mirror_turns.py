"""When other cities' logs are looked at: at once when a head is new, seldom otherwise.

An idle turn is one database read. A log in which nothing is wrong is asked for its checkpoint once
per look interval; trouble is looked at again after a second, then at twice the distance each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

from ledger_node.core.errors import MalformedInputError
from ledger_node.core.types import CityId
from ledger_node.flows.mirroring import list_logs, mirror_log
from ledger_node.flows.node import Node
from ledger_node.flows.witnessing import collect_cosignatures, list_incomplete
from ledger_node.ports.database_mirrors import NewestHead
from ledger_node.ports.peers import PeerUnavailableError

FIRST_DELAY_S: Final = 1.0


@dataclass
class _Pace:
    """When something is due; `delay_s` doubles while it does not succeed."""

    size: int
    due_s: float = 0.0
    delay_s: float = 0.0

    def wait(self, now_s: float, longest_s: float) -> None:
        """Try again, later each time."""
        self.delay_s = min(max(2 * self.delay_s, FIRST_DELAY_S), longest_s)
        self.due_s = now_s + self.delay_s

    def rest(self, now_s: float, interval_s: float) -> None:
        """All is well: look again after the interval."""
        self.delay_s, self.due_s = 0.0, now_s + interval_s


class MirrorTurns:
    """The mirror loop of one process; what it remembers is only when to look next."""

    def __init__(self, node: Node, look_interval_s: float, promise_s: int) -> None:
        self._node = node
        self._interval_s = look_interval_s
        self._promise_s = promise_s
        self._logs: dict[tuple[CityId, int], _Pace] = {}
        self._witnesses: dict[CityId, _Pace] = {}
        self._heads: list[NewestHead] = []

    def turn(self) -> None:
        """Look at the logs that are due, then for cosignatures that are missing."""
        heads = list_logs(self._node)
        newest = {head.city: head.generation for head in heads}  # ordered by generation
        for head in heads:
            self._watch(head, closed=head.generation != newest[head.city])
        self._collect()

    def _watch(self, head: NewestHead, *, closed: bool) -> None:
        key, size = (head.city, head.generation), head.tree_head.size
        pace = self._logs.get(key)
        if pace is None or pace.size != size:
            pace = self._logs[key] = _Pace(size)
        now_s = self._node.clock.monotonic_s()
        if now_s < pace.due_s:
            return
        if mirror_log(self._node, head, self._promise_s):
            pace.wait(now_s, self._interval_s)
        else:
            pace.rest(now_s, float("inf") if closed else self._interval_s)

    def _collect(self) -> None:
        with self._node.database.read() as tx:
            heads = tx.mirrors.list_newest_heads()
        if heads != self._heads:
            self._heads = heads
            self._witnesses = {city: _Pace(0) for city in list_incomplete(self._node)}
        now_s = self._node.clock.monotonic_s()
        due = [city for city, pace in self._witnesses.items() if now_s >= pace.due_s]
        for city in due:
            self._ask(city)
        if due:
            incomplete = list_incomplete(self._node)
            self._witnesses = {c: p for c, p in self._witnesses.items() if c in incomplete}

    def _ask(self, witness: CityId) -> None:
        try:
            collect_cosignatures(self._node, witness)
        except (PeerUnavailableError, MalformedInputError) as error:
            structlog.get_logger().info(
                "cosignatures_wait", city=self._node.city, peer=witness, code=error.code
            )
        self._witnesses[witness].wait(self._node.clock.monotonic_s(), self._interval_s)
