"""The upload corpus: one small file per trick, made here, named for what it tries.

`python -m tests.uploads.tricks FOLDER` writes them out, to look at one with other programs.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, PngImagePlugin

from tests.support.pdf import build_pdf, build_stream

PDF, OFD = "application/pdf", "application/ofd"
PNG, JPEG, TIFF = "image/png", "image/jpeg", "image/tiff"
OFD_ROOT = b'<?xml version="1.0"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016"/>'
OFD_PAGES = b'<ofd:Document><ofd:Page ID="1"/><ofd:Page ID="2"/></ofd:Document>'


@dataclass(frozen=True)
class Trick:
    """A file that is refused.

    Attributes:
        make: Its bytes.
        declared: Media type its sender names.
        code: Of the refusal.
        slow: Takes seconds; only in full runs.
    """

    make: Callable[[], bytes]
    declared: str
    code: str
    slow: bool = False


def draw(
    kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: object
) -> bytes:
    """A picture that is not of one colour, so that its bytes can be cut."""
    out = io.BytesIO()
    picture = Image.effect_noise(size, 80).convert(mode) if size[0] < 500 else Image.new(mode, size)
    picture.save(out, kind, **options)
    return out.getvalue()


def pack(parts: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def ofd(**parts: bytes) -> bytes:
    """The smallest OFD, with further parts."""
    return pack({"OFD.xml": OFD_ROOT, "Doc_0/Document.xml": OFD_PAGES, **parts})


def with_name(name: str) -> bytes:
    """An OFD with a part of that name."""
    return ofd(**{name: b"x"})


def action(body: bytes) -> bytes:
    """A PDF that does something when it is opened."""
    return build_pdf(more=[body], catalogue=b"/OpenAction 5 0 R")


def hidden(body: bytes, filters: bytes = b"/Filter/FlateDecode") -> bytes:
    """A PDF with the object in a compressed object stream."""
    inside = b"9 0 " + body
    members = b"/Type/ObjStm/N 1/First 4" + filters
    return build_pdf(more=[build_stream(zlib.compress(inside), members)])


def inflating(size_bytes: int) -> bytes:
    """Deflated zeroes."""
    machine, out = zlib.compressobj(9), b""
    for _ in range(size_bytes // 2**20):
        out += machine.compress(bytes(2**20))
    return out + machine.flush()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose head promises so many pixels, and that holds next to none."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def commented(text: str) -> bytes:
    """A PNG with a remark near its beginning."""
    remarks = PngImagePlugin.PngInfo()
    remarks.add_text("Comment", text)
    return draw("PNG", pnginfo=remarks)


def many_pages(count: int) -> bytes:
    """A PDF that names one page again and again."""
    kids = b"3 0 R " * count
    return build_pdf().replace(
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)
    )


def cut(data: bytes, part: float) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * part)]


def encrypted() -> bytes:
    """A PDF whose readers need a password, made by another program's library."""
    from pypdf import PdfReader, PdfWriter

    out, writer = io.BytesIO(), PdfWriter(clone_from=PdfReader(io.BytesIO(build_pdf())))
    writer.encrypt("reader", "owner", algorithm="AES-256")
    writer.write(out)
    return out.getvalue()


def owner_locked() -> bytes:
    """A PDF that opens without a password and hides its bytes all the same."""
    from pypdf import PdfReader, PdfWriter

    out, writer = io.BytesIO(), PdfWriter(clone_from=PdfReader(io.BytesIO(build_pdf())))
    writer.encrypt("", "owner", algorithm="AES-256")
    writer.write(out)
    return out.getvalue()


def lock_flag() -> bytes:
    """An OFD whose parts say that they are encrypted."""
    data = bytearray(ofd())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(magic)
        while place >= 0:
            data[place + at] |= 1
            place = data.find(magic, place + 1)
    return bytes(data)


def wrong_checksum() -> bytes:
    """An OFD with one changed byte in a stored part."""
    data = bytearray(pack({"OFD.xml": OFD_ROOT, "a.txt": b"unchanged"}, zipfile.ZIP_STORED))
    data[data.find(b"unchanged")] ^= 1
    return bytes(data)


JS = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
JAR = pack({"META-INF/MANIFEST.MF": b"Main-Class: x"})
ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'

