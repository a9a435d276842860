"""The worked example of docs/spec/documents.md is what the code writes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ledger_node.edges.documents.segment_format import (
    FILE_HEADER,
    REMOVAL_BYTES,
    Place,
    RecordHeader,
    RecordKind,
    encode_header,
    encode_removal,
    parse_header,
)

SPEC = Path(__file__).parents[3] / "docs" / "spec" / "documents.md"


def test_encode_header_gives_the_documented_bytes() -> None:
    text = SPEC.read_text("utf-8")
    address = hashlib.sha256(b"abc").digest()
    blob = encode_header(RecordHeader(RecordKind.BLOB, 3, address))
    removal = encode_header(RecordHeader(RecordKind.REMOVAL, REMOVAL_BYTES, address))
    place = encode_removal(Place(0x79056B959FBFE7CF, len(FILE_HEADER)))
    for expected in (
        FILE_HEADER.hex(),
        f"{blob.hex()} {b'abc'.hex()}",
        f"{removal.hex()} {place.hex()}",
    ):
        assert expected in text


def test_parse_header_any_flipped_bit_is_no_header() -> None:
    header = RecordHeader(RecordKind.BLOB, 3, hashlib.sha256(b"abc").digest())
    data = encode_header(header)
    assert parse_header(data) == header
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        assert parse_header(bytes(changed)) is None
    assert parse_header(data[:-1]) is None
    assert parse_header(bytes(len(data))) is None
