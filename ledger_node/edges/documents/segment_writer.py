"""One segment file, open for appending by its one owner.

The owner holds an exclusive lock on the file until it is closed, so several processes may write
the same directory, each its own segments. What an owner that died left behind the index is taken
up when the next owner opens the file: whole records are indexed, the torn tail is cut off. A
segment the index has lost is read, never cut: what cannot be understood there stays as it is.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from ledger_node.edges.documents.segment_format import (
    FILE_HEADER,
    REMOVAL_BYTES,
    Place,
    RecordHeader,
    RecordKind,
    ScannedRecord,
    encode_header,
    encode_removal,
    is_intact,
    scan_records,
)
from ledger_node.edges.documents.segment_format import RECORD_HEADER_BYTES as HEADER_BYTES
from ledger_node.edges.documents.segment_index import SegmentIndex
from ledger_node.edges.files import pwrite_all
from ledger_node.ports.documents import ByteSink

SUFFIX = ".seg"
WRITE_CHUNK_BYTES = 1 << 20


def segment_path(directory: Path, segment: int) -> Path:
    """File of a segment: its number as 16 hex digits."""
    return directory / f"{segment:016x}{SUFFIX}"


class SegmentWriteError(OSError):
    """The segment file could not be written, as against the producer's own failure."""


class BlobSink:
    """Takes a blob's bytes behind an unwritten header; hashes them on the way."""

    __slots__ = ("_buffer", "_fd", "_hasher", "_start", "failure", "length_bytes")

    def __init__(self, fd: int, start: int) -> None:
        self._fd, self._start = fd, start
        self._buffer = bytearray()
        self._hasher = hashlib.sha256()
        self.length_bytes = 0
        self.failure: OSError | None = None

    def write(self, data: bytes, /) -> int:
        """Take the next bytes."""
        self._hasher.update(data)
        self._buffer += data
        self.length_bytes += len(data)
        if len(self._buffer) >= WRITE_CHUNK_BYTES:
            self._spill()
        return len(data)

    def flush(self) -> None:
        """Nothing to do: bytes count only once the header is written."""

    def finish(self) -> RecordHeader:
        """Write what is left, then the header that makes the record exist."""
        header = RecordHeader(RecordKind.BLOB, self.length_bytes, self._hasher.digest())
        encoded = encode_header(header)
        if len(self._buffer) == self.length_bytes:
            self._write_at(self._start, encoded + self._buffer)
        else:
            self._spill()
            self._write_at(self._start, encoded)
        return header

    def _spill(self) -> None:
        at = self._start + HEADER_BYTES + self.length_bytes - len(self._buffer)
        self._write_at(at, self._buffer)
        self._buffer = bytearray()

    def _write_at(self, offset: int, data: bytes | bytearray) -> None:
        try:
            pwrite_all(self._fd, data, offset)
        except OSError as error:
            self.failure = error
            raise


class SegmentWriter:
    """Appends records to one segment; used by one thread at a time (`sync` by any)."""

    def __init__(self, fd: int, segment: int, end: int) -> None:
        """Own a locked descriptor whose file is whole up to `end`."""
        self._fd = fd
        self.segment = segment
        self.end = end
        self.broken = False

    @classmethod
    def open(cls, directory: Path, segment: int, index: SegmentIndex) -> SegmentWriter | None:
        """Lock a segment (made when new), bring the index up to its end, cut off a torn tail.

        Returns:
            The writer, or None when another owner holds the segment or it is closed.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        fd = os.open(segment_path(directory, segment), flags, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            end = _recover(fd, segment, index)
        except BlockingIOError:
            os.close(fd)
            return None
        except BaseException:
            os.close(fd)
            raise
        if end is None:
            os.close(fd)
            return None
        return cls(fd, segment, end)

    def append_blob(self, produce: Callable[[ByteSink], object]) -> ScannedRecord:
        """Append what `produce` writes; when it fails, the segment is as it was before.

        Raises:
            SegmentWriteError: The segment cannot be written. What `produce` raises goes through.
        """
        start = self.end
        sink = BlobSink(self._fd, start)
        try:
            produce(sink)
            header = sink.finish()
        except BaseException as error:
            self._cut(start)
            if sink.failure is not None:
                raise SegmentWriteError(*sink.failure.args) from error
            raise
        record = ScannedRecord(header, Place(self.segment, start))
        self.end = record.end
        return record

    def append_removal(self, address: bytes, removes: Place) -> ScannedRecord:
        """Append the note that the blob at `removes` is forgotten."""
        header = RecordHeader(RecordKind.REMOVAL, REMOVAL_BYTES, address)
        pwrite_all(self._fd, encode_header(header) + encode_removal(removes), self.end)
        record = ScannedRecord(header, Place(self.segment, self.end), removes)
        self.end = record.end
        return record

    def take_back(self, record: ScannedRecord) -> None:
        """Cut off the last record: the blob was stored already."""
        self._cut(record.place.offset)

    def _cut(self, end: int) -> None:
        """End the file at `end`; bytes of an unfinished record must not stay behind a later one."""
        self.end = end
        try:
            os.ftruncate(self._fd, end)
        except OSError:
            self.broken = True

    def sync(self) -> None:
        """Make every finished record durable."""
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Give the segment up; another owner may take it."""
        os.close(self._fd)


def _recover(fd: int, segment: int, index: SegmentIndex) -> int | None:
    """Bring index and file together; returns where the next record goes, None when nowhere."""
    if index.is_closed(segment):
        return None
    size = _ensure_file_header(fd, segment)
    known = index.indexed_to(segment)
    if known > size:
        index.forget_segment(segment)
        known = 0
    start = max(known, len(FILE_HEADER))
    records = list(scan_records(fd, segment, start))
    end = records[-1].end if records else start
    understood = end == size
    if not understood and known:
        os.ftruncate(fd, end)
    if end != known or not understood:
        os.fdatasync(fd)
        damaged = frozenset(record.place for record in records if not is_intact(fd, record))
        index.add(records, {segment: end}, damaged)
    if not understood and not known:
        index.close_segment(segment)
        return None
    return end


def _ensure_file_header(fd: int, segment: int) -> int:
    """Write the version line of a new file; returns the file's size."""
    size = os.fstat(fd).st_size
    found = os.pread(fd, len(FILE_HEADER), 0)
    if found == FILE_HEADER:
        return size
    if size > len(FILE_HEADER) or not FILE_HEADER.startswith(found.rstrip(b"\0")):
        raise OSError(f"segment {segment:016x} does not start with its version line")
    os.ftruncate(fd, 0)
    pwrite_all(fd, FILE_HEADER, 0)
    return len(FILE_HEADER)
