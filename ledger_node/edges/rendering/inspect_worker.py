"""The inspecting process: reads a file from standard input, writes one JSON line.

`{"kind": media type, "pages": n}` or `{"refused": a word of ports.inspecting.Finding}`. It bounds
itself before it reads the first byte.
"""

from __future__ import annotations

import io
import json
import mmap
import resource
import sys
import zipfile
from typing import Final

from PIL import Image

from ledger_node.edges.rendering.inspect_limits import (
    CPU_S,
    MAX_PAGES,
    MAX_PIXELS,
    MEMORY_BYTES,
    RefusedFileError,
)
from ledger_node.edges.rendering.inspect_pdf import inspect_pdf
from ledger_node.edges.rendering.inspect_zip import inspect_ofd
from ledger_node.ports.inspecting import Finding

HEAD_BYTES: Final = 4096
IMAGES: Final = {
    "PNG": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "JPEG": ("image/jpeg", b"\xff\xd8\xff"),
    "TIFF": ("image/tiff", b"II*\x00"),
}
TIFF_BIG_ENDIAN: Final = b"MM\x00*"
MARKUP: Final = (b"<html", b"<script", b"<!doctype", b"<?php", b"<svg", b"%pdf-")
PNG_END: Final = b"IEND\xaeB`\x82"


def limit() -> None:
    """Little memory, little time, nothing written, nothing started."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = None  # counted below, before anything is decoded


def read_input() -> bytes:
    """The whole file: from its beginning where it is a file, as it comes where it is a pipe."""
    try:
        with mmap.mmap(0, 0, access=mmap.ACCESS_READ) as mapped:
            return mapped[:]
    except (OSError, ValueError):
        return sys.stdin.buffer.read()


def inspect(data: bytes) -> tuple[str, int]:
    """Media type by the bytes, and pages.

    Raises:
        RefusedFileError: It may not be stored.
    """
    head = data[:HEAD_BYTES]
    if head.startswith(b"%PDF-"):
        demand_one_kind(data, head[5:])
        return "application/pdf", inspect_pdf(data)
    for name, (kind, magic) in IMAGES.items():
        if head.startswith(magic) or (name == "TIFF" and head.startswith(TIFF_BIG_ENDIAN)):
            demand_one_kind(data, head)
            return kind, inspect_image(data, name)
    if head.startswith(b"PK\x03\x04"):
        return "application/ofd", inspect_ofd(data)
    raise RefusedFileError(Finding.UNKNOWN)


def demand_one_kind(data: bytes, head: bytes) -> None:
    """Refuse a file that other programs would take for something else.

    Raises:
        RefusedFileError: It is a ZIP archive too, or begins like a page of the web.
    """
    lower = head.lower()
    if any(each in lower for each in MARKUP) or zipfile.is_zipfile(io.BytesIO(data)):
        raise RefusedFileError(Finding.TWO_KINDS)


def inspect_image(data: bytes, name: str) -> int:
    """Pages of a picture that decodes to its last byte.

    Raises:
        RefusedFileError: Too many pixels or pages, cut off, or something stands behind it.
    """
    if name == "PNG" and not data.endswith(PNG_END):
        raise RefusedFileError(Finding.TWO_KINDS if PNG_END in data else Finding.DAMAGED)
    with Image.open(io.BytesIO(data), formats=(name,)) as picture:
        demand_pixels(picture.width * picture.height)
        pages = getattr(picture, "n_frames", 1)
        if name != "TIFF" and pages > 1:  # an animation is no paper
            raise RefusedFileError(Finding.UNKNOWN)
        if pages > MAX_PAGES:
            raise RefusedFileError(Finding.TOO_MANY_PAGES)
        total = 0
        for number in range(pages):
            picture.seek(number)
            total += picture.width * picture.height
            demand_pixels(total)
            picture.load()
    return int(pages)


def demand_pixels(count: int) -> None:
    """Refuse more pixels than a paper has.

    Raises:
        RefusedFileError: More than `MAX_PIXELS`.
    """
    if count > MAX_PIXELS:
        raise RefusedFileError(Finding.INFLATES)


def say(data: bytes) -> dict[str, str | int]:
    """The answer."""
    try:
        kind, pages = inspect(data)
    except RefusedFileError as refusal:
        return {"refused": refusal.finding.value}
    except MemoryError:
        return {"refused": Finding.INFLATES.value}
    except Exception:  # noqa: BLE001 (whatever a stranger's file does, the answer is the same)
        return {"refused": Finding.DAMAGED.value}
    return {"kind": kind, "pages": pages}


def main() -> int:
    """Look and say."""
    limit()
    sys.stdout.write(json.dumps(say(read_input())))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
