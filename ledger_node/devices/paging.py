"""A scanned file to pages: facts and a preview of each. Runs in the capped worker only.

Sizes are looked at before anything is decoded; pages are drawn one at a time.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Final

import pypdfium2  # type: ignore[import-untyped]
import zxingcpp
from PIL import Image, ImageFilter, ImageOps, ImageSequence

from ledger_node.devices.separators import parse_separator

MAX_PAGES: Final = 300
MAX_PIXELS: Final = 50_000_000
PREVIEW_PX: Final = 1600
PREVIEW_QUALITY: Final = 80
LONGEST_POINTS: Final = 14_400
FORMATS: Final = ("JPEG", "PNG", "TIFF")
_MARGIN: Final = 0.04
_DARKER_BY: Final = 40
_BLANK_SHARE: Final = 0.00003


class RefusedError(Exception):
    """The file is over a limit or damaged; `reason` as in `errors.FileRefusedError`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_pages(data: bytes) -> Iterator[tuple[dict[str, object], bytes]]:
    """Facts and preview JPEG of every page.

    Raises:
        RefusedError: Too many pages or pixels, or not one of the four formats.
    """
    drawn = _draw_pdf(data) if is_pdf(data) else _open_image(data)
    for image in drawn:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((PREVIEW_PX, PREVIEW_PX))
        text = find_separator_text(upright)
        encoded = io.BytesIO()
        upright.save(encoded, "JPEG", quality=PREVIEW_QUALITY)
        blank = text is None and is_blank(upright)
        width, height = upright.size
        facts: dict[str, object] = {
            "width": width,
            "height": height,
            "blank": blank,
            "separator": text,
        }
        yield facts, encoded.getvalue()


def is_pdf(data: bytes) -> bool:
    """By its first bytes."""
    return data[:1024].lstrip().startswith(b"%PDF-")


def open_pdf(data: bytes) -> pypdfium2.PdfDocument:
    """A PDF within the limits.

    Raises:
        RefusedError: Not readable, no page, or too many.
    """
    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise RefusedError("broken") from error
    if not 1 <= len(pdf) <= MAX_PAGES:
        raise RefusedError("pages" if len(pdf) else "broken")
    return pdf


def open_frames(data: bytes) -> Iterator[Image.Image]:
    """Pages of an image file, decoded one at a time.

    Raises:
        RefusedError: Not readable, too many pages, too many pixels.
    """
    Image.MAX_IMAGE_PIXELS = None  # the exact check stands below, before anything is decoded
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            if number >= MAX_PAGES:
                raise RefusedError("pages")
            if math.prod(frame.size) > MAX_PIXELS or min(frame.size) < 8:
                raise RefusedError("pixels")
            frame.load()
            yield frame
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise RefusedError("broken") from error


def _open_image(data: bytes) -> Iterator[Image.Image]:
    return open_frames(data)


def _draw_pdf(data: bytes) -> Iterator[Image.Image]:
    pdf = open_pdf(data)
    for number in range(len(pdf)):
        page = pdf[number]
        width, height = page.get_size()
        longest = max(width, height)
        if not 1 <= longest <= LONGEST_POINTS or min(width, height) < 1:
            raise RefusedError("pixels")
        yield page.render(scale=PREVIEW_PX / longest).to_pil()
        page.close()


def find_separator_text(image: Image.Image) -> str | None:
    """Text of the separator code on a page, turned and blurred ones too; None without one."""
    for found in zxingcpp.read_barcodes(
        image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    ):
        if parse_separator(found.text) is not None:
            return str(found.text)
    return None


def is_blank(image: Image.Image) -> bool:
    """Whether nothing but paper, specks and shadow at the edges is there."""
    grey = image.convert("L")
    width, height = grey.size
    dx, dy = int(width * _MARGIN), int(height * _MARGIN)
    inner = grey.crop((dx, dy, width - dx, height - dy)).filter(ImageFilter.MedianFilter(3))
    counts = inner.histogram()
    paper = max(range(256), key=counts.__getitem__)
    differing = sum(counts[: max(paper - _DARKER_BY, 0)])
    differing += sum(counts[min(paper + _DARKER_BY + 1, 256) :])
    return differing <= _BLANK_SHARE * sum(counts)
