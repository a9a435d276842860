"""A folder that scanners drop files into: a file counts once nobody writes to it any more.

A file is ready when size and time of change stood still for `settle_s` and its end is there (PDF,
JPEG and PNG say where they end). Links and what is no picture or PDF are left alone. A file stays
where it is until its batch is handed over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ledger_node.devices.opening import MAX_SOURCE_BYTES

SUFFIXES: Final = frozenset({".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png"})
MAX_FILES: Final = 200
_TAIL_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class _Seen:
    size_bytes: int
    changed_ns: int
    since_s: float


class HotFolder:
    """Watches one folder.

    Args:
        path: The folder; sub-folders are not looked into.
        now_s: Monotonic seconds.
        settle_s: How long a file must stand still.
    """

    def __init__(self, path: Path, now_s: Callable[[], float], settle_s: float = 2.0) -> None:
        self._path, self._now_s, self._settle_s = path, now_s, settle_s
        self._seen: dict[str, _Seen] = {}

    def poll(self) -> tuple[list[str], int]:
        """Look once: names of ready files in their order, and how many are still being written."""
        now_s = self._now_s()
        found = dict(self._list())
        self._seen = {
            name: self._note(name, size, changed, now_s) for name, (size, changed) in found.items()
        }
        ready = [
            name
            for name, seen in sorted(self._seen.items())
            if now_s - seen.since_s >= self._settle_s and self._is_whole(name, seen.size_bytes)
        ]
        return ready[:MAX_FILES], len(found) - len(ready)

    def read(self, name: str) -> bytes:
        """Bytes of a ready file; one byte more than allowed at most."""
        with self._open(name) as file:
            return file.read(MAX_SOURCE_BYTES + 1)

    def remove(self, name: str) -> None:
        """Take a file away once its pages are handed over."""
        (self._path / name).unlink(missing_ok=True)
        self._seen.pop(name, None)

    def _note(self, name: str, size: int, changed_ns: int, now_s: float) -> _Seen:
        before = self._seen.get(name)
        if before and (before.size_bytes, before.changed_ns) == (size, changed_ns):
            return before
        return _Seen(size, changed_ns, now_s)

    def _list(self) -> list[tuple[str, tuple[int, int]]]:
        listed = []
        with os.scandir(self._path) as entries:
            for entry in entries:
                if Path(entry.name).suffix.lower() not in SUFFIXES:
                    continue
                try:
                    facts = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(facts.st_mode) and facts.st_size:
                    listed.append((entry.name, (facts.st_size, facts.st_mtime_ns)))
        return listed

    def _open(self, name: str) -> BinaryIO:
        return os.fdopen(os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def _is_whole(self, name: str, size: int) -> bool:
        suffix = Path(name).suffix.lower()
        try:
            with self._open(name) as file:
                file.seek(max(0, size - _TAIL_BYTES))
                tail = file.read(_TAIL_BYTES)
        except OSError:
            return False
        if suffix == ".pdf":
            return b"%%EOF" in tail
        if suffix in {".jpg", ".jpeg"}:
            return b"\xff\xd9" in tail
        return suffix != ".png" or b"IEND" in tail
