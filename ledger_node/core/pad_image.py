"""Whether bytes are the image of a signature: what a pad or a scanner may hand in.

Only what has to be judged before it is sealed; nothing is drawn or kept decoded. A pad image is a
PNG of bounded size in which something is drawn; a slip is a PNG, JPEG or PDF by its first bytes.
Spec: docs/spec/ceremony.md, section "Signature".
"""

from __future__ import annotations

import zlib
from typing import Final

from ledger_node.core.errors import MalformedInputError

MAX_PAD_BYTES: Final = 512 * 1024
MAX_SLIP_BYTES: Final = 8 * 1024 * 1024
MAX_SIDE_PX: Final = 4096
MIN_SIDE_PX: Final = 40
MAX_RAW_BYTES: Final = 32 * 1024 * 1024
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SLIPS: Final = (_PNG, b"\xff\xd8\xff", b"%PDF-")
_BLANK_VALUES: Final = 4
"""An evenly coloured image has at most this many byte values: colour channels and filter type."""


class PadImageError(MalformedInputError):
    """Not the image of a signature.

    Fields: reason (form, size, blank).
    """

    code = "signature_image"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "签名图像不合格：请在签名框内签名后再提交。",
            f"the image is no signature ({reason}); sign inside the box and send it again.",
            reason=reason,
        )


def read_pad_image(data: bytes) -> tuple[int, int]:
    """Width and height of a pad image in which something is drawn.

    Raises:
        PadImageError: Not a PNG (form), too large or too small (size), nothing drawn (blank).
    """
    if len(data) > MAX_PAD_BYTES:
        raise PadImageError("size")
    if len(data) < 33 or not data.startswith(_PNG) or data[12:16] != b"IHDR":
        raise PadImageError("form")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in (width, height)):
        raise PadImageError("size")
    _demand_drawn(_read_pixels(data))
    return width, height


def read_slip_image(data: bytes) -> None:
    """Check that a scanned slip is of a kind that can be looked at later.

    Raises:
        PadImageError: Another kind (form), or too large (size).
    """
    if not 0 < len(data) <= MAX_SLIP_BYTES:
        raise PadImageError("size")
    if not data.startswith(_SLIPS):
        raise PadImageError("form")


def _read_pixels(data: bytes) -> bytes:
    """Inflated image data of a PNG, bounded."""
    parts, at = [], len(_PNG)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if at + 12 + size > len(data):
            raise PadImageError("form")
        if kind == b"IDAT":
            parts.append(data[at + 8 : at + 8 + size])
        at += 12 + size
        if kind == b"IEND":
            break
    try:
        return zlib.decompressobj().decompress(b"".join(parts), MAX_RAW_BYTES)
    except zlib.error:
        raise PadImageError("form") from None


def _demand_drawn(pixels: bytes) -> None:
    if len(set(pixels)) <= _BLANK_VALUES:
        raise PadImageError("blank")
