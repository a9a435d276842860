"""What every tile store promises: the directory and the memory fake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger_node.core.tiles import MalformedTilePathError
from ledger_node.edges.tiles import TileDirectory
from ledger_node.ports.tiles import TileConflictError, TileNotFoundError, TileStore
from tests.fakes.memory_tiles import MemoryTiles

pytestmark = pytest.mark.integration
OpenStore = Callable[[], TileStore]
TILES = {
    "tile/0/000.p/7": b"\x01" * 224,
    "tile/0/000": b"\x02" * 8192,
    "tile/1/000.p/1": b"\x03" * 32,
    "tile/entries/000": b"\x04" * 9216,
    "tile/entries/x001/234.p/7": b"\x05" * 252,
    "tile/0/x001/x234/067": b"\x06" * 8192,
}


@pytest.fixture(params=["directory", "memory"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Opens the same store again, as another process would."""
    if request.param == "directory":
        return lambda: TileDirectory(tmp_path / "log" / "0")
    files: dict[str, bytes] = {}
    return lambda: MemoryTiles(files)


def test_put_all_then_read_gives_every_tile(open_store: OpenStore) -> None:
    open_store().put_all(TILES)
    assert open_store().read_all(TILES) == list(TILES.values())
    assert open_store().read("tile/0/000") == TILES["tile/0/000"]


def test_put_all_again_and_partly_new_is_no_conflict(open_store: OpenStore) -> None:
    store = open_store()
    store.put_all(dict(list(TILES.items())[:3]))
    store.put_all(TILES)
    store.put_all({})
    assert store.read_all(TILES) == list(TILES.values())


@pytest.mark.parametrize("path", TILES)
def test_put_all_different_tile_is_a_conflict_and_writes_nothing(
    open_store: OpenStore, path: str
) -> None:
    store = open_store()
    store.put_all({path: TILES[path]})
    with pytest.raises(TileConflictError) as caught:
        store.put_all({**TILES, path: TILES[path][:-1] + b"\xff"})
    assert caught.value.fields["path"] == path
    assert store.read(path) == TILES[path]
    for other in TILES:
        if other != path:
            with pytest.raises(TileNotFoundError):
                store.read(other)
    store.put_all(TILES)


def test_put_all_full_tile_leaves_its_partial_tiles(open_store: OpenStore) -> None:
    store = open_store()
    for width in (1, 7, 255):
        store.put_all({f"tile/0/000.p/{width}": bytes(32 * width)})
    store.put_all({"tile/0/000": bytes(8192)})
    for width in (1, 7, 255):
        assert store.read(f"tile/0/000.p/{width}") == bytes(32 * width)


@pytest.mark.parametrize(
    "path", ["tile/0/001", "tile/0/000.p/8", "tile/7/000", "tile/entries/001", "tile/0/x000/001"]
)
def test_read_missing_tile_raises_not_found(open_store: OpenStore, path: str) -> None:
    store = open_store()
    store.put_all(TILES)
    expected = MalformedTilePathError if "x000" in path else TileNotFoundError
    with pytest.raises(expected) as caught:
        store.read(path)
    assert caught.value.fields["path"] == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "..",
        "tile/../../secret",
        "tile/0/../../../secret",
        "tile/0/000/..",
        "tile/0/000\n",
        "tile/0/000\x00",
        "tile//0/000",
        "./tile/0/000",
        "tile/0/0000",
        "tile/8/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/07",
        "tile/entries",
        "checkpoint",
        "staging",
        "tile/0/%2e%2e",
    ],
)
def test_any_path_that_is_no_tile_is_refused(open_store: OpenStore, path: str) -> None:
    store = open_store()
    store.replace_checkpoint(b"note")
    with pytest.raises(MalformedTilePathError):
        store.read(path)
    with pytest.raises(MalformedTilePathError):
        store.put_all({"tile/0/000": bytes(8192), path: b"x"})
    with pytest.raises(TileNotFoundError):
        store.read("tile/0/000")


def test_replace_checkpoint_replaces(open_store: OpenStore) -> None:
    store = open_store()
    assert store.read_checkpoint() is None
    for note in (b"first", b"second, longer", b"3"):
        store.replace_checkpoint(note)
        assert open_store().read_checkpoint() == note
