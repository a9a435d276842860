"""The drawing process: `worker PATH MEDIA_TYPE PAGE FONT` writes page count, newline, PNG.

The watermark comes on standard input. The process bounds itself before it reads the first byte;
how it ends says why there is no picture (worker_codes.py). Nothing is ever drawn without the mark.
"""

from __future__ import annotations

import io
import resource
import sys
from typing import Final

import pypdfium2  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

from ledger_node.edges.rendering.worker_codes import NOT_RENDERABLE, TOO_COSTLY

MEMORY_BYTES: Final = 2 * 1024**3
CPU_S: Final = 12
LONG_SIDE_PX: Final = 1500
MAX_PIXELS: Final = 60_000_000
MAX_MARK_BYTES: Final = 1000
INK: Final = (170, 40, 40, 70)


def limit() -> None:
    """Little memory, little time, nothing written, nothing started."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # not kept for root
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def draw(path: str, media_type: str, number: int) -> tuple[Image.Image, int]:
    """The page as a picture of bounded size, and how many pages there are."""
    if media_type == "application/pdf":
        document = pypdfium2.PdfDocument(path)
        page = document[number]
        scale = LONG_SIDE_PX / max(page.get_width(), page.get_height(), 1)
        return page.render(scale=min(scale, 4)).to_pil(), len(document)
    picture = Image.open(path, formats=("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"))
    count = getattr(picture, "n_frames", 1)
    picture.seek(number)
    picture.draft("RGB", (LONG_SIDE_PX, LONG_SIDE_PX))
    picture.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX))
    return picture, count


def mark(picture: Image.Image, text: str, font_path: str) -> Image.Image:
    """The text over and over, slanting across the page."""
    page = picture.convert("RGBA")
    side = int((page.width**2 + page.height**2) ** 0.5)
    layer = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(layer)
    font = ImageFont.truetype(font_path, max(14, page.width // 45))
    step = max(90, side // 9)
    for row, y in enumerate(range(0, side, step)):
        line = f"{text}        " * (2 + side // max(1, int(pen.textlength(text, font))))
        pen.text((-(row % 2) * step, y), line, font=font, fill=INK)
    turned = layer.rotate(24)
    left, top = (side - page.width) // 2, (side - page.height) // 2
    cut = turned.crop((left, top, left + page.width, top + page.height))
    return Image.alpha_composite(page, cut).convert("RGB")


def main(arguments: list[str]) -> int:
    """Draw and write."""
    path, media_type, number, font = arguments
    limit()
    text = sys.stdin.buffer.read(MAX_MARK_BYTES).decode("utf-8", "replace")
    try:
        picture, count = draw(path, media_type, int(number))
        out = io.BytesIO()
        mark(picture, text, font).save(out, "PNG", compress_level=3)
    except (MemoryError, Image.DecompressionBombError):
        return TOO_COSTLY
    except Exception:  # noqa: BLE001 (whatever a stranger's file does, the answer is the same)
        return NOT_RENDERABLE
    sys.stdout.buffer.write(b"%d\n" % count + out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
