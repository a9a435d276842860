"""Files that are really what they say: the smallest PDF with a text, of any size wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pypdfium2 as pdfium

END = b"%%EOF\n"


def build_pdf(
    text: bytes = b"", *, more: Sequence[bytes] = (), catalogue: bytes = b"", trailer: bytes = b""
) -> bytes:
    """One page that holds `text` in clear.

    Args:
        more: Further objects, numbered from 5.
        catalogue, trailer: Further members of these dictionaries.
    """
    objects = [
        b"<</Type/Catalog/Pages 2 0 R" + catalogue + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        build_stream(b"% " + text.replace(b"\n", b" ") + b"\n"),
        *more,
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, count = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (count, trailer)
    return out + b"startxref\n%d\n" % start + END


def build_stream(data: bytes, members: bytes = b"") -> bytes:
    """A stream object's body."""
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(data), members, data)


def build_pdf_of(size_bytes: int) -> bytes:
    """A PDF of exactly so many bytes."""
    bare = len(build_pdf())
    made = build_pdf(b"x" * (size_bytes - bare))
    while len(made) > size_bytes:  # the numbers of length and place grew too
        bare += len(made) - size_bytes
        made = build_pdf(b"x" * (size_bytes - bare))
    return made


def squeeze(text: str) -> str:
    """Without what line breaks and columns add."""
    return re.sub(r"\s|\ufffe|\x00", "", text)


def read_pdf(pdf: bytes) -> str:
    """What stands on all pages, squeezed."""
    document = pdfium.PdfDocument(pdf)
    try:
        return squeeze("".join(page.get_textpage().get_text_range() for page in document))
    finally:
        document.close()
