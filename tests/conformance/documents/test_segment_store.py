"""What only the segment store can show: torn tails, damage, failing disks, rebuilt indexes."""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.core.errors import CiphertextAuthError
from ledger_node.edges.documents import AgeSealer, SegmentStore, remove_unfinished
from ledger_node.edges.documents.segment_format import FILE_HEADER, RECORD_HEADER_BYTES
from ledger_node.ports.documents import (
    CiphertextDigestError,
    DocumentNotFoundError,
    DocumentStoreUnavailableError,
)

pytestmark = pytest.mark.integration


def address_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def segments_of(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.seg"))


def drop_index(directory: Path) -> None:
    for path in directory.glob("index.db*"):
        path.unlink()


def read_whole(store: SegmentStore, address: bytes) -> bytes:
    return b"".join(store.read(address))


def flip(path: Path, offset: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


def test_open_after_kill_at_every_byte_of_last_record_cuts_the_torn_tail(tmp_path: Path) -> None:
    live = tmp_path / "live"
    store = SegmentStore(live)
    store.put([b"acknowledged"])
    store.sync()
    (segment,) = segments_of(live)
    durable = segment.stat().st_size
    store.put([b"not acknowledged"])
    whole = segment.stat().st_size
    assert whole - durable == RECORD_HEADER_BYTES + 16
    for size in range(durable, whole + 1):
        copy = tmp_path / f"killed-{size}"
        shutil.copytree(live, copy)
        os.truncate(copy / segment.name, size)
        opened = SegmentStore(copy)
        assert read_whole(opened, address_of(b"acknowledged")) == b"acknowledged"
        assert opened.has(address_of(b"not acknowledged")) == (size == whole)
        assert (copy / segment.name).stat().st_size == (whole if size == whole else durable)
        opened.put([b"next"])
        opened.sync()
        opened.close()
        if size % 8 == 0:
            drop_index(copy)
            again = SegmentStore(copy)
            assert read_whole(again, address_of(b"next")) == b"next"
            again.close()
        shutil.rmtree(copy)


def test_open_after_power_cut_zeroed_payload_is_not_listed(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path / "live")
    store.put([b"acknowledged"])
    store.sync()
    (segment,) = segments_of(tmp_path / "live")
    start = segment.stat().st_size
    address, _ = store.put([b"header came through, payload did not"])
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "live", copy)
    with (copy / segment.name).open("r+b") as file:
        file.seek(start + RECORD_HEADER_BYTES)
        file.write(bytes(36))
    opened = SegmentStore(copy)
    assert not opened.has(address)
    with pytest.raises(CiphertextDigestError):
        read_whole(opened, address)
    opened.put([b"header came through, payload did not"])
    opened.sync()
    assert SegmentStore(copy).has(address)
    assert read_whole(opened, address) == b"header came through, payload did not"


def test_read_flipped_bit_names_the_blob_and_no_other(tmp_path: Path) -> None:
    rng = random.Random(5)
    blobs = [rng.randbytes(rng.choice([40, 300, 5000])) for _ in range(12)]
    store = SegmentStore(tmp_path)
    places = []
    for blob in blobs:
        store.put([blob])
        places.append(segments_of(tmp_path)[0].stat().st_size - len(blob))
    store.sync()
    (segment,) = segments_of(tmp_path)
    detected = 0
    for trial in range(150):
        number = trial % len(blobs)
        offset, bit = places[number] + rng.randrange(len(blobs[number])), rng.randrange(8)
        flip(segment, offset, bit)
        for other, blob in enumerate(blobs):
            if other == number:
                with pytest.raises(CiphertextDigestError) as caught:
                    read_whole(store, address_of(blob))
                assert caught.value.fields["address"] == address_of(blob)
                detected += 1
            elif trial < 12:
                assert read_whole(store, address_of(blob)) == blob
        flip(segment, offset, bit)
    assert detected == 150


def test_open_without_index_any_flipped_bit_never_gives_other_bytes(tmp_path: Path) -> None:
    rng = random.Random(6)
    blobs = [rng.randbytes(60) for _ in range(8)]
    store = SegmentStore(tmp_path / "a")
    ends = []
    for blob in blobs:
        store.put([blob])
        ends.append(segments_of(tmp_path / "a")[0].stat().st_size)
    store.sync()
    store.close()
    drop_index(tmp_path / "a")
    (segment,) = segments_of(tmp_path / "a")
    size, damaged = segment.stat().st_size, 0
    for trial in range(60):
        copy = tmp_path / f"b{trial}"
        shutil.copytree(tmp_path / "a", copy)
        offset = rng.randrange(len(FILE_HEADER), size)
        flip(copy / segment.name, offset, rng.randrange(8))
        opened = SegmentStore(copy)
        for blob, end in zip(blobs, ends, strict=True):
            try:
                assert read_whole(opened, address_of(blob)) == blob
            except (CiphertextDigestError, DocumentNotFoundError):
                assert end > offset, "a blob before the damage is whole"
                damaged += 1
        opened.put([b"new"])
        opened.sync()
        opened.close()
        assert (copy / segment.name).stat().st_size >= size, "nothing is cut off"
        shutil.rmtree(copy)
    assert damaged >= 60


def test_put_over_a_damaged_blob_mends_it(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path)
    address, _ = store.put([b"precious"])
    store.sync()
    (segment,) = segments_of(tmp_path)
    flip(segment, segment.stat().st_size - 1, 0)
    store.put([b"precious"])
    store.sync()
    assert read_whole(store, address) == b"precious"
    store.close()
    drop_index(tmp_path)
    assert read_whole(SegmentStore(tmp_path), address) == b"precious"


def test_open_without_index_rebuilds_blobs_and_removals(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path, segment_limit_bytes=2000)
    blobs = [f"blob {number}".encode() * 40 for number in range(30)]
    for blob in blobs:
        store.put([blob])
        store.sync()
    for blob in blobs[::3]:
        store.remove(address_of(blob))
    store.put([blobs[0]])
    store.sync()
    store.close()
    assert len(segments_of(tmp_path)) > 3
    drop_index(tmp_path)
    opened = SegmentStore(tmp_path)
    for number, blob in enumerate(blobs):
        assert opened.has(address_of(blob)) == (number % 3 != 0 or number == 0)


def test_put_same_ciphertext_twice_takes_no_space(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path)
    store.put([b"sealed" * 100])
    store.sync()
    (segment,) = segments_of(tmp_path)
    size = segment.stat().st_size
    store.put([b"sealed" * 100])
    store.sync()
    assert segment.stat().st_size == size


def test_sync_costs_one_device_sync_for_many_puts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SegmentStore(tmp_path)
    calls: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (calls.append(fd), real(fd))[1])
    for number in range(100):
        store.put([str(number).encode()])
    before = len(calls)
    store.sync()
    assert len(calls) - before == 1
    store.sync()
    assert len(calls) - before == 1


