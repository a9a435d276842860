"""The directory document store: append-only segment files and one derived index.

Step 1 of the data flow. Spec: docs/spec/documents.md. Puts append to a segment the process owns
and cost no sync; `sync` is the group commit: one fdatasync per segment written to, then one
transaction of the index, after which every process sees the blobs. Threads that put at the same
time write different segments; threads that sync at the same time share one sync.

Invariants:
    * The index lists only what is durable; a blob is listed once.
    * A record is never changed; only a tail that was never synced is cut off.
    * After a failed sync nothing is written any more until the store is opened again: the
      operating system may have dropped the bytes and would report success the next time.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger_node.edges.documents.segment_format import ScannedRecord, read_payload
from ledger_node.edges.documents.segment_index import IndexedBlob, SegmentIndex
from ledger_node.edges.documents.segment_writer import (
    SUFFIX,
    SegmentWriteError,
    SegmentWriter,
    segment_path,
)
from ledger_node.edges.files import make_private_directory, sync_directory
from ledger_node.ports.documents import (
    ByteSink,
    CiphertextDigestError,
    DocumentNotFoundError,
    DocumentStoreUnavailableError,
)

SEGMENT_LIMIT_BYTES = 256 << 20
_NAME = re.compile(rf"([0-9a-f]{{16}}){re.escape(SUFFIX)}")


class SegmentStore:
    """`DocumentStore` over a directory; see the port for its promises."""

    def __init__(self, directory: Path, *, segment_limit_bytes: int = SEGMENT_LIMIT_BYTES) -> None:
        """Open (or create) a store; segments left behind by a dead process are taken up.

        Raises:
            DocumentStoreUnavailableError: The directory cannot be used.
        """
        self._directory = directory
        self._limit_bytes = segment_limit_bytes
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._free: list[SegmentWriter] = []
        self._retired: list[SegmentWriter] = []
        self._failed = False
        self._dirty: dict[SegmentWriter, list[ScannedRecord]] = {}
        self._pending: dict[bytes, IndexedBlob] = {}
        with _our_errors():
            make_private_directory(directory)
            self._index = SegmentIndex(directory / "index.db")
            self._recover_all()

    def put(self, chunks: Iterable[bytes]) -> tuple[bytes, int]:
        """Store ciphertext; returns (address, length in bytes)."""

        def produce(sink: ByteSink) -> None:
            for chunk in chunks:
                sink.write(chunk)

        return self.put_from(produce)

    def put_from(self, produce: Callable[[ByteSink], object]) -> tuple[bytes, int]:
        """Store what `produce` writes; returns (address, length in bytes)."""
        writer = self._acquire()
        try:
            try:
                record = writer.append_blob(produce)
            except SegmentWriteError as error:
                raise DocumentStoreUnavailableError(str(error)) from error
            self._take_in(writer, record)
        finally:
            self._release(writer)
        return record.header.address, record.header.length_bytes

    def sync(self) -> None:
        """Make every put that has returned durable, here and for other processes."""
        with self._sync_lock:
            self._demand_sound()
            with self._lock:
                batch, self._dirty = self._dirty, {}
            if batch:
                self._sync_batch(batch)
            self._close_retired()

    def read(self, address: bytes) -> Iterator[bytes]:
        """Ciphertext in chunks of at most 1 MiB; the digest is checked before the last chunk."""
        found = self._find(address)
        if found is None:
            raise DocumentNotFoundError(address)
        return self._read_checked(address, found)

    def has(self, address: bytes) -> bool:
        """Whether the blob is stored and not known to be damaged."""
        found = self._find(address)
        return found is not None and not found.damaged

    def remove(self, address: bytes) -> None:
        """Forget a blob; durable when it returns."""
        self.sync()
        found = self._find(address)
        if found is None:
            return
        writer = self._acquire()
        try:
            with _our_errors():
                record = writer.append_removal(address, found.place)
            with self._lock:
                self._dirty.setdefault(writer, []).append(record)
        finally:
            self._release(writer)
        self.sync()

    def list_addresses(self) -> Iterator[bytes]:
        """Addresses of the blobs the index lists, ascending."""
        after = b""
        while True:
            with _our_errors():
                page = self._index.list_addresses(after)
            if not page:
                return
            yield from page
            after = page[-1]

    def close(self) -> None:
        """Give up the segments and close the index; what was not synced may be lost."""
        with self._sync_lock, self._lock:
            for writer in [*self._free, *self._retired]:
                writer.close()
            self._free, self._retired = [], []
            self._index.close()

    def _find(self, address: bytes) -> IndexedBlob | None:
        with self._lock:
            pending = self._pending.get(address)
        if pending is not None:
            return pending
        with _our_errors():
            return self._index.find(address)

    def _read_checked(self, address: bytes, found: IndexedBlob) -> Iterator[bytes]:
        """Chunks of the blob; the last is held back until the digest is right."""
        hasher = hashlib.sha256()
        held: bytes | None = None
        for chunk in self._read_raw(found):
            if held is not None:
                yield held
            hasher.update(chunk)
            held = chunk
        if hasher.digest() != address:
            raise CiphertextDigestError(address)
        if held is not None:
            yield held

    def _read_raw(self, found: IndexedBlob) -> Iterator[bytes]:
        path = segment_path(self._directory, found.place.segment)
        with _our_errors():
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            chunks = read_payload(fd, found.place.offset, found.length_bytes)
            while True:
                with _our_errors():
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk
        finally:
            os.close(fd)

    def _take_in(self, writer: SegmentWriter, record: ScannedRecord) -> None:
        """Count a finished record, or take it back when the blob is stored already and whole."""
        address = record.header.address
        stored = self._find(address)
        if stored is not None and self._is_intact(address, stored):
            writer.take_back(record)
            return
        self._demand_sound()
        with self._lock:
            self._dirty.setdefault(writer, []).append(record)
            self._pending[address] = IndexedBlob(record.place, record.header.length_bytes)

    def _is_intact(self, address: bytes, found: IndexedBlob) -> bool:
        try:
            for _ in self._read_checked(address, found):
                pass
        except CiphertextDigestError:
            with _our_errors():
                self._index.mark_damaged(address, found.place)
            return False
        return True

    def _sync_batch(self, batch: dict[SegmentWriter, list[ScannedRecord]]) -> None:
        try:
            for writer in batch:
                writer.sync()
        except OSError as error:
            self._failed = True
            raise DocumentStoreUnavailableError(str(error)) from error
        records = [record for group in batch.values() for record in group]
        try:
            with _our_errors():
                ends = {writer.segment: group[-1].end for writer, group in batch.items()}
                self._index.add(records, ends)
        except DocumentStoreUnavailableError:
            with self._lock:  # durable already, only not listed: the next sync lists them
                for writer, group in batch.items():
                    self._dirty[writer] = group + self._dirty.get(writer, [])
            raise
        with self._lock:
            for record in records:
                self._pending.pop(record.header.address, None)

    def _demand_sound(self) -> None:
        if self._failed:
            raise DocumentStoreUnavailableError("an earlier sync failed; open the store again")

    def _acquire(self) -> SegmentWriter:
        """A segment this thread alone appends to: an own one, one nobody holds, or a new one."""
        self._demand_sound()
        with self._lock:
            if self._free:
                return self._free.pop()
        with _our_errors():
            for segment, size in self._list_segments():
                if size < self._limit_bytes:
                    writer = SegmentWriter.open(self._directory, segment, self._index)
                    if writer is not None:
                        return writer
            while True:
                number = secrets.randbits(64)
                writer = SegmentWriter.open(self._directory, number, self._index)
                if writer is not None:
                    sync_directory(self._directory)
                    return writer

    def _release(self, writer: SegmentWriter) -> None:
        with self._lock:
            retire = writer.broken or writer.end >= self._limit_bytes
            (self._retired if retire else self._free).append(writer)

    def _close_retired(self) -> None:
        """Give up full segments whose records are all synced."""
        with self._lock:
            done = [writer for writer in self._retired if writer not in self._dirty]
            self._retired = [writer for writer in self._retired if writer in self._dirty]
        for writer in done:
            writer.close()

    def _list_segments(self) -> list[tuple[int, int]]:
        """Number and size in bytes of every segment file."""
        with os.scandir(self._directory) as entries:
            return [
                (int(match.group(1), 16), entry.stat().st_size)
                for entry in entries
                if (match := _NAME.fullmatch(entry.name))
            ]

    def _recover_all(self) -> None:
        for segment, size in self._list_segments():
            if size != self._index.indexed_to(segment):
                writer = SegmentWriter.open(self._directory, segment, self._index)
                if writer is not None:
                    writer.close()


@contextmanager
def _our_errors() -> Iterator[None]:
    """Nothing but this project's errors leaves the edge."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise DocumentStoreUnavailableError(str(error)) from error
