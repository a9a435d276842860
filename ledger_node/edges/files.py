"""Durable files: what every edge that writes files needs from the operating system.

Rule: bytes are synced under a temporary name, then given their name, then the directory is
synced. Nobody ever sees a part of a file, and a name that is seen stays after a power cut.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
PUBLIC_FILE = 0o644
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; the system may take fewer at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def pwrite_all(fd: int, data: bytes | bytearray, offset: int) -> None:
    """Write every byte at an offset."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


@contextmanager
def temporary_file(directory: Path, *, mode: int) -> Iterator[tuple[Path, int]]:
    """A new file in `directory`, removed when the block ends unless it was renamed.

    Yields:
        Its path and an open descriptor, closed when the block ends.
    """
    path = directory / f".{secrets.token_hex(8)}.part"
    fd = os.open(path, _NEW, mode)
    try:
        yield path, fd
    finally:
        os.close(fd)
        with suppress(FileNotFoundError):
            path.unlink()


def replace_file(path: Path, data: bytes, *, mode: int) -> None:
    """Put `data` at `path` atomically and durably, in the place of what was there."""
    with temporary_file(path.parent, mode=mode) as (temporary, fd):
        os.fchmod(fd, mode)
        write_all(fd, data)
        os.fsync(fd)
        temporary.rename(path)
    sync_directory(path.parent)


def create_file(path: Path, data: bytes, *, mode: int) -> None:
    """Put `data` at `path` durably.

    Raises:
        FileExistsError: Something is there; it is left as it is.
    """
    with temporary_file(path.parent, mode=mode) as (temporary, fd):
        os.fchmod(fd, mode)
        write_all(fd, data)
        os.fsync(fd)
        path.hardlink_to(temporary)
    sync_directory(path.parent)


def make_private_directory(directory: Path) -> None:
    """Create a directory (and missing ones above it) that only its owner can enter.

    One that exists is left as it is.
    """
    if directory.is_dir():
        return
    make_private_directory(directory.parent)
    with suppress(FileExistsError):
        directory.mkdir(mode=PRIVATE_DIRECTORY)
        sync_directory(directory.parent)


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """One process (and thread) at a time inside the block; `path` is made when missing."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