TRICKS: Mapping[str, Trick] = {
    # not what it says, or nothing we know
    "text-as-pdf": Trick(lambda: b"only words " * 20, PDF, "document_kind_unknown"),
    "html-as-pdf": Trick(lambda: b"<html><script>1</script>" * 9, PDF, "document_kind_unknown"),
    "svg-as-png": Trick(
        lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", PNG, "document_kind_unknown"
    ),
    "program": Trick(lambda: b"\x7fELF" + bytes(200), PDF, "document_kind_unknown"),
    "one-byte": Trick(lambda: b"%", PDF, "document_kind_unknown"),
    "office-archive": Trick(
        lambda: pack({"mimetype": b"application/vnd.oasis.opendocument.text"}),
        OFD,
        "document_kind_unknown",
    ),
    "animation": Trick(
        lambda: draw("PNG", save_all=True, append_images=[Image.new("RGB", (40, 30))]),
        PNG,
        "document_kind_unknown",
    ),
    "gif": Trick(lambda: draw("GIF"), "image/gif", "document_kind_unknown"),
    "png-as-pdf": Trick(lambda: draw("PNG"), PDF, "document_kind_differs"),
    "pdf-as-jpeg": Trick(build_pdf, JPEG, "document_kind_differs"),
    "pdf-as-html": Trick(build_pdf, "text/html", "document_kind_differs"),
    "jpeg-as-png": Trick(lambda: draw("JPEG"), PNG, "document_kind_differs"),
    # cut off or damaged
    "pdf-head-only": Trick(lambda: b"%PDF-1.7 and nothing else", PDF, "document_damaged"),
    "pdf-cut-in-half": Trick(lambda: cut(build_pdf(b"x" * 500), 0.5), PDF, "document_damaged"),
    "pdf-without-end": Trick(lambda: build_pdf()[:-7], PDF, "document_damaged"),
    "pdf-without-pages": Trick(
        lambda: build_pdf().replace(b"/Kids[3 0 R]/Count 1", b"/Kids[     ]/Count 0"),
        PDF,
        "document_damaged",
    ),
    "pdf-page-missing": Trick(
        lambda: build_pdf().replace(b"/Kids[3 0 R]/Count 1", b"/Kids[7 0 R]/Count 1"),
        PDF,
        "document_damaged",
    ),
    "png-cut": Trick(lambda: cut(draw("PNG"), 0.6), PNG, "document_damaged"),
    "jpeg-cut": Trick(lambda: cut(draw("JPEG", (300, 300)), 0.6), JPEG, "document_damaged"),
    "tiff-cut": Trick(lambda: cut(draw("TIFF"), 0.6), TIFF, "document_damaged"),
    "ofd-cut": Trick(lambda: cut(ofd(), 0.7), OFD, "document_damaged"),
    "ofd-wrong-checksum": Trick(wrong_checksum, OFD, "document_damaged"),
    # nobody could open it later
    "pdf-password": Trick(encrypted, PDF, "document_locked"),
    "pdf-owner-password": Trick(owner_locked, PDF, "document_locked"),
    "ofd-encrypted-part": Trick(lock_flag, OFD, "document_locked"),
    # does something
    "pdf-script-on-open": Trick(lambda: action(JS), PDF, "document_active"),
    "pdf-script-escaped-name": Trick(
        lambda: action(JS.replace(b"/JavaScript", b"/J#61vaScript")), PDF, "document_active"
    ),
    "pdf-script-on-a-button": Trick(
        lambda: build_pdf(more=[b"<</Type/Annot/Subtype/Widget/A" + JS + b">>"]),
        PDF,
        "document_active",
    ),
    "pdf-script-in-object-stream": Trick(lambda: hidden(JS), PDF, "document_active"),
    "pdf-launches-program": Trick(
        lambda: action(b"<</S/Launch/F(cmd.exe)>>"), PDF, "document_active"
    ),
    "pdf-xfa": Trick(
        lambda: build_pdf(catalogue=b"/AcroForm<</XFA[5 0 R]>>"), PDF, "document_active"
    ),
    "pdf-object-stream-twice-encoded": Trick(
        lambda: hidden(JS, b"/Filter[/ASCIIHexDecode/LZWDecode]"), PDF, "document_damaged"
    ),
    "pdf-carries-a-file": Trick(
        lambda: build_pdf(
            more=[
                b"<</Names[(a.exe)6 0 R]>>",
                b"<</Type/Filespec/F(a.exe)/EF<</F 7 0 R>>>>",
                build_stream(b"MZ", b"/Type/EmbeddedFile"),
            ],
            catalogue=b"/Names<</EmbeddedFiles 5 0 R>>",
        ),
        PDF,
        "document_carries_files",
    ),
    "ofd-carries-a-program": Trick(
        lambda: ofd(**{"Doc_0/a.bin": b"MZ" + bytes(50)}), OFD, "document_carries_files"
    ),
    "ofd-archive-in-archive": Trick(
        lambda: ofd(**{"Doc_0/b.zip": JAR}), OFD, "document_carries_files"
    ),
    # two things at once
    "pdf-and-jar": Trick(lambda: build_pdf() + JAR, PDF, "document_two_kinds"),
    "pdf-in-zip-comment": Trick(
        lambda: build_pdf()[:-6] + JAR[:-2] + b"\x06\x00%%EOF\n", PDF, "document_two_kinds"
    ),
    "pdf-and-web-page": Trick(
        lambda: build_pdf().replace(b"%PDF-1.7\n", b"%PDF-1.7\n%<html><script>", 1),
        PDF,
        "document_two_kinds",
    ),
    "pdf-with-words-behind": Trick(
        lambda: build_pdf() + b"secret words", PDF, "document_two_kinds"
    ),
    "png-and-zip": Trick(lambda: draw("PNG") + JAR, PNG, "document_two_kinds"),
    "png-with-words-behind": Trick(lambda: draw("PNG") + b"words", PNG, "document_two_kinds"),
    "png-and-pdf": Trick(lambda: commented("%PDF-1.7"), PNG, "document_two_kinds"),
    "jpeg-and-php": Trick(
        lambda: draw("JPEG", comment=b"<?php system(1);"), JPEG, "document_two_kinds"
    ),
    "jpeg-and-zip": Trick(lambda: draw("JPEG") + JAR, JPEG, "document_two_kinds"),
    "ofd-with-words-behind": Trick(lambda: ofd() + b"words", OFD, "document_two_kinds"),
    # far more than it seems
    "png-of-ten-thousand-million-pixels": Trick(
        lambda: png_of(100_000, 100_000), PNG, "document_inflates"
    ),
    "jpeg-of-four-thousand-million-pixels": Trick(
        lambda: draw("JPEG").replace(b"\x00\x1e\x00\x28", b"\xff\xfe\xff\xfe", 1),
        JPEG,
        "document_inflates",
    ),
    "tiff-pages-of-too-many-pixels": Trick(
        lambda: draw(
            "TIFF",
            (9000, 9000),
            "1",
            compression="group4",
            save_all=True,
            append_images=[Image.new("1", (9000, 9000))],
        ),
        TIFF,
        "document_inflates",
        slow=True,
    ),
    "pdf-picture-of-too-many-pixels": Trick(
        lambda: build_pdf(
            more=[build_stream(b"x", b"/Subtype/Image/Width 99999/Height 99999/BitsPerComponent 1")]
        ),
        PDF,
        "document_inflates",
    ),
    "pdf-stream-deflated-twice": Trick(
        lambda: build_pdf(more=[build_stream(b"x", b"/Filter[/FlateDecode/FlateDecode]")]),
        PDF,
        "document_inflates",
    ),
    "pdf-stream-of-600-mib": Trick(
        lambda: build_pdf(more=[build_stream(inflating(600 * 2**20), b"/Filter/FlateDecode")]),
        PDF,
        "document_inflates",
        slow=True,
    ),
    "ofd-part-of-600-mib": Trick(
        lambda: ofd(**{"Doc_0/Res/a.bmp": bytes(600 * 2**20)}), OFD, "document_inflates", slow=True
    ),
    "ofd-entities": Trick(lambda: ofd(**{"Doc_0/b.xml": ENTITY}), OFD, "document_inflates"),
    "ofd-ten-thousand-and-one-parts": Trick(
        lambda: ofd(**{f"Doc_0/{each}": b"" for each in range(10_000)}),
        OFD,
        "document_inflates",
        slow=True,
    ),
    "pdf-of-2001-pages": Trick(lambda: many_pages(2001), PDF, "document_too_many_pages"),
    # names
    "ofd-name-leads-up": Trick(lambda: with_name("../../a.txt"), OFD, "document_unsafe_names"),
    "ofd-name-absolute": Trick(lambda: with_name("/etc/a.txt"), OFD, "document_unsafe_names"),
    "ofd-name-backslash": Trick(lambda: with_name("..\\a.txt"), OFD, "document_unsafe_names"),
    "ofd-name-drive": Trick(lambda: with_name("C:a.txt"), OFD, "document_unsafe_names"),
    "ofd-name-line-break": Trick(lambda: with_name("a\nb.txt"), OFD, "document_unsafe_names"),
    "ofd-name-twice": Trick(lambda: with_name("ofd.xml"), OFD, "document_unsafe_names"),
}

GOOD: Mapping[str, tuple[Callable[[], bytes], str, int]] = {
    "pdf": (build_pdf, PDF, 1),
    "pdf-undeclared": (build_pdf, "application/octet-stream", 1),
    "pdf-of-2000-pages": (lambda: many_pages(2000), PDF, 2000),
    "pdf-object-stream": (lambda: hidden(b"<</Title(plain)>>"), PDF, 1),
    "png": (lambda: draw("PNG"), PNG, 1),
    "png-with-a-remark": (lambda: commented("scanned at the window"), PNG, 1),
    "jpeg": (lambda: draw("JPEG", (300, 300)), JPEG, 1),
    "tiff": (lambda: draw("TIFF"), TIFF, 1),
    "tiff-of-two-pages": (
        lambda: draw("TIFF", save_all=True, append_images=[Image.new("RGB", (40, 30))]),
        TIFF,
        2,
    ),
    "ofd": (ofd, OFD, 2),
    "ofd-with-a-folder": (lambda: with_name("Doc_0/Res/印章.esl"), OFD, 2),
}


def main(folder: Path) -> None:
    """Write every file."""
    for name, trick in TRICKS.items():
        (folder / name).write_bytes(trick.make())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
