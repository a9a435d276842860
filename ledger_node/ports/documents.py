"""The document store: ciphertext only, addressed by the SHA-256 of the ciphertext."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ledger_node.core.errors import InvariantError, NotFoundError, UnavailableError
from ledger_node.core.types import Digest

READ_CHUNK_BYTES = 1 << 20


class DocumentNotFoundError(NotFoundError):
    """The store has no blob of this address. Fields: address (32 bytes)."""

    code = "document_not_found"

    def __init__(self, address: bytes) -> None:
        super().__init__(
            f"文件库中没有密文 {address.hex()}。",
            f"The document store has no blob {address.hex()}.",
            address=address,
        )


class CiphertextDigestError(InvariantError):
    """A stored blob no longer has the digest it is addressed by. Fields: address (32 bytes)."""

    code = "ciphertext_digest"

    def __init__(self, address: bytes) -> None:
        super().__init__(
            f"密文 {address.hex()} 已损坏，请从备份恢复。",
            f"The stored blob {address.hex()} is damaged; restore it from a backup.",
            address=address,
        )


class DocumentStoreUnavailableError(UnavailableError):
    """The store cannot be read or written now (full, no permission, device error).

    What was put since the last successful `sync` may be lost: put it again.
    """

    code = "document_store_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"文件库暂时不可用（{reason}）。请检查磁盘后重试。",
            f"The document store is unavailable ({reason}); check the disk and try again.",
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """What sealing one document gave.

    Attributes:
        address: SHA-256 of the ciphertext, 32 bytes: where the store keeps it.
        digest: SHA-256 of the plaintext, 32 bytes.
        size_bytes: Plaintext length.
        sealed_bytes: Ciphertext length.
    """

    address: bytes
    digest: Digest
    size_bytes: int
    sealed_bytes: int


class ByteSink(Protocol):
    """Where a producer writes a blob's bytes, in any chunking."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


class DocumentStore(Protocol):
    """Promises: `put` makes nothing durable by itself, `sync` makes all earlier puts of this
    process durable (group commit); other processes see a blob once it is synced; putting the same
    ciphertext twice stores it once; `read` raises `DocumentNotFoundError` or
    `CiphertextDigestError`, never returns other bytes. A put that fails leaves nothing. Several
    threads and several processes may use one store at the same time.

    Raises (every method): DocumentStoreUnavailableError.
    """

    def put(self, chunks: Iterable[bytes]) -> tuple[bytes, int]:
        """Store ciphertext; returns (address, length in bytes)."""
        ...

    def put_from(self, produce: Callable[[ByteSink], object]) -> tuple[bytes, int]:
        """Store what `produce` writes to the sink it is given; returns (address, length)."""
        ...

    def sync(self) -> None:
        """Make every put that has returned durable."""
        ...

    def read(self, address: bytes) -> Iterator[bytes]:
        """Ciphertext in chunks of at most 1 MiB; the digest is checked before the last chunk."""
        ...

    def has(self, address: bytes) -> bool:
        """Whether the blob is stored and not known to be damaged (its bytes are not read)."""
        ...

    def remove(self, address: bytes) -> None:
        """Forget a blob: durable when it returns, idempotent; space may be reclaimed later."""
        ...


class Sealer(Protocol):
    """age sealing, streaming; `secret` is the X25519 secret of a document's identity, 32 bytes."""

    def seal(self, store: DocumentStore, secret: bytes, source: BinaryIO) -> SealedDocument:
        """Seal a plaintext stream into `store` (not yet synced)."""
        ...

    def unseal(
        self, store: DocumentStore, address: bytes, secret: bytes, digest: Digest, target: Path
    ) -> None:
        """Write the plaintext to `target` by rename, only after `digest` is checked.

        Raises:
            DocumentNotFoundError: The store has no such blob.
            CiphertextDigestError: The stored blob was changed.
            CiphertextAuthError: The ciphertext does not open under `secret`.
            DigestMismatchError: It opens, but to other bytes than `digest` says.
        """
        ...

    def check(self, store: DocumentStore, address: bytes, secret: bytes, digest: Digest) -> None:
        """Open a document without keeping the plaintext; raises as `unseal`."""
        ...
