"""Images as a signature pad hands them in: RGBA PNGs made of nothing but the standard library."""

from __future__ import annotations

import struct
import zlib

WIDTH, HEIGHT = 320, 120


def draw_pad(drawn: bool = True, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A pad with a slanted stroke in shades of grey, or an empty one."""
    rows = []
    for y in range(height):
        row = bytearray(b"\xff\xff\xff\xff" * width)
        if drawn:
            for step in range(6):
                x = (y * 2 + step) % width
                shade = 20 * step
                row[4 * x : 4 * x + 4] = bytes([shade, shade, shade, 255])
        rows.append(b"\x00" + bytes(row))
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
