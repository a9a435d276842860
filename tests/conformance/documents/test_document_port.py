"""What every document store promises; tests/engines runs the same against real servers."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from ledger_node.core.digest import DigestMismatchError
from ledger_node.core.errors import CiphertextAuthError
from ledger_node.core.types import Digest
from ledger_node.edges.documents import (
    AgeSealer,
    BucketServer,
    JoinedStore,
    SegmentStore,
    StagedStore,
)
from ledger_node.ports.documents import ByteSink, DocumentNotFoundError, DocumentStore
from tests.fakes.memory_documents import MemoryDocuments

pytestmark = pytest.mark.integration
OpenStore = Callable[[], DocumentStore]
SECRET = bytes(range(32))


@pytest.fixture(params=["segments", "bucket", "joined", "memory"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Opens the same store again, as another process would."""
    durable: dict[bytes, bytes] = {}
    bucket = MemoryStore()

    def open_bucket() -> DocumentStore:
        return StagedStore(BucketServer(bucket, "sealed/"), tmp_path / "spool")

    opens: dict[str, OpenStore] = {
        "segments": lambda: SegmentStore(tmp_path / "documents"),
        "bucket": open_bucket,
        "joined": lambda: JoinedStore(open_bucket(), [MemoryDocuments(durable)]),
        "memory": lambda: MemoryDocuments(durable),
    }
    return opens[request.param]


def read_whole(store: DocumentStore, address: bytes) -> bytes:
    return b"".join(store.read(address))


@pytest.mark.parametrize("size", [0, 1, 4096, (1 << 20) - 1, 1 << 20, (2 << 20) + 17])
def test_put_any_size_reads_back_equal(open_store: OpenStore, size: int) -> None:
    data = random.Random(size).randbytes(size)
    store = open_store()
    address, length = store.put(data[at : at + 70_000] for at in range(0, size, 70_000))
    assert (address, length) == (hashlib.sha256(data).digest(), size)
    assert read_whole(store, address) == data
    store.sync()
    assert read_whole(open_store(), address) == data
    assert all(len(chunk) <= 1 << 20 for chunk in store.read(address))


def test_put_before_sync_is_not_seen_by_others(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    address, _ = store.put([b"sealed"])
    assert store.has(address)
    assert not other.has(address)
    store.sync()
    assert other.has(address)


def test_put_same_ciphertext_twice_stores_once(open_store: OpenStore) -> None:
    store = open_store()
    first = store.put([b"sea", b"led"])
    store.sync()
    assert open_store().put([b"sealed"]) == first
    assert store.put([b"sealed"]) == first
    store.remove(first[0])
    assert not store.has(first[0])


def test_put_producer_fails_leaves_nothing(open_store: OpenStore) -> None:
    store = open_store()
    kept, _ = store.put([b"kept"])

    def produce(sink: ByteSink) -> None:
        sink.write(b"half" * 500_000)
        raise RuntimeError("the upload broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        store.put_from(produce)
    store.sync()
    assert not store.has(hashlib.sha256(b"half" * 500_000).digest())
    assert read_whole(open_store(), kept) == b"kept"


def test_read_unknown_address_raises_not_found(open_store: OpenStore) -> None:
    store = open_store()
    address, _ = store.put([b"sealed"])
    unknown = hashlib.sha256(b"other").digest()
    assert read_whole(store, address) == b"sealed"
    with pytest.raises(DocumentNotFoundError) as caught:
        store.read(unknown)
    assert caught.value.fields["address"] == unknown


def test_remove_known_and_unknown_is_idempotent(open_store: OpenStore) -> None:
    store = open_store()
    address, _ = store.put([b"sealed"])
    other, _ = store.put([b"other"])
    for _ in range(2):
        store.remove(address)
        assert not open_store().has(address)
    store.sync()
    assert open_store().has(other)


def test_put_after_remove_is_there_again(open_store: OpenStore) -> None:
    store = open_store()
    address, _ = store.put([b"sealed"])
    store.remove(address)
    assert store.put([b"sealed"])[0] == address
    store.sync()
    assert read_whole(open_store(), address) == b"sealed"


def test_list_addresses_names_what_is_synced_and_not_removed(open_store: OpenStore) -> None:
    store = open_store()
    assert list(store.list_addresses()) == []
    kept, removed = (store.put([data])[0] for data in (b"kept", b"removed"))
    store.sync()
    assert sorted(store.list_addresses()) == sorted([kept, removed])
    store.remove(removed)
    store.put([b"waiting"])
    assert list(open_store().list_addresses()) == [kept]


def test_sync_with_nothing_put_does_nothing(open_store: OpenStore) -> None:
    store = open_store()
    store.sync()
    store.sync()


@pytest.mark.parametrize("size", [0, 1, 65_536, 300_000])
def test_seal_then_unseal_gives_the_document(
    open_store: OpenStore, tmp_path: Path, size: int
) -> None:
    document = random.Random(size).randbytes(size)
    store = open_store()
    sealed = AgeSealer().seal(store, SECRET, io.BytesIO(document))
    assert sealed.digest == hashlib.sha256(document).digest()
    assert (sealed.size_bytes, sealed.sealed_bytes) == (
        size,
        len(read_whole(store, sealed.address)),
    )
    assert size < 64 or document[:64] not in read_whole(store, sealed.address)
    target = tmp_path / "opened"
    AgeSealer().unseal(store, sealed.address, SECRET, sealed.digest, target)
    assert target.read_bytes() == document
    assert target.stat().st_mode & 0o777 == 0o600


def test_unseal_wrong_secret_or_digest_writes_nothing(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = open_store()
    sealed = AgeSealer().seal(store, SECRET, io.BytesIO(b"document" * 20_000))
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(CiphertextAuthError) as caught:
        AgeSealer().unseal(store, sealed.address, bytes(32), sealed.digest, folder / "a")
    assert caught.value.fields["name"] == sealed.address.hex()
    with pytest.raises(DigestMismatchError):
        AgeSealer().unseal(store, sealed.address, SECRET, Digest(bytes(32)), folder / "a")
    with pytest.raises(DocumentNotFoundError):
        AgeSealer().unseal(store, bytes(32), SECRET, sealed.digest, folder / "a")
    assert list(folder.iterdir()) == []
    AgeSealer().unseal(store, sealed.address, SECRET, sealed.digest, folder / "a")
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_seal_source_fails_raises_its_error_and_leaves_nothing(open_store: OpenStore) -> None:
    class BrokenSource(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 100_000:
                raise ConnectionResetError("the scanner was unplugged")
            return super().read(size)

    store = open_store()
    with pytest.raises(ConnectionResetError, match="unplugged"):
        AgeSealer().seal(store, SECRET, BrokenSource(bytes(200_000)))
    sealed = AgeSealer().seal(store, SECRET, io.BytesIO(b"next"))
    store.sync()
    assert open_store().has(sealed.address)
