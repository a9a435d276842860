"""Where ciphertext waits on this machine until a document server has it.

One folder per process, held by a lock: what a dead process left was never acknowledged as durable
and is removed by the next one that opens. Ciphertext only; nothing here is ever recovered.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ledger_node.edges.files import (
    PRIVATE_FILE,
    exclusive_lock,
    make_private_directory,
    write_all,
)
from ledger_node.ports.documents import READ_CHUNK_BYTES, ByteSink, DocumentStoreUnavailableError

_LOCK = "lock"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_MADE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class SpooledBlob:
    """One blob that waits: its address (SHA-256, 32 bytes), length in bytes and file."""

    address: bytes
    length_bytes: int
    path: Path

    def read_chunks(self) -> Iterator[bytes]:
        """The bytes, in chunks of at most 1 MiB."""
        with spool_errors():
            file = self.path.open("rb")
        with file:
            while True:
                with spool_errors():
                    chunk = file.read(READ_CHUNK_BYTES)
                if not chunk:
                    return
                yield chunk


class Spool:
    """A folder of waiting blobs, owned by this process until `close`."""

    def __init__(self, directory: Path) -> None:
        """Take an own folder below `directory`; remove those of processes that are gone.

        Raises:
            DocumentStoreUnavailableError: The directory cannot be used.
        """
        with spool_errors():
            make_private_directory(directory)
            with exclusive_lock(directory / _LOCK):
                _remove_abandoned(directory)
                self._folder = directory / secrets.token_hex(8)
                make_private_directory(self._folder)
                self._lock = os.open(self._folder / _LOCK, _MADE, PRIVATE_FILE)
                fcntl.flock(self._lock, fcntl.LOCK_EX)

    def take(self, produce: Callable[[ByteSink], object]) -> SpooledBlob:
        """Keep what `produce` writes; a producer that fails leaves nothing."""
        target = self._folder / secrets.token_hex(16)
        with spool_errors():
            fd = os.open(target, _NEW, PRIVATE_FILE)
        sink = _HashedFile(fd)
        try:
            produce(sink)
        except BaseException as error:
            target.unlink(missing_ok=True)
            if sink.failure is None:
                raise
            raise DocumentStoreUnavailableError(str(sink.failure)) from error
        finally:
            os.close(fd)
        return SpooledBlob(sink.hasher.digest(), sink.length_bytes, target)

    def drop(self, blob: SpooledBlob) -> None:
        """Forget a blob; idempotent."""
        with spool_errors():
            blob.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder with all that waits in it; idempotent."""
        if self._lock >= 0:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


class _HashedFile:
    """Takes a blob's bytes and hashes them on the way."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.hasher = hashlib.sha256()
        self.length_bytes = 0
        self.failure: OSError | None = None

    def write(self, data: bytes, /) -> int:
        try:
            write_all(self._fd, data)
        except OSError as error:
            self.failure = error
            raise
        self.hasher.update(data)
        self.length_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""


def _remove_abandoned(directory: Path) -> None:
    """Folders whose lock nobody holds."""
    for folder in directory.iterdir():
        with suppress(FileNotFoundError, NotADirectoryError, BlockingIOError):
            fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(fd)


@contextmanager
def spool_errors() -> Iterator[None]:
    """A failing disk leaves as this project's error."""
    try:
        yield
    except OSError as error:
        raise DocumentStoreUnavailableError(str(error)) from error
