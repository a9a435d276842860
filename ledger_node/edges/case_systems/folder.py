"""`ports.case_folder.CaseFolders` on a file system.

Invariants:
    * Names come from listing a directory, never from content; hidden and partial files are left.
    * Opened without following links and without blocking; only regular files are read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger_node.ports.case_folder import (
    MAX_FILE_BYTES,
    CaseFolderUnavailableError,
    ClaimedFile,
)
from ledger_node.ports.clock import Entropy

IN, OUT, REFUSED, EVENTS, WORK = "in", "out", "refused", "events", "work"
SUFFIX: Final = ".json"
MARK_CHARACTERS: Final = 9  # eight hex digits and a dot before the name of a claimed file


class FileCaseFolders:
    """Watched folders; one worker of a node uses them."""

    def __init__(self, entropy: Entropy) -> None:
        """Take the source of random marks."""
        self._entropy = entropy

    def claim(self, folder: Path, limit: int) -> Sequence[ClaimedFile]:
        """See the port."""
        try:
            return self._claim(folder, limit)
        except OSError as error:
            raise CaseFolderUnavailableError from error

    def _claim(self, folder: Path, limit: int) -> Sequence[ClaimedFile]:
        for name in (IN, OUT, REFUSED, EVENTS, WORK):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        left = _list_files(folder / WORK)[:limit]
        for path in _list_files(folder / IN)[: limit - len(left)]:
            mark = self._entropy(4).hex()
            claimed = folder / WORK / f"{mark}.{path.name}"
            try:
                path.rename(claimed)
            except OSError:  # taken back meanwhile
                continue
            left.append(claimed)
        return [ClaimedFile(path, path.name[MARK_CHARACTERS:], _read(path)) for path in left]

    def was_quiet_since(self, file: ClaimedFile, at_s: float) -> bool:
        """See the port."""
        try:
            return file.path.lstat().st_mtime <= at_s
        except OSError as error:
            raise CaseFolderUnavailableError from error

    def settle(self, folder: Path, file: ClaimedFile, result: bytes, *, refused: bool) -> None:
        """See the port."""
        try:
            write_whole(folder / OUT / file.name, result, self._entropy)
            if refused:
                file.path.rename(folder / REFUSED / file.name)
            else:
                file.path.unlink()
        except OSError as error:
            raise CaseFolderUnavailableError from error


def write_whole(path: Path, content: bytes, entropy: Entropy) -> None:
    """Write a file that appears at once, durably; an older one is replaced."""
    part = path.with_name(f".{entropy(4).hex()}.part")
    target = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(target, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _list_files(directory: Path) -> list[Path]:
    found = [
        (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
        for entry in os.scandir(directory)
        if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
    ]
    return [directory / name for _, name in sorted(found)]


def _read(path: Path) -> bytes | None:
    try:
        target = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(target, "rb") as file:
        facts = os.fstat(target)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_FILE_BYTES:
            return None
        content = file.read(MAX_FILE_BYTES + 1)
    return content if len(content) <= MAX_FILE_BYTES else None
