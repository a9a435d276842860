"""Copying a log: broken off anywhere it goes on, and nothing unchecked is ever kept."""

from __future__ import annotations

import pytest

from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead
from ledger_node.core.mirror import TileContradictionError
from ledger_node.core.types import RootHash, TreeSize
from ledger_node.flows import log_copy
from ledger_node.flows.log_copy import copy_log
from ledger_node.ports.peers import LogFileRefusedError, PeerUnavailableError
from tests.fakes.memory_tiles import MemoryTiles
from tests.reference.topics.logs import build_files
from tests.reference.topics.merkle import make_entries
from tests.reference.tree import mth

ALL = make_entries(700)
FILES = {size: build_files(ALL[:size]) for size in (300, 700)}
HEADS = {size: TreeHead(TreeSize(size), RootHash(mth(ALL[:size]))) for size in FILES}


class Log:
    """A served log that falls silent after a number of answers, and counts them."""

    def __init__(self, files: dict[str, bytes], answers: int = 10**9) -> None:
        self.files, self.left, self.asked = files, answers, 0

    def read(self, path: str) -> bytes:
        if self.left == 0:
            raise PeerUnavailableError("510107", "silent")
        self.left -= 1
        self.asked += 1
        if path not in self.files:
            raise LogFileRefusedError("510107", "HTTP 404")
        return self.files[path]


def test_copy_log_broken_off_after_any_answer_goes_on_and_fetches_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_copy, "BATCH_FILES", 2)
    whole = copy_log(Log(FILES[700]).read, MemoryTiles(), EMPTY_TREE_HEAD, HEADS[700])
    assert whole == len(FILES[700])
    for answers in range(whole):
        store = MemoryTiles()
        with pytest.raises(PeerUnavailableError):
            copy_log(Log(FILES[700], answers).read, store, EMPTY_TREE_HEAD, HEADS[700])
        kept = dict(store.files)
        assert kept.items() <= FILES[700].items()  # only what the head explains
        edge = 2  # fetched each time: it is what the rest is checked against
        assert len(kept) >= max(0, answers - 1) // 2 * 2 or answers <= edge
        log = Log(FILES[700])
        copy_log(log.read, store, EMPTY_TREE_HEAD, HEADS[700])
        assert store.files == FILES[700]
        assert log.asked <= whole - max(0, len(kept) - edge)


def test_copy_log_of_a_grown_log_fetches_only_what_is_new() -> None:
    store = MemoryTiles()
    copy_log(Log(FILES[300]).read, store, EMPTY_TREE_HEAD, HEADS[300])
    log = Log(FILES[700])
    copy_log(log.read, store, HEADS[300], HEADS[700])
    assert log.asked == len(FILES[700].keys() - FILES[300].keys())
    assert store.files == FILES[300] | FILES[700]


def test_copy_log_changed_file_keeps_nothing_of_it() -> None:
    for path, data in FILES[700].items():
        store = MemoryTiles()
        changed = {**FILES[700], path: data[:-1] + bytes([data[-1] ^ 1])}
        with pytest.raises(TileContradictionError):
            copy_log(Log(changed).read, store, EMPTY_TREE_HEAD, HEADS[700])
        assert store.files.items() <= FILES[700].items()


def test_copy_log_partial_tiles_gone_are_cut_from_the_full_ones() -> None:
    gone = {path for path in FILES[300] if path.endswith(".p/44")}
    assert len(gone) == 2
    grown = {path: data for path, data in (FILES[300] | FILES[700]).items() if path not in gone}
    store = MemoryTiles()
    copy_log(Log(grown).read, store, EMPTY_TREE_HEAD, HEADS[300])
    assert {path: store.read(path) for path in FILES[300]} == FILES[300]
