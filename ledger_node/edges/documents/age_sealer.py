"""Sealing documents in the age format, each to its own X25519 identity, streaming.

Step 1 of the data flow. pyrage holds the interpreter lock while it works, except in the reads and
writes it asks for: bulk sealing wants processes, not threads. Plaintext is never whole in memory;
an opened document gets its name only after its digest was checked, because age can write before
it finds the damage and says nothing about who sealed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyrage  # type: ignore[import-untyped] # the package has no stubs

from ledger_node.core.age_identity import encode_age_identity
from ledger_node.core.digest import DigestMismatchError, DigestStream
from ledger_node.core.errors import CiphertextAuthError, LedgerError
from ledger_node.core.types import Digest
from ledger_node.edges.files import PRIVATE_FILE, sync_directory, temporary_file, write_all
from ledger_node.ports.documents import (
    ByteSink,
    DocumentStore,
    DocumentStoreUnavailableError,
    SealedDocument,
)


class AgeSealer:
    """`Sealer` over pyrage; keeps nothing between calls, safe for several threads."""

    def seal(self, store: DocumentStore, secret: bytes, source: BinaryIO) -> SealedDocument:
        """Seal a plaintext stream into `store` (not yet synced)."""
        recipient = _load_identity(secret).to_public()
        plaintext = _HashedSource(source)

        def produce(sink: ByteSink) -> None:
            try:
                pyrage.encrypt_io(plaintext, sink, [recipient])
            except pyrage.EncryptError as error:
                raise (plaintext.failure or error) from error

        address, sealed_bytes = store.put_from(produce)
        digest = plaintext.stream.digest()
        return SealedDocument(address, digest, plaintext.stream.size_bytes, sealed_bytes)

    def unseal(
        self, store: DocumentStore, address: bytes, secret: bytes, digest: Digest, target: Path
    ) -> None:
        """Write the plaintext to `target` by rename, only after `digest` is checked."""
        with _file_errors(), temporary_file(target.parent, mode=PRIVATE_FILE) as (path, fd):
            _demand_digest(_decrypt(store, address, secret, _HashedTarget(fd)), digest)
            os.fsync(fd)
            path.rename(target)
            sync_directory(target.parent)

    def check(self, store: DocumentStore, address: bytes, secret: bytes, digest: Digest) -> None:
        """Open a document without keeping the plaintext anywhere."""
        _demand_digest(_decrypt(store, address, secret, _HashedTarget(None)), digest)


def _decrypt(
    store: DocumentStore, address: bytes, secret: bytes, plaintext: _HashedTarget
) -> Digest:
    """Stream the plaintext into `plaintext`; its digest."""
    identity = _load_identity(secret)
    ciphertext = _ChunkSource(store.read(address))
    try:
        pyrage.decrypt_io(ciphertext, plaintext, [identity])
    except (pyrage.DecryptError, OSError) as error:  # OSError: damage behind the header
        failure = ciphertext.failure or plaintext.failure
        raise (failure or CiphertextAuthError(address.hex())) from error
    return plaintext.stream.digest()


def remove_unfinished(directory: Path) -> int:
    """Remove what an unsealing that was killed left in a directory; returns how many files.

    For start-up, before anything unseals into `directory`: such a file is plaintext.
    """
    with _file_errors():
        left = list(directory.glob(".*.part"))
        for path in left:
            path.unlink(missing_ok=True)
    return len(left)


class _HashedSource:
    """Plaintext on its way in; keeps the failure that pyrage turns into its own."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.stream = DigestStream()
        self.failure: Exception | None = None

    def read(self, size: int, /) -> bytes:
        try:
            chunk = self._source.read(size)
        except Exception as error:
            self.failure = error
            raise
        self.stream.update(chunk)
        return chunk


class _HashedTarget:
    """Plaintext on its way out, to a descriptor, or nowhere when only its digest is wanted."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd
        self.stream = DigestStream()
        self.failure: Exception | None = None

    def write(self, data: bytes, /) -> int:
        try:
            if self._fd is not None:
                write_all(self._fd, data)
        except OSError as error:
            self.failure = error
            raise
        self.stream.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""


class _ChunkSource:
    """Ciphertext chunks as the file pyrage reads."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self.failure: Exception | None = None

    def read(self, size: int, /) -> bytes:
        try:
            while not self._rest:
                self._rest = memoryview(next(self._chunks))
        except StopIteration:
            return b""
        except LedgerError as error:
            self.failure = error
            raise
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)


def _load_identity(secret: bytes) -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.from_str(encode_age_identity(secret))


def _demand_digest(computed: Digest, expected: Digest) -> None:
    if computed != expected:
        raise DigestMismatchError(
            "解密后的文件与登记的摘要不符，文件未写出。",
            "the opened document differs from the registered digest; nothing was written.",
            expected=expected,
            computed=computed,
        )


@contextmanager
def _file_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DocumentStoreUnavailableError(str(error)) from error
