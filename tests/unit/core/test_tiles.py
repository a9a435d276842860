"""Tiles and entry bundles: what changes, what is refused, logs grown in steps."""

import hashlib
import random

import pytest

from ledger_node.core import entry_bundle, merkle, tiles
from tests.reference.topics.logs import build_files
from tests.reference.topics.merkle import make_entries

ENTRIES = make_entries(600)
LEAF_HASHES = merkle.hash_leaves(ENTRIES)


def grow(sizes):
    """Files of a log grown to each size in turn, old partial tiles kept."""
    files, old = {}, 0
    for size in sizes:
        written, head = tiles.extend_tiles(
            old, LEAF_HASHES[32 * old : 32 * size], files.__getitem__
        )
        written |= entry_bundle.build_entry_bundles(old, ENTRIES[old:size], files.__getitem__)
        names = {tile.path() for tile in tiles.list_changed_tiles(old, size)}
        assert written.keys() == names
        assert head == merkle.TreeHead(size, merkle.compute_root(LEAF_HASHES[: 32 * size]))
        files |= written
        old = size
    return files


def test_extend_tiles_in_steps_writes_the_files_of_every_size():
    rng = random.Random(3)
    for _ in range(8):
        sizes = sorted(rng.sample(range(1, 601), 5))
        files = grow(sizes)
        for size in sizes:
            expected = build_files(ENTRIES[:size])
            assert {path: files[path] for path in expected} == expected
            assert {tile.path() for tile in tiles.list_all_tiles(size)} == expected.keys()


@pytest.mark.parametrize("size", [255, 256, 257, 511, 512, 513])
def test_extend_tiles_around_a_full_tile_equals_the_definition(size):
    files = grow([255, size])
    expected = build_files(ENTRIES[:size])
    assert {path: files[path] for path in expected} == expected


def test_extend_tiles_without_leaves_writes_nothing():
    files = grow([5])
    assert tiles.extend_tiles(5, b"", files.__getitem__) == (
        {},
        merkle.TreeHead(5, merkle.compute_root(LEAF_HASHES[: 32 * 5])),
    )
    assert list(entry_bundle.build_entry_bundles(5, [], files.__getitem__)) == []


def test_build_inclusion_proof_over_three_levels_verifies():
    size = 256 * 256 + 3
    leaf_hashes = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(size))
    files, head = tiles.extend_tiles(0, leaf_hashes, {}.__getitem__)
    assert head.root == merkle.compute_root(leaf_hashes)
    assert {"tile/2/000.p/1", "tile/1/000", "tile/0/256.p/3"} <= files.keys()
    for index in (0, 255, 256, 65_535, 65_536, size - 1):
        proof = tiles.build_inclusion_proof(files.__getitem__, index, size)
        merkle.verify_inclusion(leaf_hashes[32 * index : 32 * index + 32], index, proof, head)
    old = merkle.TreeHead(300, merkle.compute_root(leaf_hashes[: 32 * 300]))
    proof = tiles.build_consistency_proof(files.__getitem__, 300, size)
    merkle.verify_consistency(old, head, proof)


def test_build_inclusion_proof_reads_every_tile_once():
    files, read = grow([600]), []

    def read_tile(path):
        read.append(path)
        return files[path]

    tiles.build_inclusion_proof(read_tile, 300, 600)
    assert len(read) == len(set(read)) > 1


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: d + d[:32]])
def test_tile_of_other_length_than_its_name_raises_malformed(change):
    files = grow([5])
    files["tile/0/000.p/5"] = change(files["tile/0/000.p/5"])
    with pytest.raises(tiles.MalformedTileError):
        tiles.compute_root_from_tiles(files.__getitem__, 5)
    with pytest.raises(tiles.MalformedTileError):
        tiles.extend_tiles(5, LEAF_HASHES[32 * 5 : 32 * 6], files.__getitem__)


def test_build_entry_bundles_on_a_damaged_partial_bundle_raises_malformed():
    files = grow([5])
    files["tile/entries/000.p/5"] += b"\0"
    with pytest.raises(tiles.MalformedTileError):
        list(entry_bundle.build_entry_bundles(5, ENTRIES[5:6], files.__getitem__))


def test_encode_entry_bundle_too_long_entry_raises_malformed():
    assert len(entry_bundle.encode_entry_bundle([bytes(65_535)])) == 65_537
    with pytest.raises(tiles.MalformedTileError):
        entry_bundle.encode_entry_bundle([b"", bytes(65_536)])


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-2, 0, 1), (8, 0, 1), (0, -1, 1), (0, 2**56, 1), (0, 0, 257)]
)
def test_tile_path_out_of_range_raises_malformed(level, index, width):
    with pytest.raises(tiles.MalformedTilePathError):
        tiles.tile_path(level, index, width)


def test_overlay_tiles_finds_new_files_first():
    read_tile = tiles.overlay_tiles({"a": b"new"}, {"a": b"old", "b": b"old"}.__getitem__)
    assert (read_tile("a"), read_tile("b")) == (b"new", b"old")
