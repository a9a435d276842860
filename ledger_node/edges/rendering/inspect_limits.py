"""What the inspecting process allows itself and a file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from ledger_node.ports.inspecting import Finding

MEMORY_BYTES: Final = 2 * 1024**3
CPU_S: Final = 15
MAX_PAGES: Final = 2000
MAX_PIXELS: Final = 150_000_000  # A3 at 600 dpi twice; a colour picture of it takes 450 MB
MAX_INFLATED_BYTES: Final = 1024**3  # of a whole file
MAX_STREAM_BYTES: Final = 512 * 1024**2  # of one part: A3 at 600 dpi in colour is 209 MB
CHUNK_BYTES: Final = 1024 * 1024


class RefusedFileError(Exception):
    """The file may not be stored."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.value)
        self.finding = finding


class Budget:
    """Bytes that all parts of a file together may become."""

    def __init__(self) -> None:
        self._left = MAX_INFLATED_BYTES

    def take(self, count: int) -> None:
        """Count bytes that came out.

        Raises:
            RefusedFileError: There are too many.
        """
        self._left -= count
        if self._left < 0:
            raise RefusedFileError(Finding.INFLATES)


def inflate(data: bytes, budget: Budget, wbits: int = zlib.MAX_WBITS) -> Iterator[bytes]:
    """Deflated bytes, a chunk at a time; ends quietly where they are no such bytes.

    Raises:
        RefusedFileError: They become more than a part, or all parts, may.
    """
    machine = zlib.decompressobj(wbits)
    count, rest = 0, data
    while rest and not machine.eof:
        try:
            chunk = machine.decompress(rest, CHUNK_BYTES)
        except zlib.error:
            return
        rest = machine.unconsumed_tail
        count += len(chunk)
        budget.take(len(chunk))
        if count > MAX_STREAM_BYTES:
            raise RefusedFileError(Finding.INFLATES)
        if not chunk:
            return
        yield chunk
