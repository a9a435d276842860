"""A log's files against a head: every size and step, every file damaged, nothing left out.

The expected files come from the reference tree, which shares no code with the core.
"""

from __future__ import annotations

import itertools

import pytest

from ledger_node.core.errors import LedgerError
from ledger_node.core.merkle import TreeHead
from ledger_node.core.mirror import (
    TileContradictionError,
    cut_tile,
    list_downwards,
    list_edge,
    read_entries,
    read_partly,
    verify_below,
    verify_edge,
    verify_extends,
)
from ledger_node.core.tiles import ENTRIES, MalformedTileError, Tile
from ledger_node.core.types import RootHash, TreeSize
from tests.reference.topics.logs import build_files
from tests.reference.topics.merkle import make_entries
from tests.reference.tree import mth

SIZES = (1, 2, 255, 256, 257, 300, 511, 512, 513, 700)
ALL = make_entries(max(SIZES))
HEADS = {size: TreeHead(TreeSize(size), RootHash(mth(ALL[:size]))) for size in SIZES}
FILES = {size: build_files(ALL[:size]) for size in SIZES}


def copy(old: int, new: int, files: dict[str, bytes]) -> dict[str, bytes]:
    """What a mirror holds afterwards, checked in the order the flow checks."""
    held = dict(FILES[old]) if old else {}
    edge = {tile.path(): files[tile.path()] for tile in list_edge(new)}
    verify_edge(HEADS[new], edge)
    held.update(edge)
    for tile in list_downwards(old, new):
        data = files[tile.path()]
        verify_below(tile, data, new, held.__getitem__)
        held[tile.path()] = data
    if old:
        verify_extends(HEADS[old], HEADS[new], held.__getitem__)
    return held


@pytest.mark.parametrize(
    ("old", "new"), [(0, size) for size in SIZES] + list(itertools.combinations(SIZES, 2))
)
def test_copy_every_step_takes_exactly_the_files_of_the_log(old: int, new: int) -> None:
    held = copy(old, new, FILES[new])
    before = FILES[old] if old else {}
    assert held == {**before, **FILES[new]}
    assert read_entries(held.__getitem__, old, new) == ALL[old:new]


@pytest.mark.parametrize("new", [1, 256, 300, 513])
def test_copy_any_file_damaged_anywhere_is_refused(new: int) -> None:
    damages = 0
    for path, data in FILES[new].items():
        for damaged in (
            data[:-1] + bytes([data[-1] ^ 1]),
            bytes([data[0] ^ 1]) + data[1:],
            data[:-1],
            data + b"\0",
            b"",
        ):
            with pytest.raises((TileContradictionError, MalformedTileError)):
                copy(0, new, {**FILES[new], path: damaged})
            damages += 1
    assert damages >= 10


def test_copy_files_of_another_log_are_refused() -> None:
    other = build_files([entry[::-1] for entry in ALL[:300]])
    with pytest.raises(TileContradictionError):
        copy(0, 300, other)


def test_verify_extends_other_history_is_refused_where_every_file_fits_the_new_head() -> None:
    held = copy(0, 513, FILES[513])
    for size in (1, 255, 256, 300, 512):
        verify_extends(HEADS[size], HEADS[513], held.__getitem__)
        forged = TreeHead(TreeSize(size), RootHash(bytes(32)))
        with pytest.raises(TileContradictionError):
            verify_extends(forged, HEADS[513], held.__getitem__)


def test_read_partly_falls_back_to_the_full_tile_and_cuts_it() -> None:
    files = FILES[512]
    for level in (ENTRIES, 0):
        narrow = Tile(level, 1, 44)
        assert read_partly(narrow, files.__getitem__, KeyError) == FILES[300][narrow.path()]
        assert (
            cut_tile(Tile(level, 1), files[Tile(level, 1).path()], 44)
            == (FILES[300][narrow.path()])
        )
    with pytest.raises(KeyError):
        read_partly(Tile(0, 2, 1), files.__getitem__, KeyError)
    with pytest.raises(KeyError):
        read_partly(Tile(0, 2), files.__getitem__, KeyError)
    with pytest.raises(LedgerError):
        cut_tile(Tile(0, 0), b"short", 4)
