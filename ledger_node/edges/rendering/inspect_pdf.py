"""PDFs: whole, readable by everybody, without programs and files inside.

What PDFium says of a document is not enough: it counts scripts of the document, not those of a
button or a page. So the bytes are searched for the names themselves, in clear and inside every
deflated stream; the names are long enough not to stand in compressed bytes by chance.
"""

from __future__ import annotations

import re
from typing import Final

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from ledger_node.edges.rendering.inspect_limits import (
    CHUNK_BYTES,
    MAX_PAGES,
    MAX_PIXELS,
    Budget,
    RefusedFileError,
    inflate,
)
from ledger_node.ports.inspecting import Finding

TAIL_BYTES: Final = 2048
OVERLAP: Final = 64
NO_HANDLER: Final = -1
ACTIVE: Final = re.compile(rb"/(?:JavaScript|Launch|ImportData|RichMedia|GoToE)\b|/XFA\s*[\[0-9<]")
CARRIES: Final = re.compile(rb"/EmbeddedFiles?\b")
ESCAPED: Final = re.compile(rb"#([0-9a-fA-F]{2})")
STREAM: Final = re.compile(rb"stream\r?\n")
DICTIONARY_BYTES: Final = 2000
SIDES: Final = (re.compile(rb"/Width\s+(\d{1,10})"), re.compile(rb"/Height\s+(\d{1,10})"))
OBJECT_STREAM: Final = re.compile(rb"/ObjStm\b")
FILTER: Final = re.compile(rb"/(?:Filter|F)\s*(\[[^\]]*\]|/\w+)")


def inspect_pdf(data: bytes) -> int:
    """Pages of a PDF that may be stored.

    Raises:
        RefusedFileError: It may not.
    """
    demand_whole(data)
    pages = _ask_pdfium(data)
    search(data)
    return pages


def demand_whole(data: bytes) -> None:
    """Refuse a file without its end, or with something behind it.

    Raises:
        RefusedFileError: So it is.
    """
    at = data.rfind(b"%%EOF")
    if at < 0 or b"startxref" not in data[max(0, at - TAIL_BYTES) : at]:
        raise RefusedFileError(Finding.DAMAGED)
    if data[at + 5 :].strip(b"\x00\t\n\f\r \x1a"):
        raise RefusedFileError(Finding.TWO_KINDS)


def _ask_pdfium(data: bytes) -> int:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
        raise RefusedFileError(Finding.LOCKED if locked else Finding.DAMAGED) from error
    if pdfium.FPDF_GetSecurityHandlerRevision(document) != NO_HANDLER:
        raise RefusedFileError(Finding.LOCKED)
    if pdfium.FPDFDoc_GetJavaScriptActionCount(document) > 0:
        raise RefusedFileError(Finding.ACTIVE)
    if pdfium.FPDFDoc_GetAttachmentCount(document) > 0:
        raise RefusedFileError(Finding.CARRIES_FILES)
    pages = len(document)
    if pages > MAX_PAGES:
        raise RefusedFileError(Finding.TOO_MANY_PAGES)
    if pages < 1:
        raise RefusedFileError(Finding.DAMAGED)
    for number in range(pages):  # a page that is counted and not there is found here
        document[number].close()
    return pages


def search(data: bytes) -> None:
    """Look for names of what does something or carries something, in clear and deflated.

    Raises:
        RefusedFileError: One is there, or a stream becomes too much.
    """
    for at in range(0, len(data), CHUNK_BYTES):
        demand_still(data[at : at + CHUNK_BYTES + OVERLAP])
    budget = Budget()
    for found in STREAM.finditer(data):
        head = data[max(0, found.start() - DICTIONARY_BYTES) : found.start()]
        dictionary = unescape(head[head.rfind(b" obj") :])
        demand_sides(dictionary)
        filters = b" ".join(FILTER.findall(dictionary))
        if filters.count(b"Flate") > 1 or filters.count(b"/Fl") > 1:
            raise RefusedFileError(Finding.INFLATES)
        if OBJECT_STREAM.search(dictionary) and filters.strip(b"[] ") not in (b"", b"/FlateDecode"):
            raise RefusedFileError(Finding.DAMAGED)  # objects nobody could look for
        end = data.find(b"endstream", found.end())
        kept = b""
        for chunk in inflate(data[found.end() : end if end >= 0 else len(data)], budget):
            demand_still(kept + chunk)
            kept = chunk[-OVERLAP:]


def demand_still(data: bytes) -> None:
    """Refuse bytes that name an action or a file inside.

    Raises:
        RefusedFileError: They do.
    """
    plain = unescape(data) if b"#" in data else data
    if ACTIVE.search(plain):
        raise RefusedFileError(Finding.ACTIVE)
    if CARRIES.search(plain):
        raise RefusedFileError(Finding.CARRIES_FILES)


def demand_sides(dictionary: bytes) -> None:
    """Refuse a picture with more pixels than a paper has.

    Raises:
        RefusedFileError: It has.
    """
    width, height = (side.search(dictionary) for side in SIDES)
    if width and height and int(width[1]) * int(height[1]) > MAX_PIXELS:
        raise RefusedFileError(Finding.INFLATES)


def unescape(data: bytes) -> bytes:
    """Names as they are meant: `#4a` is `J`."""
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), data)
