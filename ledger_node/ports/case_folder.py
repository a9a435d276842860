"""Port: the watched folder of a case system without an interface.

Below the folder: `in/` (files the system renames in), `out/` (our results, under the same name),
`refused/` (files we did not take), `events/` (what happened to its cases), `work/` (ours).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ledger_node.core.errors import UnavailableError

MAX_FILE_BYTES = 64 * 1024


class CaseFolderUnavailableError(UnavailableError):
    """A watched folder cannot be read or written."""

    code = "case_folder_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "办件交换目录读写失败，请检查目录和磁盘。",
            "A watched folder of cases cannot be read or written; check folder and disk.",
        )


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A file taken out of `in/`; it stays in `work/` until it is settled.

    Attributes:
        path: Where it lies now.
        name: Its name in `in/`.
        content: Its bytes; None: no regular file, or larger than 64 KiB.
    """

    path: Path
    name: str
    content: bytes | None


class CaseFolders(Protocol):
    """Promises: a file is claimed by an atomic rename, so that the system may put the next one of
    the same name in at any time; a claimed file is offered again until it is settled; results and
    events appear whole; no link is followed."""

    def claim(self, folder: Path, limit: int) -> Sequence[ClaimedFile]:
        """Files left from before, then new ones, each oldest first.

        Raises:
            CaseFolderUnavailableError: The folder cannot be read.
        """
        ...

    def was_quiet_since(self, file: ClaimedFile, at_s: float) -> bool:
        """Whether nobody wrote to the file after a Unix time."""
        ...

    def settle(self, folder: Path, file: ClaimedFile, result: bytes, *, refused: bool) -> None:
        """Write the result; then keep a refused file in `refused/`, remove one that was taken.

        Raises:
            CaseFolderUnavailableError: The folder cannot be written; the file stays claimed.
        """
        ...