def test_sync_device_error_is_never_followed_by_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SegmentStore(tmp_path)
    address, _ = store.put([b"lost"])

    def fail(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(DocumentStoreUnavailableError):
            store.sync()
    with pytest.raises(DocumentStoreUnavailableError):
        store.sync()
    with pytest.raises(DocumentStoreUnavailableError):
        store.put([b"next"])
    assert not SegmentStore(tmp_path).has(address)
    store.close()
    reopened = SegmentStore(tmp_path)
    reopened.put([b"next"])
    reopened.sync()


def test_sync_index_error_is_mended_by_the_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SegmentStore(tmp_path)
    address, _ = store.put([b"sealed"])

    def fail(*_arguments: object) -> None:
        raise sqlite3.OperationalError("disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store._index, "add", fail)
        with pytest.raises(DocumentStoreUnavailableError):
            store.sync()
    assert not SegmentStore(tmp_path).has(address)
    store.sync()
    assert SegmentStore(tmp_path).has(address)


def test_put_disk_full_raises_unavailable_and_keeps_earlier_puts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SegmentStore(tmp_path)
    kept, _ = store.put([b"kept"])

    def fail(_fd: int, _data: bytes, _offset: int) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        with pytest.raises(DocumentStoreUnavailableError):
            AgeSealer().seal(store, bytes(range(32)), io.BytesIO(bytes(3_000_000)))
        with pytest.raises(DocumentStoreUnavailableError):
            store.put([b"small"])
    assert store.put([b"after"])[1] == 5
    store.sync()
    opened = SegmentStore(tmp_path)
    assert opened.has(kept)
    assert opened.has(address_of(b"after"))
    assert not opened.has(address_of(b"small"))


def test_put_producer_fails_leaves_no_bytes_behind_later_records(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path)
    store.put([b"before"])
    (segment,) = segments_of(tmp_path)
    size = segment.stat().st_size

    def broken_upload() -> Iterator[bytes]:
        yield bytes(3_000_000)
        assert segment.stat().st_size > 3_000_000, "nothing had been written yet"
        raise RuntimeError("the upload broke off")

    with pytest.raises(RuntimeError):
        store.put(broken_upload())
    assert segment.stat().st_size == size
    store.put([b"after"])
    store.sync()
    store.close()
    drop_index(tmp_path)
    opened = SegmentStore(tmp_path)
    assert opened.has(address_of(b"before"))
    assert opened.has(address_of(b"after"))


def test_put_by_many_threads_all_are_kept(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path, segment_limit_bytes=20_000)
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(40):
                address, _ = store.put([f"{worker}/{number}".encode() * 50])
                store.sync()
                assert SegmentStore(tmp_path).has(address) if number == 39 else store.has(address)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    opened = SegmentStore(tmp_path)
    for worker in range(6):
        for number in range(40):
            data = f"{worker}/{number}".encode() * 50
            assert read_whole(opened, address_of(data)) == data


def test_unseal_damaged_ciphertext_writes_nothing_and_names_the_blob(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path / "documents")
    secret = bytes(range(32))
    sealed = AgeSealer().seal(store, secret, io.BytesIO(bytes(3_000_000)))
    store.sync()
    (segment,) = segments_of(tmp_path / "documents")
    out = tmp_path / "out"
    out.mkdir()
    for offset in (100, 200_000, segment.stat().st_size - 1):
        flip(segment, offset, 3)
        with pytest.raises((CiphertextDigestError, CiphertextAuthError)) as caught:
            AgeSealer().unseal(store, sealed.address, secret, sealed.digest, out / "x")
        named = caught.value.fields.get("name", sealed.address.hex())
        assert named == sealed.address.hex()
        assert list(out.iterdir()) == []
        flip(segment, offset, 3)
    AgeSealer().unseal(store, sealed.address, secret, sealed.digest, out / "x")


def test_remove_unfinished_after_kill_removes_plaintext_parts_only(tmp_path: Path) -> None:
    (tmp_path / ".0011223344556677.part").write_bytes(b"plaintext")
    (tmp_path / "kept").write_bytes(b"")
    assert remove_unfinished(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_open_directory_is_private(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path / "documents")
    store.put([b"x"])
    assert (tmp_path / "documents").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "documents").glob("*.seg"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_open_foreign_segment_file_raises_unavailable(tmp_path: Path) -> None:
    (tmp_path / "0123456789abcdef.seg").write_bytes(b"something else, longer than the header")
    with pytest.raises(DocumentStoreUnavailableError, match="version line"):
        SegmentStore(tmp_path)
