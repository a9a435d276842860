"""OFD (GB/T 33190), a ZIP archive: parts with plain names, of bounded size, that inflate whole."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Final

from ledger_node.edges.rendering.inspect_limits import (
    CHUNK_BYTES,
    MAX_PAGES,
    MAX_STREAM_BYTES,
    Budget,
    RefusedFileError,
)
from ledger_node.ports.inspecting import Finding

ROOT: Final = "OFD.xml"
MAX_PARTS: Final = 10_000
LOCKED_FLAG: Final = 0x1
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
END_BYTES: Final = 22
END_MAGIC: Final = b"PK\x05\x06"
NAME: Final = re.compile(r"[^/\\\x00-\x1f:]+(?:/[^/\\\x00-\x1f:]+)*/?")
XML_TRAPS: Final = (b"<!doctype", b"<!entity")
PROGRAMS: Final = (b"PK\x03\x04", b"MZ", b"\x7fELF", b"%PDF-")
PAGE: Final = re.compile(rb"<(?:\w+:)?Page\s")


def inspect_ofd(data: bytes) -> int:
    """Pages of an OFD that may be stored.

    Raises:
        RefusedFileError: It may not.
    """
    if END_MAGIC not in data:
        raise RefusedFileError(Finding.DAMAGED)
    if data.rfind(END_MAGIC) != len(data) - END_BYTES:
        raise RefusedFileError(Finding.TWO_KINDS)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        names = [part.orig_filename for part in parts]
        if ROOT not in names:
            raise RefusedFileError(Finding.UNKNOWN)
        if len(names) > MAX_PARTS or sum(part.compress_size for part in parts) > len(data):
            raise RefusedFileError(Finding.INFLATES)
        demand_names(names)
        budget, pages = Budget(), 0
        for part in parts:
            pages += _read_part(archive, part, budget)
    if pages > MAX_PAGES:
        raise RefusedFileError(Finding.TOO_MANY_PAGES)
    return max(1, pages)


def demand_names(names: list[str]) -> None:
    """Refuse names that lead out of a folder, or stand for two parts.

    Raises:
        RefusedFileError: There is one.
    """
    folded = [name.casefold() for name in names]
    plain = all(NAME.fullmatch(name) and ".." not in name.split("/") for name in names)
    if not plain or len(set(folded)) != len(folded):
        raise RefusedFileError(Finding.UNSAFE_NAMES)


def _read_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, budget: Budget) -> int:
    """Pages that a part lists; it is read to its end, where its checksum is compared."""
    if part.flag_bits & LOCKED_FLAG:
        raise RefusedFileError(Finding.LOCKED)
    if part.compress_type not in METHODS or part.file_size > MAX_STREAM_BYTES:
        raise RefusedFileError(Finding.INFLATES)
    pages, first, lower = 0, True, part.orig_filename.lower()
    try:
        with archive.open(part) as source:
            while chunk := source.read(CHUNK_BYTES):
                budget.take(len(chunk))
                if first and chunk.startswith(PROGRAMS):
                    raise RefusedFileError(Finding.CARRIES_FILES)
                if lower.endswith(".xml") and any(each in chunk.lower() for each in XML_TRAPS):
                    raise RefusedFileError(Finding.INFLATES)
                if lower.endswith("document.xml"):
                    pages += len(PAGE.findall(chunk))
                first = False
    except zipfile.BadZipFile as error:
        raise RefusedFileError(Finding.DAMAGED) from error
    except zlib.error as error:
        raise RefusedFileError(Finding.DAMAGED) from error
    return pages
