"""Pages in their final order to one PDF per part. Runs in the capped worker only.

Pages of a PDF are taken over as they are, JPEG pictures without being encoded again; other
pictures are embedded as JPEG. A turn is written as the page's rotation: nothing is drawn anew.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pypdfium2  # type: ignore[import-untyped]
from PIL import Image, ImageOps

from ledger_node.devices.paging import RefusedError, is_pdf, open_frames, open_pdf

QUALITY: Final = 92
USUAL_DPI: Final = 200.0
POINTS_PER_INCH: Final = 72.0
_UPRIGHT: Final = 1
_ORIENTATION_TAG: Final = 0x0112


def build_parts(parts: Any, sources: Sequence[bytes]) -> Iterator[tuple[dict[str, object], bytes]]:
    """Page count and PDF of every part.

    Args:
        parts: Lists of `[source, page, rotate]`.
        sources: Files as they were scanned.
    """
    opened = [_Pdf(data) if is_pdf(data) else _Pictures(data) for data in sources]
    for part in parts:
        target = pypdfium2.PdfDocument.new()
        for source, page, rotate in part:
            opened[source].put(target, page, rotate)
        written = io.BytesIO()
        target.save(written)
        yield {"page_count": len(target)}, written.getvalue()
        target.close()


class _Pdf:
    def __init__(self, data: bytes) -> None:
        self._pdf = open_pdf(data)

    def put(self, target: pypdfium2.PdfDocument, page: int, rotate: int) -> None:
        target.import_pages(self._pdf, [page])
        added = target[len(target) - 1]
        added.set_rotation((added.get_rotation() + rotate) % 360)


class _Pictures:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def put(self, target: pypdfium2.PdfDocument, page: int, rotate: int) -> None:
        for number, frame in enumerate(open_frames(self._data)):
            if number == page:
                self._add(target, frame, rotate)
                return
        raise RefusedError("broken")

    def _add(self, target: pypdfium2.PdfDocument, frame: Image.Image, rotate: int) -> None:
        dpi = _dpi(frame)
        plain = frame.format == "JPEG" and frame.mode in {"L", "RGB"}
        if plain and frame.getexif().get(_ORIENTATION_TAG, _UPRIGHT) == _UPRIGHT:
            encoded, size = io.BytesIO(self._data), frame.size
        else:
            upright = ImageOps.exif_transpose(frame)
            upright = upright.convert("L" if upright.mode in {"1", "L"} else "RGB")
            encoded, size = io.BytesIO(), upright.size
            upright.save(encoded, "JPEG", quality=QUALITY)
            encoded.seek(0)
        picture = pypdfium2.PdfImage.new(target)
        picture.load_jpeg(encoded, inline=True)
        width, height = (side * POINTS_PER_INCH / dpi for side in size)
        picture.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
        made = target.new_page(width, height)
        made.insert_obj(picture)
        made.gen_content()
        made.set_rotation(rotate)


def _dpi(frame: Image.Image) -> float:
    try:
        found = float(frame.info.get("dpi", (USUAL_DPI,))[0])
    except (TypeError, ValueError, IndexError):
        return USUAL_DPI
    return found if 50.0 <= found <= 1200.0 else USUAL_DPI
