"""Write a sample of every paper, as PDF and as a picture of each page, to build/papers/.

python scripts/make_papers.py [part of a name]
"""

from __future__ import annotations

import sys
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]

from tests.support.papers import list_samples

TARGET = Path("build/papers")
SCALE = 1.4


def main(part: str = "") -> int:
    """Exit code 0."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, render in list_samples().items():
        if part in name:
            path = TARGET / f"{name}.pdf"
            path.write_bytes(render())
            pages = write_pictures(path)
            print(f"{path}: {path.stat().st_size} bytes, {pages} pages")
    return 0


def write_pictures(path: Path) -> int:
    """A PNG per page beside the file; returns how many pages."""
    document = pypdfium2.PdfDocument(path)
    try:
        for number in range(len(document)):
            page = document[number]
            page.render(scale=SCALE).to_pil().save(path.with_name(f"{path.stem}-{number + 1}.png"))
        return len(document)
    finally:
        document.close()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main(*sys.argv[1:2]))
