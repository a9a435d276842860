"""Group `keeping`: which blobs of the document store somebody needs, and which nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ledger_node.ports.database_exchange import ReleaseRow


class KeepingGroup(Protocol):
    """Rows about addresses of ciphertext (SHA-256, 32 bytes)."""

    def find_registered(self, addresses: Sequence[bytes]) -> set[bytes]:
        """Those of `addresses` that a document of a material stands under."""
        ...

    def list_received(self, after: bytes, limit: int) -> list[ReleaseRow]:
        """Incoming releases with an answer, by request digest above `after`, ascending."""
        ...

    def mark_orphans(self, addresses: Sequence[bytes], seen_at: datetime) -> None:
        """Note that nobody needs these now; one noted before keeps when it was first seen."""
        ...

    def forget_orphans_before(self, seen_at: datetime) -> None:
        """Drop what was not noted again since `seen_at`: it is needed now, or gone."""
        ...

    def forget_orphans(self, addresses: Sequence[bytes]) -> None:
        """Drop the notes about these: they were removed."""
        ...

    def list_orphans(self, first_seen_before: datetime, after: bytes, limit: int) -> list[bytes]:
        """Addresses first noted before a time, above `after`, ascending."""
        ...

    def count_orphans(self) -> int:
        """How many are noted."""
        ...
