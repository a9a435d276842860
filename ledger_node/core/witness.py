"""What watching another city's log found: pure decisions over what was observed.

Step 10 of the data flow (watch), promises P2 and P8. Spec: docs/spec/mirror.md. An observation is
what one round saw of one log; findings are what is wrong with it. A fork is latched: only a
person ends it. The others end by themselves when the log is right again; their rows stay.

Invariants:
    * Nothing smaller is ever cosigned after something larger, and nothing while a fork stands.
    * A city that cannot be reached is not accused of anything before `SILENCE_S`.
Not here: checking files (mirror.py), asking for them (flows/mirroring.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import CityId

SILENCE_S: Final = 600


class FindingKind(StrEnum):
    """What is wrong with a log; the value is stored and shown."""

    FORKED = "forked"  # two histories: signed, anchored or served
    SHRUNK = "shrunk"  # serves less than it anchored
    WITHHELD = "withheld"  # anchored, and no files explain it
    LATE = "late"  # signed, and not anchored within the promise
    SILENT = "silent"  # does not answer at all


LATCHED: Final = frozenset({FindingKind.FORKED})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why files or a checkpoint could not be taken; `detail` says it for people."""

    kind: FindingKind
    detail: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What one round saw of one log.

    Attributes:
        anchored: Newest head at a final block; None before the first.
        mirrored: Largest head all of whose files were checked here.
        served: Newest head the city signed and served; None if it was not to be had.
        seen: Largest signed head ever seen that was not anchored then, and when it was first
            seen (block time, s); None if there was none.
        troubles: What went wrong on the way.
        silent_since_s: Since when the city does not answer; None if it does.
        now_s: This node's clock.
        chain_now_s: Time of the newest block taken in: while the chain stands still nobody is late.
        promise_s: Longest time from a signed head to its anchor.
    """

    anchored: TreeHead | None
    mirrored: TreeHead
    served: TreeHead | None
    seen: tuple[TreeHead, int] | None
    troubles: tuple[Trouble, ...]
    silent_since_s: int | None
    now_s: int
    chain_now_s: int
    promise_s: int


def judge_log(seen: Observation) -> dict[FindingKind, str]:
    """What is wrong with a log, each with its reason; empty when all is well."""
    found = {trouble.kind: trouble.detail for trouble in reversed(seen.troubles)}
    anchored, served = seen.anchored, seen.served
    if anchored is not None and served is not None:
        if served.size < anchored.size:
            found[FindingKind.SHRUNK] = f"serves {served.size} entries, anchored {anchored.size}"
        elif served.size == anchored.size and served.root != anchored.root:
            found[FindingKind.FORKED] = (
                f"signed root {served.root.hex()} of size {served.size}, "
                f"anchored {anchored.root.hex()}"
            )
    if is_late(seen):
        assert seen.seen is not None  # is_late says so
        found[FindingKind.LATE] = f"signed {seen.seen[0].size} entries and did not anchor them"
    if seen.silent_since_s is not None:
        silent_s = seen.now_s - seen.silent_since_s
        found[FindingKind.SILENT] = "does not answer"
        if silent_s >= SILENCE_S and anchored is not None and seen.mirrored.size < anchored.size:
            found[FindingKind.WITHHELD] = f"silent while {anchored.size} entries are anchored"
    return found


def is_late(seen: Observation) -> bool:
    """Whether a signed head is older than the promise by the chain's time, and not anchored."""
    if seen.seen is None:
        return False
    head, first_seen_s = seen.seen
    covered = seen.anchored is not None and seen.anchored.size >= head.size
    return not covered and seen.chain_now_s - first_seen_s > seen.promise_s


def may_cosign(head: TreeHead, largest: int, standing: Iterable[FindingKind]) -> bool:
    """Whether a head that was recomputed from its files may be cosigned.

    Args:
        largest: Size of the largest head of this log cosigned so far, 0 before the first.
        standing: Findings that stand against the log.
    """
    if any(kind in LATCHED for kind in standing):
        return False
    return head.size > largest


@dataclass(frozen=True, slots=True)
class FindingChanges:
    """What a round changes in the rows: findings that begin, and kinds that end by themselves."""

    begun: Mapping[FindingKind, str]
    ended: frozenset[FindingKind]


def compare_findings(
    standing: Iterable[FindingKind], found: Mapping[FindingKind, str]
) -> FindingChanges:
    """What to add and what to end; a latched finding is never ended here."""
    known = frozenset(standing)
    return FindingChanges(
        {kind: detail for kind, detail in found.items() if kind not in known},
        known - found.keys() - LATCHED,
    )


@dataclass(frozen=True, slots=True)
class Witnessed:
    """By whom a head was cosigned, out of those who could.

    Attributes:
        by: Members that cosigned this head or a later one of the same log.
        of: Members in good standing other than the log's own city.
    """

    by: frozenset[CityId]
    of: frozenset[CityId]

    @property
    def count(self) -> tuple[int, int]:
        """n of m."""
        return len(self.by & self.of), len(self.of)


def count_witnesses(
    size: int, cosigned: Mapping[CityId, int], city: CityId, good_standing: Iterable[CityId]
) -> Witnessed:
    """By whom a head of `size` leaves of `city`'s log was cosigned.

    Args:
        cosigned: Largest head of the log each member cosigned; a cosigner checked that each head
            continues the one before, so a later one stands for every earlier one.
    """
    of = frozenset(good_standing) - {city}
    by = frozenset(member for member, largest in cosigned.items() if largest >= size)
    return Witnessed(by - {city}, of)
