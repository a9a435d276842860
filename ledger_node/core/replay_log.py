"""Replay of one city's log: every anchored head recomputed from the log's own entries.

Step 11 of the data flow (entry bundles -> roots -> compared with the chain). Streams: memory holds
one bundle and the peaks of the tree. Spec: docs/spec/replay.md.

Invariants:
    * A head the chain holds is explained only by entries that lead to exactly its root; entries
      that are missing are *withheld*, entries that lead elsewhere are a *fork*.
Not here: fetching bundles (edges), what entries commit to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ledger_node.core.entry import ENTRY_BYTES, ENTRY_VERSION, EntryKind, parse_entry
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.merkle import EMPTY_RANGE, CompactRange, TreeHead, hash_leaves
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode
from ledger_node.core.types import HASH_BYTES, CityId


@dataclass(frozen=True, slots=True)
class LogReplay:
    """Outcome of replaying one log.

    Attributes:
        tree: Of the entries that were offered and counted.
        heads_explained: Anchored heads whose root the entries lead to.
        discrepancies: Everything found wrong, in the order of the log.
    """

    tree: CompactRange
    heads_explained: int
    discrepancies: tuple[Discrepancy, ...]

    @property
    def entries_read(self) -> int:
        """Entries that were offered and counted."""
        return self.tree.size


NOTHING_READ = LogReplay(EMPTY_RANGE, 0, ())
_STARTS = frozenset(bytes((ENTRY_VERSION, kind)) for kind in EntryKind)


def replay_log(
    city: CityId,
    generation: int,
    bundles: Iterable[Sequence[bytes]],
    heads: Iterable[TreeHead],
    *,
    begun: LogReplay = NOTHING_READ,
    tell: Callable[[LogReplay], None] | None = None,
) -> LogReplay:
    """Recompute every anchored head of one generation of a city's log.

    Args:
        city, generation: Whose log, for the places of discrepancies.
        bundles: Entries in log order, in portions of any size.
        heads: Heads the chain holds for this generation, in any order; a head may stand twice.
        begun: Where an earlier replay of the same log stood; `bundles` go on behind its entries,
            and heads up to its size have been looked at.
        tell: Told after every portion where the replay stands: a later one can begin there.
    """
    wanted = sorted(set(heads), key=lambda head: (head.size, head.root))
    wanted = [head for head in wanted if head.size > begun.tree.size]
    found = list(begun.discrepancies)
    explained = begun.heads_explained
    tree = begun.tree
    waiting = iter(wanted)
    head = next(waiting, None)
    for entries in bundles:
        found += _check_entries(city, generation, tree.size, entries)
        leaves = hash_leaves(entries)
        while head is not None and head.size <= tree.size + len(entries):
            upto = tree.append(leaves[: (head.size - tree.size) * HASH_BYTES])
            if _explains(city, generation, upto, head, found):
                explained += 1
            head = next(waiting, None)
        tree = tree.append(leaves)
        if tell is not None:
            tell(LogReplay(tree, explained, tuple(found)))
    while head is not None:
        found.append(
            Discrepancy(
                DiscrepancyCode.LOG_WITHHELD,
                _place(city, generation, head.size),
                f"the chain holds this head, the log shows only {tree.size} entries",
            )
        )
        head = next(waiting, None)
    return LogReplay(tree, explained, tuple(found))


def _place(city: CityId, generation: int, size: int) -> str:
    return f"log {city}/{generation} size {size}"


def _explains(
    city: CityId, generation: int, tree: CompactRange, head: TreeHead, found: list[Discrepancy]
) -> bool:
    root = tree.compute_root()
    if root == head.root:
        return True
    found.append(
        Discrepancy(
            DiscrepancyCode.LOG_FORKED,
            _place(city, generation, head.size),
            f"the entries lead to root {root.hex()}, the chain holds {head.root.hex()}",
        )
    )
    return False


def _check_entries(
    city: CityId, generation: int, first: int, entries: Sequence[bytes]
) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    for offset, entry in enumerate(entries):
        if len(entry) == ENTRY_BYTES and entry[:2] in _STARTS:
            continue
        try:
            parse_entry(entry)
        except MalformedInputError as error:
            found.append(
                Discrepancy(
                    DiscrepancyCode.LOG_ENTRY_MALFORMED,
                    f"log {city}/{generation} leaf {first + offset}",
                    error.message_en,
                )
            )
    return found
