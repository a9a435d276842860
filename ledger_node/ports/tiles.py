"""Public files of the log: tiles, entry bundles and the checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ledger_node.core.errors import InvariantError, NotFoundError, UnavailableError


class TileNotFoundError(NotFoundError):
    """The log has no such file. Fields: path."""

    code = "tile_not_found"

    def __init__(self, path: str) -> None:
        super().__init__(f"日志中没有文件 {path}。", f"The log has no file {path}.", path=path)


class TileConflictError(InvariantError):
    """A different file is already there: two histories, or a damaged file. Fields: path."""

    code = "tile_conflict"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"日志文件 {path} 已存在且内容不同。已停止写入，请管理员核查。",
            f"The log already has another {path}; nothing was written. A person must look.",
            path=path,
        )


class TileStoreUnavailableError(UnavailableError):
    """The files of the log cannot be read or written now. A retry of the same tiles is safe."""

    code = "tile_store_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"日志文件暂时不可用（{reason}）。请检查磁盘后重试。",
            f"The log's files are unavailable ({reason}); check the disk and try again.",
            reason=reason,
        )


class TileStore(Protocol):
    """Files of one log by C2SP path (`tile/0/000`, `tile/entries/x001/234.p/7`, `checkpoint`).

    Promises: `put_all` writes if absent, is durable when it returns, never replaces anything, and
    raises `TileConflictError` when a different file is already there (nothing is written when it
    was there before the call); a reader never sees a part of a file; `replace_checkpoint` is
    atomic and durable; `read` raises `TileNotFoundError`.

    Raises (every method): TileStoreUnavailableError; MalformedTilePathError for any other path.
    """

    def put_all(self, tiles: Mapping[str, bytes]) -> None:
        """Write tiles and entry bundles; again with the same bytes is no conflict."""
        ...

    def read(self, path: str) -> bytes:
        """Bytes of one tile or entry bundle."""
        ...

    def read_all(self, paths: Iterable[str]) -> list[bytes]:
        """Bytes of several, in order; raises for the first that is missing."""
        ...

    def replace_checkpoint(self, note: bytes) -> None:
        """Put a signed checkpoint in the place of the last one."""
        ...

    def read_checkpoint(self) -> bytes | None:
        """The signed checkpoint, or None before the first."""
        ...


class Mirrors(Protocol):
    """Files of other cities' logs, one store per log, apart from the node's own."""

    def open(self, origin: str) -> TileStore:
        """Store of one log, made when it is missing.

        Raises:
            MalformedOriginError: It is no origin.
        """
        ...
