"""The public files of one log in a directory, under their C2SP paths.

Step 3 of the data flow. Spec: docs/spec/log.md. A file is synced under a temporary name and then
linked to its own, which fails when something is there: two sequencers can never replace each
other's tiles. Directories are synced once per batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger_node.core.tiles import parse_tile_path
from ledger_node.edges.files import (
    PUBLIC_FILE,
    replace_file,
    sync_directory,
    temporary_file,
    write_all,
)
from ledger_node.ports.tiles import TileConflictError, TileNotFoundError, TileStoreUnavailableError

CHECKPOINT = "checkpoint"
_STAGING = "staging"
_SYNC_THREADS = 8


class TileDirectory:
    """`TileStore` over a directory; one directory per log (city and generation)."""

    def __init__(self, root: Path) -> None:
        """Keep the log's files below `root`, which is made when it is missing.

        Raises:
            TileStoreUnavailableError: The directory cannot be used.
        """
        self._root = root
        self._staging = root / _STAGING
        with _our_errors():
            self._staging.mkdir(parents=True, exist_ok=True)
            sync_directory(root)
            sync_directory(root.parent)

    def put_all(self, tiles: Mapping[str, bytes]) -> None:
        """Write if absent; durable when it returns; nothing is ever replaced."""
        with _our_errors():
            targets = {self._resolve(path): path for path in tiles}
            missing = [
                target
                for target, path in targets.items()
                if not self._is_there(target, path, tiles[path])
            ]
            folders = {target.parent for target in targets}
            grown = {folder for parent in folders for folder in _list_growing(parent)}
            self._write_missing([(t, targets[t], tiles[targets[t]]) for t in missing])
            for folder in grown | folders:
                sync_directory(folder)

    def read(self, path: str) -> bytes:
        """Bytes of one tile or entry bundle."""
        with _our_errors():
            try:
                return self._resolve(path).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise TileNotFoundError(path) from error

    def read_all(self, paths: Iterable[str]) -> list[bytes]:
        """Bytes of several, in order."""
        return [self.read(path) for path in paths]

    def replace_checkpoint(self, note: bytes) -> None:
        """Put a signed checkpoint in the place of the last one, atomically and durably."""
        with _our_errors():
            replace_file(self._root / CHECKPOINT, note, mode=PUBLIC_FILE)

    def read_checkpoint(self) -> bytes | None:
        """The signed checkpoint, or None before the first."""
        with _our_errors():
            try:
                return (self._root / CHECKPOINT).read_bytes()
            except FileNotFoundError:
                return None

    def _resolve(self, path: str) -> Path:
        """File of a tile; the strict grammar of tile paths leaves no way out of the root."""
        return self._root / parse_tile_path(path).path()

    def _is_there(self, target: Path, path: str, data: bytes) -> bool:
        try:
            found = target.read_bytes()
        except FileNotFoundError:
            return False
        if found != data:
            raise TileConflictError(path)
        return True

    def _write_missing(self, tiles: list[tuple[Path, str, bytes]]) -> None:
        """Write files side by side: their syncs then share the journal's commits."""
        if len(tiles) <= 2:
            for tile in tiles:
                self._write(*tile)
            return
        with ThreadPoolExecutor(_SYNC_THREADS) as pool:
            for future in [pool.submit(self._write, *tile) for tile in tiles]:
                future.result()

    def _write(self, target: Path, path: str, data: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(self._staging, mode=PUBLIC_FILE) as (temporary, fd):
            os.fchmod(fd, PUBLIC_FILE)
            write_all(fd, data)
            os.fdatasync(fd)
            with suppress(FileExistsError):
                target.hardlink_to(temporary)
                return
        if not self._is_there(target, path, data):
            raise TileStoreUnavailableError(f"{path} came and went")


def _list_growing(folder: Path) -> list[Path]:
    """Folders that get a new name in them when `folder` is made."""
    growing = []
    while not folder.is_dir():
        folder = folder.parent
        growing.append(folder)
    return growing


@contextmanager
def _our_errors() -> Iterator[None]:
    """Nothing but this project's errors leaves the edge."""
    try:
        yield
    except OSError as error:
        raise TileStoreUnavailableError(str(error)) from error
