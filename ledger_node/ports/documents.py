"""The document store: ciphertext only, addressed by the SHA-256 of the ciphertext."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ledger_node.core.types import Digest


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


class DocumentStore(Protocol):
    """Promises: `put` makes nothing durable by itself, `sync` makes all earlier puts of this
    process durable (group commit); putting the same ciphertext twice stores it once; `read`
    raises `DocumentNotFoundError` or `CiphertextDigestError`, never returns other bytes.
    """

    def put(self, chunks: Iterable[bytes]) -> tuple[bytes, int]:
        """Store ciphertext; returns (address, length in bytes)."""
        ...

    def sync(self) -> None: ...

    def read(self, address: bytes) -> Iterator[bytes]:
        """Ciphertext in chunks of at most 1 MiB; the digest is checked before the last chunk."""
        ...

    def has(self, address: bytes) -> bool: ...

    def remove(self, address: bytes) -> None:
        """Forget a blob (idempotent); space may be reclaimed later."""
        ...


class Sealer(Protocol):
    """age sealing, streaming; `secret` is the X25519 secret of the document's identity, 32 bytes."""

    def seal(self, store: DocumentStore, secret: bytes, source: BinaryIO) -> SealedDocument:
        """Seal a plaintext stream into `store` (not yet synced)."""
        ...

    def unseal(
        self, store: DocumentStore, address: bytes, secret: bytes, digest: Digest, target: Path
    ) -> None:
        """Write the plaintext to `target` by rename, only after `digest` is checked.

        Raises:
            DocumentNotFoundError: The store has no such blob.
            CiphertextAuthError: The ciphertext does not open under `secret`.
            DigestMismatchError: It opens, but to other bytes than `digest` says.
        """
        ...
