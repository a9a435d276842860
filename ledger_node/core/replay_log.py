"""Replay of one city's log: every anchored head recomputed from the log's own entries.

Step 11 of the data flow (entry bundles -> roots -> compared with the chain). Streams: memory holds
one bundle and the peaks of the tree. Spec: docs/spec/replay.md.

Invariants:
    * A head the chain holds is explained only by entries that lead to exactly its root; entries
      that are missing are *withheld*, entries that lead elsewhere are a *fork*.
Not here: fetching bundles (edges), what entries commit to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger_node.core.entry import parse_entry
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.merkle import EMPTY_RANGE, CompactRange, TreeHead, hash_leaves
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode
from ledger_node.core.types import HASH_BYTES, CityId


@dataclass(frozen=True, slots=True)
class LogReplay:
    """Outcome of replaying one log.

    Attributes:
        entries_read: Entries that were offered and counted.
        heads_explained: Anchored heads whose root the entries lead to.
        discrepancies: Everything found wrong, in the order of the log.
    """

    entries_read: int
    heads_explained: int
    discrepancies: tuple[Discrepancy, ...]


def replay_log(
    city: CityId, generation: int, bundles: Iterable[Sequence[bytes]], heads: Iterable[TreeHead]
) -> LogReplay:
    """Recompute every anchored head of one generation of a city's log.

    Args:
        city, generation: Whose log, for the places of discrepancies.
        bundles: Entries in log order, in portions of any size.
        heads: Heads the chain holds for this generation, in any order; a head may stand twice.
    """
    wanted = sorted(set(heads), key=lambda head: (head.size, head.root))
    found: list[Discrepancy] = []
    explained = 0
    tree = EMPTY_RANGE
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
    while head is not None:
        found.append(
            Discrepancy(
                DiscrepancyCode.LOG_WITHHELD,
                _place(city, generation, head.size),
                f"the chain holds this head, the log shows only {tree.size} entries",
            )
        )
        head = next(waiting, None)
    return LogReplay(tree.size, explained, tuple(found))


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
