"""What every key store promises: the file and the memory fake."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger_node.core.derivation import MalformedKeyError
from ledger_node.edges.keys import KeyStoreFile
from ledger_node.ports.keys import KeyConflictError, KeyMissingError, KeyStore
from tests.fakes.memory_keys import MemoryKeyStore

pytestmark = pytest.mark.integration
OpenStore = Callable[[], KeyStore]
KEYS = {f"material-{number}": bytes([number]) * 32 for number in range(1, 8)}


@pytest.fixture(params=["file", "memory"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Opens the same store again, as another process would."""
    if request.param == "file":
        return lambda: KeyStoreFile(tmp_path / "keys", os.urandom)
    keys: dict[str, bytes | None] = {}
    return lambda: MemoryKeyStore(keys)


def test_put_all_then_get_all_in_any_order(open_store: OpenStore) -> None:
    open_store().put_all(KEYS)
    names = [*reversed(KEYS), "material-3"]
    assert open_store().get_all(names) == [KEYS[name] for name in names]
    assert open_store().get_all([]) == []


def test_put_all_nothing_does_nothing(open_store: OpenStore) -> None:
    store = open_store()
    store.put_all({})
    assert not store.has("")


def test_put_all_same_keys_again_is_no_conflict(open_store: OpenStore) -> None:
    store = open_store()
    store.put_all(KEYS)
    store.put_all({**KEYS, "more": bytes(32)})
    assert store.get_all(["material-1", "more"]) == [KEYS["material-1"], bytes(32)]


@pytest.mark.parametrize("position", range(4))
def test_put_all_other_key_under_a_taken_name_stores_nothing(
    open_store: OpenStore, position: int
) -> None:
    store = open_store()
    store.put_all({"taken": b"a" * 32})
    batch = [(f"new-{number}", b"n" * 32) for number in range(3)]
    batch.insert(position, ("taken", b"b" * 32))
    with pytest.raises(KeyConflictError) as caught:
        store.put_all(dict(batch))
    assert caught.value.fields["name"] == "taken"
    assert not any(store.has(f"new-{number}") for number in range(3))
    assert store.get_all(["taken"]) == [b"a" * 32]


@pytest.mark.parametrize(
    ("name", "secret"),
    [("", bytes(32)), ("n" * 201, bytes(32)), ("short", bytes(31)), ("long", bytes(33))],
    ids=["no name", "long name", "short key", "long key"],
)
def test_put_all_malformed_name_or_key_is_refused(
    open_store: OpenStore, name: str, secret: bytes
) -> None:
    store = open_store()
    with pytest.raises(MalformedKeyError):
        store.put_all({"good": bytes(32), name: secret})
    assert not store.has("good")
    store.put_all({"good": bytes(32), "n" * 200: bytes(32)})


def test_get_all_missing_key_names_the_first(open_store: OpenStore) -> None:
    store = open_store()
    store.put_all(KEYS)
    with pytest.raises(KeyMissingError) as caught:
        store.get_all(["material-1", "missing-a", "missing-b"])
    assert caught.value.fields["name"] == "missing-a"


def test_destroy_is_final_and_idempotent(open_store: OpenStore) -> None:
    store = open_store()
    store.put_all(KEYS)
    for _ in range(2):
        store.destroy("material-2")
    store.destroy("never there")
    other = open_store()
    assert not other.has("material-2")
    with pytest.raises(KeyMissingError):
        other.get_all(["material-1", "material-2"])
    assert other.get_all(["material-1"]) == [KEYS["material-1"]]


@pytest.mark.parametrize("secret", [KEYS["material-2"], b"z" * 32], ids=["same", "other"])
def test_put_all_destroyed_name_stays_taken(open_store: OpenStore, secret: bytes) -> None:
    store = open_store()
    store.put_all(KEYS)
    store.destroy("material-2")
    with pytest.raises(KeyConflictError):
        store.put_all({"material-2": secret})
    assert not store.has("material-2")


def test_rotate_epoch_when_due_counts_from_when_the_epoch_was_first_seen(
    open_store: OpenStore,
) -> None:
    store, age = open_store(), timedelta(days=28)
    store.put_all(KEYS)
    began = datetime(2026, 11, 1, tzinfo=UTC)
    assert not store.rotate_epoch_when_due(began, age)
    assert not store.rotate_epoch_when_due(began + age - timedelta(seconds=1), age)
    assert store.rotate_epoch_when_due(began + age, age)
    assert not store.rotate_epoch_when_due(began + age, age)
    assert not store.rotate_epoch_when_due(began + 2 * age - timedelta(seconds=1), age)
    assert store.rotate_epoch_when_due(began + 2 * age, age)
    assert open_store().get_all(list(KEYS)) == list(KEYS.values())


def test_rotate_epoch_keeps_every_key_and_counts_up(open_store: OpenStore) -> None:
    store = open_store()
    store.put_all(KEYS)
    store.destroy("material-7")
    first = store.rotate_epoch()
    assert store.rotate_epoch() == first + 1
    store.put_all({"later": b"l" * 32})
    names = [name for name in KEYS if name != "material-7"]
    assert open_store().get_all([*names, "later"]) == [*(KEYS[n] for n in names), b"l" * 32]
    assert not store.has("material-7")
