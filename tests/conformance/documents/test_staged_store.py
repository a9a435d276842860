"""A store on a server that fails, lies or is late; real servers: tests/engines."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore

from ledger_node.edges.documents import BucketServer, StagedStore, spool
from ledger_node.edges.documents.spool import Spool, SpooledBlob
from ledger_node.edges.documents.staged import ServedBlob
from ledger_node.ports.documents import (
    CiphertextDigestError,
    DocumentNotFoundError,
    DocumentStoreUnavailableError,
)

pytestmark = pytest.mark.integration


class Server:
    """Holds blobs in memory; `away` refuses, `short` cuts answers, `stubborn` replaces nothing."""

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {}
        self.away: set[bytes] = set()
        self.short = 0
        self.stubborn = False
        self.calls: list[str] = []

    def put_if_absent(self, blob: SpooledBlob) -> bool:
        self.calls.append("put")
        if blob.address in self.away:
            raise DocumentStoreUnavailableError("away")
        if blob.address in self.held:
            return False
        self.held[blob.address] = b"".join(blob.read_chunks())
        return True

    def replace(self, blob: SpooledBlob) -> None:
        self.calls.append("replace")
        if not self.stubborn:
            self.held[blob.address] = b"".join(blob.read_chunks())

    def get(self, address: bytes) -> ServedBlob | None:
        data = self.held.get(address)
        if data is None:
            return None
        return ServedBlob(len(data), iter([data[: len(data) - self.short]]))

    def has(self, address: bytes) -> bool:
        return address in self.held

    def delete(self, address: bytes) -> None:
        self.held.pop(address, None)

    def list_addresses(self) -> Iterator[bytes]:
        return iter(self.held)

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def store(server: Server, tmp_path: Path) -> Iterator[StagedStore]:
    opened = StagedStore(server, tmp_path / "spool")
    yield opened
    opened.close()


def read_whole(store: StagedStore, address: bytes) -> bytes:
    return b"".join(store.read(address))


def test_sync_one_refused_raises_and_only_that_one_waits_on(
    store: StagedStore, server: Server
) -> None:
    addresses = [store.put([b"blob %d" % number])[0] for number in range(10)]
    server.away = {addresses[4]}
    with pytest.raises(DocumentStoreUnavailableError):
        store.sync()
    assert set(server.held) == set(addresses) - {addresses[4]}
    assert read_whole(store, addresses[4]) == b"blob 4"
    server.away, server.calls = set(), []
    store.sync()
    assert server.calls == ["put"]
    assert set(server.held) == set(addresses)


def test_read_fewer_bytes_than_announced_raises_unavailable_not_damaged(
    store: StagedStore, server: Server
) -> None:
    address, _ = store.put([b"sealed" * 1000])
    store.sync()
    server.short = 1
    with pytest.raises(DocumentStoreUnavailableError, match="broke off"):
        read_whole(store, address)


def test_read_other_bytes_raises_and_gives_none_of_the_last_chunk(
    store: StagedStore, server: Server
) -> None:
    address, _ = store.put([b"sealed"])
    store.sync()
    server.held[address] = b"SEALED"
    came = []
    with pytest.raises(CiphertextDigestError):
        came.extend(store.read(address))
    assert came == []


def test_sync_damaged_blob_there_already_is_replaced(store: StagedStore, server: Server) -> None:
    address = hashlib.sha256(b"sealed").digest()
    server.held[address] = b"SEALED"
    store.put([b"sealed"])
    store.sync()
    assert server.held[address] == b"sealed"


def test_sync_whole_blob_there_already_is_left(store: StagedStore, server: Server) -> None:
    address = hashlib.sha256(b"sealed").digest()
    server.held[address] = b"sealed"
    store.put([b"sealed"])
    store.sync()
    assert server.calls == ["put"]


def test_sync_server_that_keeps_damaged_bytes_is_not_acknowledged(
    store: StagedStore, server: Server
) -> None:
    address = hashlib.sha256(b"sealed").digest()
    server.held[address], server.stubborn = b"SEALED", True
    store.put([b"sealed"])
    with pytest.raises(DocumentStoreUnavailableError, match="damaged"):
        store.sync()
    assert read_whole(store, address) == b"sealed"


def test_remove_while_waiting_is_not_handed_over_later(store: StagedStore, server: Server) -> None:
    address, _ = store.put([b"sealed"])
    store.remove(address)
    store.sync()
    assert server.held == {}
    with pytest.raises(DocumentNotFoundError):
        store.read(address)


def test_put_disk_full_raises_unavailable_and_leaves_no_file(
    store: StagedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool, "write_all", refuse)
    with pytest.raises(DocumentStoreUnavailableError, match="No space"):
        store.put([b"sealed"])
    assert [path.name for path in tmp_path.glob("spool/*/*")] == ["lock"]


def test_open_spool_removes_what_dead_processes_left_and_nothing_of_living_ones(
    tmp_path: Path,
) -> None:
    living = Spool(tmp_path)
    kept = living.take(lambda sink: sink.write(b"waiting"))
    dead = tmp_path / "0123456789abcdef"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "left").write_bytes(b"ciphertext")
    other = Spool(tmp_path)
    assert not dead.exists()
    assert b"".join(kept.read_chunks()) == b"waiting"
    assert (tmp_path.stat().st_mode & 0o777, kept.path.stat().st_mode & 0o777) == (0o700, 0o600)
    for each in (living, other):
        each.close()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_put_if_absent_bucket_never_writes_over_what_is_there(tmp_path: Path) -> None:
    bucket: Any = MemoryStore()
    server, waiting = BucketServer(bucket, "sealed/"), Spool(tmp_path)
    blob = waiting.take(lambda sink: sink.write(b"sealed"))
    changed = SpooledBlob(blob.address, 7, waiting.take(lambda sink: sink.write(b"another")).path)
    assert server.put_if_absent(blob)
    assert not server.put_if_absent(changed)
    served = server.get(blob.address)
    assert served is not None
    assert b"".join(served.chunks) == b"sealed"
    waiting.close()


def test_list_addresses_bucket_with_other_objects_names_blobs_alone(tmp_path: Path) -> None:
    import obstore

    bucket = MemoryStore()
    server, waiting = BucketServer(bucket, "sealed/"), Spool(tmp_path)
    blob = waiting.take(lambda sink: sink.write(b"sealed"))
    server.put_if_absent(blob)
    for name in ("sealed/readme", "sealed/" + "AB" * 32, "other/" + "ab" * 32, "ab" * 32):
        obstore.put(bucket, name, b"x")
    assert list(server.list_addresses()) == [blob.address]
    waiting.close()
