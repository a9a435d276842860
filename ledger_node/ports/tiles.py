"""Public files of the log: tiles, entry bundles and the checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class TileStore(Protocol):
    """Files of one log by C2SP path (`tile/0/000`, `tile/entries/x001/234.p/7`, `checkpoint`).

    Promises: `put_all` writes if absent, is durable when it returns, and raises
    `TileConflictError` when a different file is already there; `replace_checkpoint` is atomic and
    durable; `read` raises `TileNotFoundError`.
    """

    def put_all(self, tiles: Mapping[str, bytes]) -> None: ...

    def read(self, path: str) -> bytes: ...

    def read_all(self, paths: Iterable[str]) -> list[bytes]: ...

    def replace_checkpoint(self, note: bytes) -> None: ...

    def read_checkpoint(self) -> bytes | None: ...
