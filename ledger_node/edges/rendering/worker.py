"""The drawing process: `worker PATH MEDIA_TYPE PAGE WATERMARK` writes page count, newline, PNG.

It bounds itself before it reads the first byte. Exit code 1: not renderable.
"""

from __future__ import annotations

import io
import resource
import sys
from typing import Final

import pypdfium2  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

MEMORY_BYTES: Final = 2 * 1024**3
CPU_S: Final = 12
LONG_SIDE_PX: Final = 1500
MAX_PIXELS: Final = 60_000_000
INK: Final = (170, 40, 40, 70)


def limit() -> None:
    """Little memory, little time, nothing written, nothing started."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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


def mark(picture: Image.Image, text: str) -> Image.Image:
    """The text over and over, slanting across the page."""
    page = picture.convert("RGBA")
    side = int((page.width**2 + page.height**2) ** 0.5)
    layer = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(layer)
    font = ImageFont.load_default(max(14, page.width // 45))
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
    path, media_type, number, text = arguments
    limit()
    try:
        picture, count = draw(path, media_type, int(number))
        out = io.BytesIO()
        mark(picture, text).save(out, "PNG", compress_level=3)
    except Exception:  # noqa: BLE001 (whatever a stranger's file does, the answer is the same)
        return 1
    sys.stdout.buffer.write(b"%d\n" % count + out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
