"""Group `log` on both databases: the head row as fence, indexes, checkpoints, halts."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ledger_node.core.types import Commitment, RootHash
from ledger_node.ports.database import (
    Database,
    EntryNotFoundError,
    RowConflictError,
    StaleHeadError,
)
from ledger_node.ports.database_log import LogHead, PublishedCheckpoint

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, tzinfo=UTC)
EMPTY = RootHash(hashlib.sha256(b"").digest())


def root(text: str) -> RootHash:
    return RootHash(hashlib.sha256(text.encode()).digest())


def append(database: Database, count: int, prefix: str = "e") -> list[int]:
    with database.transaction() as tx:
        return [
            tx.intake.append_entry(3, Commitment(root(f"{prefix}{i}")), b"s", NOW)
            for i in range(count)
        ]


def open_log(database: Database) -> LogHead:
    with database.transaction() as tx:
        return tx.log.open_generation(0, EMPTY, NOW)


def test_open_generation_twice_keeps_the_head(database: Database) -> None:
    first = open_log(database)
    ids = append(database, 2)
    with database.transaction() as tx:
        tx.log.assign_indexes(first, ids, 2, root("two"))
    assert open_log(database) == LogHead(0, 2, root("two"), 0)


def test_load_head_without_a_log_raises_not_found(database: Database) -> None:
    with database.read() as tx, pytest.raises(EntryNotFoundError):
        tx.log.load_head()


def test_load_head_newest_generation_wins(database: Database) -> None:
    open_log(database)
    with database.transaction() as tx:
        tx.log.open_generation(1, EMPTY, NOW)
    with database.read() as tx:
        assert tx.log.load_head().generation == 1


def test_assign_indexes_numbers_in_the_order_given(database: Database) -> None:
    head = open_log(database)
    ids = append(database, 7)
    with database.transaction() as tx:
        tx.log.assign_indexes(head, ids[:3], 3, root("three"))
        tx.log.assign_indexes(LogHead(0, 3, root("three"), 0), ids[3:6], 6, root("six"))
    with database.read() as tx:
        assert tx.log.load_head() == LogHead(0, 6, root("six"), 0)
        leaves = tx.log.list_leaves(0, 0, 6)
        assert [leaf.entry_id for leaf in leaves] == ids[:6]
        assert [leaf.leaf_index for leaf in leaves] == list(range(6))
        assert [leaf.entry_id for leaf in tx.log.list_leaves(0, 2, 4)] == ids[2:4]
        assert [row.entry_id for row in tx.log.list_pending(10)] == ids[6:]
        assert tx.log.count_pending() == 1
        assert tx.log.find_leaf(Commitment(root("e4"))) == leaves[4]
        assert tx.log.find_leaf(Commitment(root("e6"))) is None


@pytest.mark.parametrize(
    "stale",
    [
        LogHead(0, 1, EMPTY, 0),
        LogHead(0, 0, root("other"), 0),
        LogHead(0, 0, EMPTY, 1),
        LogHead(1, 0, EMPTY, 0),
    ],
    ids=["size", "root", "writer term", "generation"],
)
def test_assign_indexes_from_another_head_raises_stale(database: Database, stale: LogHead) -> None:
    open_log(database)
    ids = append(database, 1)
    with pytest.raises(StaleHeadError), database.transaction() as tx:
        tx.log.assign_indexes(stale, ids, stale.size + 1, root("one"))
    with database.read() as tx:
        assert tx.log.count_pending() == 1
        assert tx.log.load_head() == LogHead(0, 0, EMPTY, 0)


def test_assign_indexes_entry_that_has_one_raises_conflict(database: Database) -> None:
    head = open_log(database)
    ids = append(database, 2)
    with database.transaction() as tx:
        tx.log.assign_indexes(head, ids[:1], 1, root("one"))
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.log.assign_indexes(LogHead(0, 1, root("one"), 0), ids, 3, root("three"))
    with database.read() as tx:
        assert tx.log.load_head().size == 1
        assert tx.log.count_pending() == 1


def test_assign_indexes_size_that_does_not_fit_raises_stale(database: Database) -> None:
    head = open_log(database)
    ids = append(database, 2)
    with pytest.raises(StaleHeadError), database.transaction() as tx:
        tx.log.assign_indexes(head, ids, 3, root("three"))


def test_take_writer_term_fences_the_writer_before(database: Database) -> None:
    old = open_log(database)
    ids = append(database, 1)
    with database.transaction() as tx:
        new = tx.log.take_writer_term(0)
    assert new == LogHead(0, 0, EMPTY, 1)
    with pytest.raises(StaleHeadError), database.transaction() as tx:
        tx.log.assign_indexes(old, ids, 1, root("one"))
    with database.transaction() as tx:
        tx.log.assign_indexes(new, ids, 1, root("one"))


def test_assign_indexes_two_writers_at_once_one_wins(
    open_test_database: Callable[[], Database],
) -> None:
    databases = [open_test_database(), open_test_database()]
    head = open_log(databases[0])
    ids = append(databases[0], 4)
    gate = threading.Barrier(2)
    outcomes: list[str] = []

    def write(number: int) -> None:
        gate.wait()
        try:
            with databases[number].transaction() as tx:
                tx.log.assign_indexes(head, ids, 4, root(f"writer {number}"))
            outcomes.append(f"writer {number}")
        except StaleHeadError:
            outcomes.append("stale")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert outcomes.count("stale") == 1
    (winner,) = [outcome for outcome in outcomes if outcome != "stale"]
    with databases[0].read() as tx:
        assert tx.log.load_head().root == root(winner)
        assert len(tx.log.list_leaves(0, 0, 4)) == 4


def test_save_checkpoint_repeats_are_kept_once_and_another_root_is_refused(
    database: Database,
) -> None:
    open_log(database)
    checkpoint = PublishedCheckpoint(0, 3, root("three"), b"note", NOW)
    with database.transaction() as tx:
        tx.log.lock_head(0)
        tx.log.save_checkpoint(checkpoint)
        tx.log.save_checkpoint(checkpoint)
        tx.log.save_checkpoint(PublishedCheckpoint(0, 2, root("two"), b"older", NOW))
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.log.save_checkpoint(PublishedCheckpoint(0, 3, root("forged"), b"note", NOW))
    with database.read() as tx:
        assert tx.log.load_latest_checkpoint(0) == checkpoint
        assert tx.log.find_checkpoint(0, 3) == checkpoint
        assert tx.log.find_checkpoint(0, 4) is None
        assert tx.log.load_latest_checkpoint(1) is None


def test_latch_halt_stands_once_until_a_person_clears_it(database: Database) -> None:
    with database.transaction() as tx:
        tx.log.latch_halt("tile_conflict", "first", NOW)
        tx.log.latch_halt("tile_conflict", "again", NOW)
        tx.log.latch_halt("reorg", "deep", NOW)
    with database.transaction() as tx:
        assert [(h.reason, h.detail) for h in tx.log.list_halts()] == [
            ("tile_conflict", "first"),
            ("reorg", "deep"),
        ]
        assert tx.log.clear_halt("tile_conflict", "Wang Fang", NOW)
        assert not tx.log.clear_halt("tile_conflict", "Wang Fang", NOW)
    with database.transaction() as tx:
        tx.log.latch_halt("tile_conflict", "a year later", NOW)
    with database.read() as tx:
        assert {h.reason for h in tx.log.list_halts()} == {"tile_conflict", "reorg"}
        every = tx.log.list_halts(standing_only=False)
        assert [(h.reason, h.cleared_by) for h in every] == [
            ("tile_conflict", "Wang Fang"),
            ("reorg", None),
            ("tile_conflict", None),
        ]
