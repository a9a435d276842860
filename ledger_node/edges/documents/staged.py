"""A document store on a server: ciphertext waits in the spool, `sync` hands it over.

Step 1 of the data flow. Until `sync` a blob exists for this process alone; `sync` sends what
waits, several at a time, and forgets it here only after the server has said that it holds it. So
a server that fails keeps a registration from its receipt and loses nothing that was promised.

Invariants:
    * The server holds a blob under its address; what comes back is hashed before the last chunk.
    * Whoever comes second finds the blob there: nothing whole is ever written over.
Not here: how a server is spoken to (`s3.py`, `ipfs.py`).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ledger_node.edges.documents.spool import Spool, SpooledBlob
from ledger_node.ports.documents import (
    READ_CHUNK_BYTES,
    ByteSink,
    CiphertextDigestError,
    DocumentNotFoundError,
    DocumentStoreUnavailableError,
)

SENT_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class ServedBlob:
    """A blob on its way from the server: the length it says (bytes), and chunks of any size."""

    length_bytes: int
    chunks: Iterator[bytes]


class BlobServer(Protocol):
    """What a server is asked for; nothing is believed that can be checked here.

    Raises (every method): DocumentStoreUnavailableError.
    """

    def put_if_absent(self, blob: SpooledBlob) -> bool:
        """Hold a blob durably under its address; False when something is there already."""
        ...

    def replace(self, blob: SpooledBlob) -> None:
        """Hold a blob in the place of one that was found damaged."""
        ...

    def get(self, address: bytes) -> ServedBlob | None:
        """The blob under an address, or None."""
        ...

    def has(self, address: bytes) -> bool:
        """Whether something is there."""
        ...

    def delete(self, address: bytes) -> None:
        """Hold it no longer; idempotent."""
        ...

    def list_addresses(self) -> Iterator[bytes]:
        """Every address something is held under, in any order."""
        ...

    def close(self) -> None:
        """Give up connections."""
        ...


class StagedStore:
    """`DocumentStore` over a server; see the port for its promises."""

    def __init__(self, server: BlobServer, spool_directory: Path) -> None:
        """Nothing is asked of the server yet: a node starts while it is away.

        Raises:
            DocumentStoreUnavailableError: The spool cannot be used.
        """
        self._server = server
        self._spool = Spool(spool_directory)
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._waiting: dict[bytes, SpooledBlob] = {}

    def put(self, chunks: Iterable[bytes]) -> tuple[bytes, int]:
        """Store ciphertext; returns (address, length in bytes)."""

        def produce(sink: ByteSink) -> None:
            for chunk in chunks:
                sink.write(chunk)

        return self.put_from(produce)

    def put_from(self, produce: Callable[[ByteSink], object]) -> tuple[bytes, int]:
        """Store what `produce` writes; returns (address, length in bytes)."""
        blob = self._spool.take(produce)
        with self._lock:
            first = self._waiting.setdefault(blob.address, blob)
        if first is not blob:
            self._spool.drop(blob)
        return blob.address, blob.length_bytes

    def sync(self) -> None:
        """Hand over everything that waits; what could not be handed over waits on."""
        with self._sync_lock:
            with self._lock:
                batch = list(self._waiting.values())
            if not batch:
                return
            with ThreadPoolExecutor(max_workers=min(SENT_AT_ONCE, len(batch))) as threads:
                sent = [threads.submit(self._hand_over, blob) for blob in batch]
            for future in sent:
                future.result()

    def read(self, address: bytes) -> Iterator[bytes]:
        """Ciphertext in chunks of at most 1 MiB; the digest is checked before the last chunk."""
        with self._lock:
            waiting = self._waiting.get(address)
        if waiting is not None:
            return _check(address, ServedBlob(waiting.length_bytes, waiting.read_chunks()))
        served = self._server.get(address)
        if served is None:
            raise DocumentNotFoundError(address)
        return _check(address, served)

    def has(self, address: bytes) -> bool:
        """Whether the blob waits here or is on the server."""
        with self._lock:
            if address in self._waiting:
                return True
        return self._server.has(address)

    def remove(self, address: bytes) -> None:
        """Forget a blob; durable when it returns."""
        with self._sync_lock:  # or a hand-over under way would bring it back
            with self._lock:
                waiting = self._waiting.pop(address, None)
            if waiting is not None:
                self._spool.drop(waiting)
            self._server.delete(address)

    def list_addresses(self) -> Iterator[bytes]:
        """Addresses of what the server holds, in any order."""
        return self._server.list_addresses()

    def close(self) -> None:
        """Give up the spool and connections; what was not synced is lost."""
        with self._sync_lock:
            self._spool.close()
            self._server.close()

    def _hand_over(self, blob: SpooledBlob) -> None:
        if not self._server.put_if_absent(blob) and not self._is_intact(blob.address):
            self._server.replace(blob)
            if not self._is_intact(blob.address):
                raise DocumentStoreUnavailableError("the server keeps damaged bytes")
        with self._lock:
            self._waiting.pop(blob.address, None)
        self._spool.drop(blob)

    def _is_intact(self, address: bytes) -> bool:
        """Whether the server holds these bytes and no others."""
        served = self._server.get(address)
        try:
            for _ in _check(address, served) if served is not None else ():
                pass
        except CiphertextDigestError:
            return False
        return served is not None


def _check(address: bytes, served: ServedBlob) -> Iterator[bytes]:
    """Chunks of at most 1 MiB; the last is held back until the digest is right.

    Raises:
        DocumentStoreUnavailableError: Fewer bytes came than the server had announced.
        CiphertextDigestError: All came, and they are others.
    """
    hasher, length_bytes, held = hashlib.sha256(), 0, b""
    for chunk in _cut(served.chunks):
        if held:
            yield held
        hasher.update(chunk)
        length_bytes += len(chunk)
        held = chunk
    if length_bytes < served.length_bytes:
        raise DocumentStoreUnavailableError("the answer broke off")
    if hasher.digest() != address:
        raise CiphertextDigestError(address)
    if held:
        yield held


def _cut(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for at in range(0, len(chunk), READ_CHUNK_BYTES):
            yield chunk[at : at + READ_CHUNK_BYTES]
