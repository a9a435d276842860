"""Frames between the bridge and its worker: u32 length, JSON object, then `bytes` bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import BinaryIO, Final

MAX_HEAD_BYTES: Final = 1024 * 1024


class BrokenFrameError(Exception):
    """The stream ended or lied about a length."""


def write_frame(sink: BinaryIO, head: Mapping[str, object], data: bytes = b"") -> None:
    """Write one frame and flush."""
    encoded = json.dumps({**head, "bytes": len(data)}).encode()
    sink.write(struct.pack(">I", len(encoded)) + encoded + data)
    sink.flush()


def read_frame(source: BinaryIO, most_bytes: int = 1 << 31) -> tuple[dict[str, object], bytes]:
    """Read one frame.

    Raises:
        BrokenFrameError: Not a frame, or more than `most_bytes`.
    """
    (length,) = struct.unpack(">I", _read(source, 4))
    if length > MAX_HEAD_BYTES:
        raise BrokenFrameError
    head = json.loads(_read(source, length))
    size = head.pop("bytes", None) if isinstance(head, dict) else None
    if not isinstance(size, int) or not 0 <= size <= most_bytes:
        raise BrokenFrameError
    return head, _read(source, size)


def _read(source: BinaryIO, length: int) -> bytes:
    data = source.read(length)
    if len(data) != length:
        raise BrokenFrameError
    return data
