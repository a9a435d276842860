"""Pages to parts: separator sheets begin a part and are left out; blank backs are suggested away.

Pure. The proposal is only where a person begins: the page order is mended before anything is
attested, and what comes back is checked here (each page at most once, no empty part).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger_node.devices.errors import BatchOrderError
from ledger_node.devices.separators import Separator

ROTATIONS: Final = frozenset({0, 90, 180, 270})
MAX_PARTS: Final = 100


@dataclass(frozen=True, slots=True)
class PageFacts:
    """One scanned page.

    Attributes:
        source: Index of the file it stands in.
        page: Index within that file.
        width_px, height_px: Of its preview.
        blank: Nothing seems to stand on it.
        separator: What its code says, if it is a separator sheet.
    """

    source: int
    page: int
    width_px: int
    height_px: int
    blank: bool = False
    separator: Separator | None = None


@dataclass(slots=True)
class ProposedPart:
    """Pages that belong together; `separator` is None for pages before the first sheet."""

    separator: Separator | None
    pages: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OrderedPage:
    """A page in the final order: its number in the batch, turned clockwise by `rotate` degrees."""

    number: int
    rotate: int = 0


def group_pages(pages: Sequence[PageFacts]) -> list[ProposedPart]:
    """Parts in the order of scanning; a sheet without pages after it gives none."""
    parts = [ProposedPart(None)]
    for number, page in enumerate(pages):
        if page.separator is not None:
            parts.append(ProposedPart(page.separator))
        else:
            parts[-1].pages.append(number)
    return [part for part in parts if part.pages]


def suggest_drops(pages: Sequence[PageFacts]) -> list[int]:
    """Numbers of pages that look blank."""
    return [n for n, page in enumerate(pages) if page.blank and page.separator is None]


def check_order(parts: Sequence[Sequence[OrderedPage]], page_count: int) -> None:
    """Check a final order.

    Raises:
        BatchOrderError: A page is not there or stands twice, a turn is none, a part is empty.
    """
    numbers = [page.number for part in parts for page in part]
    turned = all(page.rotate in ROTATIONS for part in parts for page in part)
    known = all(0 <= number < page_count for number in numbers)
    whole = 1 <= len(parts) <= MAX_PARTS and all(parts)
    if not (turned and known and whole and len(set(numbers)) == len(numbers)):
        raise BatchOrderError
