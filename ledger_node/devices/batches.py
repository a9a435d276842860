"""Scanned batches between scanning and handing over: in memory, of one origin, for a short time."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger_node.devices.errors import BatchFullError, BatchNotFoundError, FileRefusedError
from ledger_node.devices.grouping import (
    OrderedPage,
    PageFacts,
    check_order,
    group_pages,
    suggest_drops,
)
from ledger_node.devices.opening import build_pdfs, read_facts, split_files

LIFE_S: Final = 30 * 60.0
MAX_BATCHES: Final = 3
MAX_PAGES: Final = 600
MAX_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Pages of one scan.

    Attributes:
        id: Random; means nothing outside this bridge.
        origin: Whose it is.
        sources: Files as scanned.
        pages, previews: By page number, counted over all sources.
        refused: Why files were left out, by their place in the scan, counted from 1.
        taken: Names in the hot folder, removed once handed over.
        ends_s: When it is forgotten.
    """

    id: str
    origin: str
    sources: tuple[bytes, ...]
    pages: tuple[PageFacts, ...]
    previews: tuple[bytes, ...]
    refused: tuple[tuple[int, str], ...]
    taken: tuple[str, ...]
    ends_s: float

    def as_json(self) -> dict[str, object]:
        """Facts of the batch and where a person begins to put it in order."""
        return {
            "batch": self.id,
            "pages": [
                {"number": n, "width": p.width_px, "height": p.height_px, "blank": p.blank}
                for n, p in enumerate(self.pages)
            ],
            "parts": [
                {
                    "type": part.separator.type_code if part.separator else None,
                    "printed_for": part.separator.batch if part.separator else None,
                    "ordinal": part.separator.ordinal if part.separator else None,
                    "pages": part.pages,
                }
                for part in group_pages(self.pages)
            ],
            "suggested_drops": suggest_drops(self.pages),
            "separators": sum(page.separator is not None for page in self.pages),
            "refused": [{"file": place, "reason": reason} for place, reason in self.refused],
        }


class Batches:
    """Batches held now."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._held: dict[str, Batch] = {}

    def add(self, origin: str, files: Sequence[bytes], taken: Sequence[str] = ()) -> Batch:
        """Split files into pages and hold them.

        Raises:
            FileRefusedError: No file could be taken; the reason is the first one's.
            BatchFullError: More pages or bytes than are held.
        """
        if sum(map(len, files)) > MAX_BYTES:
            raise BatchFullError
        sources: list[bytes] = []
        pages: list[PageFacts] = []
        previews: list[bytes] = []
        refused: list[tuple[int, str]] = []
        kept: list[str] = []
        for place, found in enumerate(split_files(files)):
            if isinstance(found, str):
                refused.append((place + 1, found))
                continue
            pages += [read_facts(head, len(sources), n) for n, (head, _) in enumerate(found)]
            previews += [preview for _, preview in found]
            sources.append(files[place])
            kept += taken[place : place + 1]
            if len(pages) > MAX_PAGES:
                raise BatchFullError
        if not sources:
            raise FileRefusedError(refused[0][1] if refused else "broken")
        batch = Batch(
            secrets.token_hex(8),
            origin,
            tuple(sources),
            tuple(pages),
            tuple(previews),
            tuple(refused),
            tuple(kept),
            self._now_s() + LIFE_S,
        )
        self.expire()
        held = [*self._held.values(), batch][-MAX_BATCHES:]
        self._held = {each.id: each for each in held}
        return batch

    def find(self, origin: str, batch_id: str) -> Batch:
        """A batch of the origin.

        Raises:
            BatchNotFoundError: Gone, or another's.
        """
        self.expire()
        batch = self._held.get(batch_id)
        if batch is None or batch.origin != origin:
            raise BatchNotFoundError
        return batch

    def build(
        self, batch: Batch, parts: Sequence[Sequence[OrderedPage]]
    ) -> list[tuple[int, bytes]]:
        """Page count and PDF of each part in the final order.

        Raises:
            BatchOrderError: The order does not fit the batch.
            FileRefusedError: A page cannot be taken over.
        """
        check_order(parts, len(batch.pages))
        return build_pdfs(parts, batch.pages, batch.sources)

    def drop(self, batch: Batch) -> None:
        """Forget a batch."""
        self._held.pop(batch.id, None)

    def expire(self) -> None:
        """Forget what is over."""
        now_s = self._now_s()
        self._held = {key: each for key, each in self._held.items() if each.ends_s > now_s}
