"""Uploads as files of one folder: under their name once kept, a hidden temporary one before.

The folder is 0700 and its files 0600; backups leave it out (docs/runbooks/restore.md).
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ledger_node.edges.files import PRIVATE_DIRECTORY, PRIVATE_FILE, sync_directory, write_all
from ledger_node.ports.database_api import UploadNotFoundError
from ledger_node.ports.uploads import UploadStoreUnavailableError

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class _FolderSink:
    """One file under a temporary name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f".{secrets.token_hex(8)}.part"
        with translated_errors():
            self._fd: int | None = os.open(self._path, _FLAGS, PRIVATE_FILE)
        self._lock = threading.Lock()

    def write(self, chunk: bytes) -> None:
        """Append."""
        with translated_errors():
            assert self._fd is not None
            write_all(self._fd, chunk)

    def open_written(self) -> BinaryIO:
        """By its temporary name."""
        with translated_errors():
            return self._path.open("rb")

    def keep(self, name: str) -> None:
        """Sync, rename, sync the folder."""
        with translated_errors():
            assert self._fd is not None
            os.fsync(self._fd)
            self._path.rename(self._folder / name)
            sync_directory(self._folder)
        self._close()

    def discard(self) -> None:
        """Close and unlink."""
        self._close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def _close(self) -> None:
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None


class UploadFolder:
    """`ports.uploads.UploadStore` over one folder, made when it is first written."""

    def __init__(self, folder: Path, now_s: Callable[[], float]) -> None:
        self._folder = folder
        self._now_s = now_s

    def open_sink(self) -> _FolderSink:
        """A new temporary file."""
        with translated_errors():
            self._folder.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        return _FolderSink(self._folder)

    def name_scratch(self) -> Path:
        """A name nobody has, for plaintext that is sent and removed; the sweep takes strays."""
        with translated_errors():
            self._folder.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        return self._folder / f".{secrets.token_hex(8)}.out"

    def open_source(self, name: str) -> Callable[[], BinaryIO]:
        """Opens lazily."""

        def open_file() -> BinaryIO:
            try:
                with translated_errors():
                    return (self._folder / name).open("rb")
            except FileNotFoundError as error:
                raise UploadNotFoundError(name) from error

        return open_file

    def remove(self, name: str) -> None:
        """Unlink; a power cut may bring it back, the sweep takes it then."""
        with translated_errors(), suppress(FileNotFoundError):
            (self._folder / name).unlink()

    def list_names(self) -> list[tuple[str, float]]:
        """By modification time."""
        if not self._folder.is_dir():
            return []
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                found.append((path.name, self._now_s() - path.stat().st_mtime))
        return found


@contextmanager
def translated_errors() -> Iterator[None]:
    """Let a full disk and its kin out as ours; a missing file stays one."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UploadStoreUnavailableError(type(error).__name__) from error
