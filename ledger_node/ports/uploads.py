"""Where documents wait, on their way from a program to a material."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Protocol

from ledger_node.core.errors import UnavailableError


class UploadStoreUnavailableError(UnavailableError):
    """The folder of uploads cannot be written or read."""

    code = "upload_store_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"暂时无法保存上传的文件（{reason}）。请稍后重试。",
            f"The upload cannot be stored now ({reason}); try again later.",
            reason=reason,
        )


class UploadSink(Protocol):
    """One body on its way in. Nothing of it can be found before `keep`."""

    def write(self, chunk: bytes) -> None: ...

    def open_written(self) -> BinaryIO:
        """What was written so far, for reading."""
        ...

    def keep(self, name: str) -> None:
        """Make it durable under a name; the same bytes under the same name twice are harmless."""
        ...

    def discard(self) -> None:
        """Leave nothing; after `keep` no effect."""
        ...


class UploadStore(Protocol):
    """Plaintext of documents for an hour at most, readable by the node's user only."""

    def open_sink(self) -> UploadSink: ...

    def open_source(self, name: str) -> Callable[[], BinaryIO]:
        """Opens the kept bytes each time it is called.

        Raises:
            UploadNotFoundError: (from the call) they are not here any more.
        """
        ...

    def remove(self, name: str) -> None:
        """Idempotent."""
        ...

    def list_names(self) -> list[tuple[str, float]]:
        """(name, age in seconds) of everything here, half-written files included."""
        ...
