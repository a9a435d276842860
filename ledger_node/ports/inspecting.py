"""Port: what a stranger's file is, before it is stored.

Whoever inspects reads what strangers handed in, so it happens in a process of its own with little
memory and little time, and what comes back is a kind, a number of pages, or one word of refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol

from ledger_node.core.errors import UnavailableError


class Finding(StrEnum):
    """Why a file is not taken."""

    UNKNOWN = "unknown"
    DAMAGED = "damaged"
    LOCKED = "locked"
    ACTIVE = "active"
    CARRIES_FILES = "carries-files"
    TWO_KINDS = "two-kinds"
    INFLATES = "inflates"
    TOO_MANY_PAGES = "too-many-pages"
    UNSAFE_NAMES = "unsafe-names"


class InspectionUnavailableError(UnavailableError):
    """The machine is too busy to look at a file in time; the file itself is not to blame."""

    code = "inspection_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "系统繁忙，文件检查没有在限定时间内完成，未保存。请稍后再传。",
            "The file could not be checked in time and was not stored; send it again later.",
        )


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file that may be stored: its media type, by its bytes, and its pages (1 or more)."""

    media_type: str
    pages: int


class DocumentInspector(Protocol):
    """Promises: reads only the file it is given; never more than its limits of time and memory."""

    def inspect(self, source: BinaryIO) -> Inspected | Finding:
        """Look at a whole file, wherever its reading position stands and may be left.

        Raises:
            InspectionUnavailableError: The machine was too busy; says nothing of the file.
        """
        ...
