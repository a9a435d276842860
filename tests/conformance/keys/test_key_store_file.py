"""What only the key store file can show: damage, epochs cut short, traces, permissions."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger_node.core.errors import CiphertextAuthError
from ledger_node.edges.keys import KeyStoreFile
from ledger_node.ports.keys import InsecureKeyFileError, KeyMissingError, KeyStoreUnavailableError

pytestmark = pytest.mark.integration
KEYS = {f"material-{number}": bytes([number]) * 32 for number in range(1, 8)}

# Kills the process (no clean-up, no rollback) at one named point of a change of epoch.
ROTATE_AND_DIE = """
import os, sys
from pathlib import Path
from ledger_node.edges.keys import key_store, wrapping
point = sys.argv[2]
key_store.REWRAP_BATCH = 2

def die_before(owner, name, times=1):
    real, calls = getattr(owner, name), []
    def replaced(*args, **kwargs):
        calls.append(name)
        if len(calls) == times:
            os._exit(9)
        return real(*args, **kwargs)
    setattr(owner, name, replaced)

def die_after(owner, name):
    real = getattr(owner, name)
    def replaced(*args, **kwargs):
        real(*args, **kwargs)
        os._exit(9)
    setattr(owner, name, replaced)

store = key_store.KeyStoreFile(Path(sys.argv[1]), os.urandom)
if point == "before create": die_before(wrapping.WrappingKeyFiles, "create")
if point == "after create": die_after(wrapping.WrappingKeyFiles, "create")
if point == "before re-wrapping": die_before(key_store.KeyStoreFile, "_finish_rotation")
if point == "between batches": die_before(key_store.KeyStoreFile, "_rewrap", 3)
if point == "inside a batch": die_after(key_store.KeyStoreFile, "_rewrap")
if point == "before destroy": die_before(wrapping.WrappingKeyFiles, "destroy")
if point == "key overwritten": die_before(Path, "unlink", 2)  # 1: a temporary name
if point == "after destroy": die_after(wrapping.WrappingKeyFiles, "destroy")
store.rotate_epoch()
"""

PUT_LOOP = """
import os, sys
from pathlib import Path
from ledger_node.edges.keys.key_store import KeyStoreFile
store = KeyStoreFile(Path(sys.argv[1]), os.urandom)
for number in range(150):
    store.put_all({f"loop-{number}": number.to_bytes(32, "big")})
    assert store.get_all([f"loop-{number // 2}"]) == [(number // 2).to_bytes(32, "big")]
    if number == 10:
        print("running", flush=True)
print("done", flush=True)
"""


def open_store(directory: Path) -> KeyStoreFile:
    return KeyStoreFile(directory, os.urandom)


def wrapping_files(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "wrapping").glob("*.key"))


def run_sql(directory: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(directory / "keystore.db", isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "point",
    [
        "before create",
        "after create",
        "before re-wrapping",
        "between batches",
        "inside a batch",
        "before destroy",
        "key overwritten",
        "after destroy",
    ],
)
def test_open_after_kill_inside_rotation_keeps_keys_and_ends_it(tmp_path: Path, point: str) -> None:
    store = open_store(tmp_path / "keys")
    store.put_all(KEYS)
    store.close()
    child = subprocess.run(
        [sys.executable, "-c", ROTATE_AND_DIE, str(tmp_path / "keys"), point], timeout=60
    )
    assert child.returncode == 9, "the fault did not fire"
    if point == "key overwritten":
        assert not any((tmp_path / "keys" / "wrapping" / "1.key").read_bytes())
    opened = open_store(tmp_path / "keys")
    assert opened.get_all(list(KEYS)) == list(KEYS.values())
    begun = point not in {"before create", "after create"}
    if begun:
        assert wrapping_files(tmp_path / "keys") == ["2.key"]
    assert opened.rotate_epoch() == (3 if begun else 2)
    assert wrapping_files(tmp_path / "keys") == ["3.key" if begun else "2.key"]
    assert opened.get_all(list(KEYS)) == list(KEYS.values())


def test_get_all_flipped_bit_of_a_wrapped_key_names_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_all(KEYS)
    (row,) = run_sql(tmp_path, "SELECT wrapped FROM key WHERE name = 'material-4'")
    wrapped = row[0]
    assert isinstance(wrapped, bytes)
    bits = range(0, len(wrapped) * 8, 3)
    assert len(bits) > 150
    for bit in bits:
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        run_sql(tmp_path, "UPDATE key SET wrapped = ? WHERE name = 'material-4'", bytes(changed))
        with pytest.raises(CiphertextAuthError) as caught:
            store.get_all(list(KEYS))
        assert caught.value.fields["name"] == "material-4"
    run_sql(tmp_path, "UPDATE key SET wrapped = ? WHERE name = 'material-4'", wrapped)
    assert store.get_all(list(KEYS)) == list(KEYS.values())


def test_get_all_exchanged_rows_are_both_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_all(KEYS)
    for name, other in (("material-1", "material-2"), ("material-2", "material-1")):
        copy = tmp_path.parent / f"{tmp_path.name}-{name}"
        shutil.copytree(tmp_path, copy)
        run_sql(
            copy,
            "UPDATE key SET wrapped = (SELECT wrapped FROM key WHERE name = ?) WHERE name = ?",
            other,
            name,
        )
        opened = open_store(copy)
        with pytest.raises(CiphertextAuthError) as caught:
            opened.get_all(list(KEYS))
        assert caught.value.fields["name"] == name
        shutil.rmtree(copy)


def test_rotate_epoch_damaged_key_stops_before_the_old_key_is_destroyed(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_all(KEYS)
    run_sql(tmp_path, "UPDATE key SET wrapped = zeroblob(61) WHERE name = 'material-4'")
    with pytest.raises(CiphertextAuthError):
        store.rotate_epoch()
    assert "1.key" in wrapping_files(tmp_path)


def test_get_all_from_a_backup_older_than_the_epoch_finds_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "keys")
    store.put_all(KEYS)
    store.close()
    backup = tmp_path / "backup.db"
    shutil.copy(tmp_path / "keys" / "keystore.db", backup)
    store = open_store(tmp_path / "keys")
    store.destroy("material-1")
    store.rotate_epoch()
    store.close()
    for path in (tmp_path / "keys").glob("keystore.db*"):
        path.unlink()
    shutil.copy(backup, tmp_path / "keys" / "keystore.db")
    (tmp_path / "keys" / "keystore.db").chmod(0o600)
    restored = open_store(tmp_path / "keys")
    for name in KEYS:
        with pytest.raises(KeyMissingError):
            restored.get_all([name])
    restored.put_all({"new": bytes(32)})
    assert restored.rotate_epoch() == 3
    assert restored.get_all(["new"]) == [bytes(32)]


def test_destroy_leaves_no_trace_of_the_wrapped_key_in_the_files(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_all(KEYS)
    (row,) = run_sql(tmp_path, "SELECT wrapped FROM key WHERE name = 'material-4'")
    wrapped = row[0]
    assert isinstance(wrapped, bytes)

    def is_on_disk() -> bool:
        return any(wrapped[1:] in path.read_bytes() for path in tmp_path.glob("keystore.db*"))

    assert is_on_disk()
    store.destroy("material-4")
    assert not is_on_disk()


def test_put_all_needs_a_device_sync_per_commit(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    answers = [
        store._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete")
    ]
    assert answers == ["wal", 2, 1]


def test_rotate_epoch_while_another_process_puts_loses_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", PUT_LOOP, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "running\n"
    rotations = [store.rotate_epoch() for _ in range(4)]
    output, _ = child.communicate(timeout=60)
    assert (child.returncode, output) == (0, "done\n")
    names = [f"loop-{number}" for number in range(150)]
    assert store.get_all(names) == [number.to_bytes(32, "big") for number in range(150)]
    assert rotations == [2, 3, 4, 5]
    assert store.rotate_epoch() == 6
    assert wrapping_files(tmp_path) == ["6.key"]


def test_get_all_epoch_ends_between_row_and_key_reads_the_row_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_store(tmp_path)
    other.put_all(KEYS)
    store = open_store(tmp_path)
    real, rotations = store._load_rows, []

    def load_then_rotate(names: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        rows = real(names)
        if not rotations:
            rotations.append(other.rotate_epoch())
        return rows

    monkeypatch.setattr(store, "_load_rows", load_then_rotate)
    assert store.get_all(list(KEYS)) == list(KEYS.values())
    assert rotations == [2]


def test_put_all_thousands_are_stored_in_one_commit(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    keys = {f"row-{number}": number.to_bytes(32, "big") for number in range(5_000)}
    store.put_all(keys)
    assert open_store(tmp_path).get_all(list(keys)) == list(keys.values())


@pytest.mark.parametrize("name", [".", "keystore.db", "wrapping", "wrapping/1.key"])
def test_open_readable_by_others_is_refused(tmp_path: Path, name: str) -> None:
    store = open_store(tmp_path / "keys")
    store.put_all(KEYS)
    store.close()
    path = tmp_path / "keys" / name
    private = path.stat().st_mode & 0o777
    path.chmod(private | 0o040)
    with pytest.raises(InsecureKeyFileError, match="chmod"):
        open_store(tmp_path / "keys").get_all(["material-1"])
    path.chmod(private)
    assert open_store(tmp_path / "keys").get_all(["material-1"]) == [KEYS["material-1"]]


def test_open_without_its_wrapping_key_is_refused_and_makes_no_new_one(tmp_path: Path) -> None:
    open_store(tmp_path).put_all(KEYS)
    moved = tmp_path / "elsewhere.key"
    (tmp_path / "wrapping" / "1.key").rename(moved)
    with pytest.raises(KeyStoreUnavailableError, match="wrapping key of epoch 1"):
        open_store(tmp_path)
    assert wrapping_files(tmp_path) == []
    moved.rename(tmp_path / "wrapping" / "1.key")
    assert open_store(tmp_path).has("material-1")
