"""Bytes of a segment file: one header line, then records, each written once and never changed.

Spec: docs/spec/documents.md. A record is a 46-byte header (version, kind, length, address,
CRC-32 of those) and its payload. The header is written after the payload: while it is missing the
record does not exist, and where scanning stops is the torn tail.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

FILE_HEADER = b"tongban/segment/v1\n"
_RECORD = struct.Struct(">BBQ32sI")
RECORD_HEADER_BYTES = _RECORD.size
_VERSION = 1
_REMOVAL = struct.Struct(">QQ")
REMOVAL_BYTES = _REMOVAL.size
SCAN_CHUNK_BYTES = 1 << 20


class RecordKind(IntEnum):
    """What a record's payload is."""

    BLOB = 1
    REMOVAL = 2


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """Header of one record.

    Attributes:
        kind: Blob, or the removal of one.
        length_bytes: Length of the payload.
        address: SHA-256 of the blob, 32 bytes (for a removal: of the blob removed).
    """

    kind: RecordKind
    length_bytes: int
    address: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: segment number and offset of its header in bytes."""

    segment: int
    offset: int


@dataclass(frozen=True, slots=True)
class ScannedRecord:
    """A whole record found in a segment; `removes` is set for removals only."""

    header: RecordHeader
    place: Place
    removes: Place | None = None

    @property
    def end(self) -> int:
        """Offset behind the record."""
        return self.place.offset + RECORD_HEADER_BYTES + self.header.length_bytes


def encode_header(header: RecordHeader) -> bytes:
    """46 bytes."""
    body = _RECORD.pack(_VERSION, header.kind, header.length_bytes, header.address, 0)[:-4]
    return body + zlib.crc32(body).to_bytes(4, "big")


def parse_header(data: bytes) -> RecordHeader | None:
    """Read a header; None when it is not whole (torn, never written, damaged)."""
    if len(data) != RECORD_HEADER_BYTES:
        return None
    version, kind, length_bytes, address, checksum = _RECORD.unpack(data)
    known = version == _VERSION and kind in RecordKind.__members__.values()
    if not known or zlib.crc32(data[:-4]) != checksum:
        return None
    return RecordHeader(RecordKind(kind), length_bytes, address)


def encode_removal(removes: Place) -> bytes:
    """Payload of a removal: segment number and offset of the removed record, u64 each."""
    return _REMOVAL.pack(removes.segment, removes.offset)


def scan_records(fd: int, segment: int, start: int) -> Iterator[ScannedRecord]:
    """Whole records of a segment from offset `start` on; ends at the first that is not whole."""
    size = os.fstat(fd).st_size
    while True:
        header = parse_header(os.pread(fd, RECORD_HEADER_BYTES, start))
        if header is None or start + RECORD_HEADER_BYTES + header.length_bytes > size:
            return
        removes = None
        if header.kind is RecordKind.REMOVAL:
            payload = os.pread(fd, REMOVAL_BYTES, start + RECORD_HEADER_BYTES)
            removes = Place(*_REMOVAL.unpack(payload))
        record = ScannedRecord(header, Place(segment, start), removes)
        yield record
        start = record.end


def read_payload(fd: int, record_offset: int, length_bytes: int) -> Iterator[bytes]:
    """Payload in chunks of at most 1 MiB; shorter than asked where the file ends."""
    at = record_offset + RECORD_HEADER_BYTES
    end = at + length_bytes
    while at < end:
        chunk = os.pread(fd, min(SCAN_CHUNK_BYTES, end - at), at)
        if not chunk:
            return
        yield chunk
        at += len(chunk)


def is_intact(fd: int, record: ScannedRecord) -> bool:
    """Whether a blob's bytes still have its address as digest."""
    if record.header.kind is RecordKind.REMOVAL:
        return True
    hasher = hashlib.sha256()
    for chunk in read_payload(fd, record.place.offset, record.header.length_bytes):
        hasher.update(chunk)
    return hasher.digest() == record.header.address
