"""What only the directory can show: races, damage, syncs, a process that is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ledger_node.core.errors import LedgerError
from ledger_node.edges.tiles import TileDirectory
from ledger_node.ports.tiles import TileConflictError, TileStoreUnavailableError

pytestmark = pytest.mark.integration

WRITER = """
import sys
from pathlib import Path
from ledger_node.edges.tiles import TileDirectory
store = TileDirectory(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 100_000):
    data = number.to_bytes(4, "big") * 2048
    group = f"x{number // 1000:03}/{number % 1000:03}" if number >= 1000 else f"{number:03}"
    store.put_all({f"tile/0/{group}": data, f"tile/entries/{group}": data})
    store.replace_checkpoint(str(number).encode() * 500)
    print(number, flush=True)
"""


def test_put_all_two_writers_with_other_bytes_exactly_one_wins(tmp_path: Path) -> None:
    for trial in range(10):
        root = tmp_path / str(trial)
        stores = [TileDirectory(root), TileDirectory(root)]
        barrier, outcomes = threading.Barrier(2), [""] * 2

        def work(number: int, stores=stores, barrier=barrier, outcomes=outcomes) -> None:
            barrier.wait(10)
            try:
                stores[number].put_all({"tile/0/000.p/1": bytes([number]) * 32})
                outcomes[number] = "stored"
            except TileConflictError:
                outcomes[number] = "conflict"

        threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcomes) == ["conflict", "stored"]
        winner = outcomes.index("stored")
        assert stores[0].read("tile/0/000.p/1") == bytes([winner]) * 32


def test_put_all_over_a_tile_with_a_flipped_bit_names_it(tmp_path: Path) -> None:
    rng = random.Random(8)
    tiles = {f"tile/0/{number:03}": rng.randbytes(8192) for number in range(5)}
    tiles |= {f"tile/entries/{number:03}": rng.randbytes(9216) for number in range(5)}
    store = TileDirectory(tmp_path)
    store.put_all(tiles)
    for trial in range(100):
        path = list(tiles)[trial % len(tiles)]
        changed = bytearray(tiles[path])
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        (tmp_path / path).write_bytes(changed)
        with pytest.raises(TileConflictError) as caught:
            store.put_all(tiles)
        assert caught.value.fields["path"] == path
        (tmp_path / path).write_bytes(tiles[path])
    store.put_all(tiles)


def test_put_all_syncs_every_file_and_every_directory_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TileDirectory(tmp_path)
    files, folders = [], []
    real_file, real_folder = os.fdatasync, os.fsync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (files.append(fd), real_file(fd))[1])
    monkeypatch.setattr(
        os,
        "fsync",
        lambda fd: (folders.append(os.readlink(f"/proc/self/fd/{fd}")), real_folder(fd))[1],
    )
    store.put_all({f"tile/0/{number:03}": bytes(8192) for number in range(40)})
    assert len(files) == 40
    assert sorted(folders) == [str(tmp_path), str(tmp_path / "tile"), str(tmp_path / "tile/0")]
    folders.clear()
    store.put_all({f"tile/0/{number:03}": bytes(8192) for number in range(40)})
    assert (len(files), folders) == (40, [str(tmp_path / "tile/0")])


@pytest.mark.parametrize("call", ["fdatasync", "fsync", "write", "link"])
def test_put_all_device_error_is_unavailable_and_a_retry_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    tiles = {f"tile/0/{number:03}": bytes([number]) * 8192 for number in range(6)}
    store = TileDirectory(tmp_path)

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(TileStoreUnavailableError):
            store.put_all(tiles)
    assert list((tmp_path / "staging").iterdir()) == []
    store.put_all(tiles)
    assert store.read_all(tiles) == list(tiles.values())


def test_replace_checkpoint_syncs_the_file_then_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TileDirectory(tmp_path)
    synced, real = [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), real(fd))[1]
    )
    store.replace_checkpoint(b"note")
    assert [Path(path).suffix for path in synced] == [".part", Path(tmp_path).suffix]
    assert synced[1] == str(tmp_path)


def test_replace_checkpoint_fails_keeps_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TileDirectory(tmp_path)
    store.replace_checkpoint(b"first")

    def fail(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(TileStoreUnavailableError):
            store.replace_checkpoint(b"second")
    assert store.read_checkpoint() == b"first"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["checkpoint"]


def test_put_all_under_sigkill_never_leaves_half_a_file(tmp_path: Path) -> None:
    rng, start = random.Random(9), 0
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(start)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process:
            lines = [process.stdout.readline() for _ in range(rng.randrange(5, 20))]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        assert process.returncode == -signal.SIGKILL
        done = [int(line) for line in lines if line.endswith("\n")]
        assert len(done) >= 5, "the kill came before there was anything to lose"
        start = done[-1]
        for path in (tmp_path / "tile").rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert data == data[:4] * 2048
        assert TileDirectory(tmp_path).read(f"tile/0/{start:03}") == start.to_bytes(4, "big") * 2048
        note = TileDirectory(tmp_path).read_checkpoint()
        assert note in (str(start).encode() * 500, str(start + 1).encode() * 500)


def test_read_symlink_or_directory_in_the_place_of_a_tile_is_a_typed_error(tmp_path: Path) -> None:
    store = TileDirectory(tmp_path)
    (tmp_path / "tile" / "0" / "000").mkdir(parents=True)
    with pytest.raises(LedgerError):
        store.read("tile/0/000")
    with pytest.raises(LedgerError):
        store.put_all({"tile/0/000": bytes(8192)})


def test_put_all_files_are_public_and_read_only_by_name(tmp_path: Path) -> None:
    store = TileDirectory(tmp_path)
    store.put_all({"tile/0/000": bytes(8192)})
    store.replace_checkpoint(b"note")
    assert (tmp_path / "tile/0/000").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "checkpoint").stat().st_mode & 0o777 == 0o644
