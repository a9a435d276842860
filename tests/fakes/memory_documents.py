"""The document store in memory; passes the conformance suite of the segment store."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator

from ledger_node.ports.documents import (
    READ_CHUNK_BYTES,
    ByteSink,
    CiphertextDigestError,
    DocumentNotFoundError,
)
from tests.fakes.faults import FaultPlan, no_faults, run_with_faults


class MemoryDocuments:
    """Handles that share `durable` are processes that share a directory."""

    def __init__(
        self, durable: dict[bytes, bytes] | None = None, faults: FaultPlan = no_faults
    ) -> None:
        self.durable = {} if durable is None else durable
        self._pending: dict[bytes, bytes] = {}
        self.faults = faults

    def put(self, chunks: Iterable[bytes]) -> tuple[bytes, int]:
        return self._keep(b"".join(chunks))

    def put_from(self, produce: Callable[[ByteSink], object]) -> tuple[bytes, int]:
        sink = io.BytesIO()
        produce(sink)
        return self._keep(sink.getvalue())

    def sync(self) -> None:
        def effect() -> None:
            self.durable.update(self._pending)
            self._pending.clear()

        run_with_faults(self.faults, "sync", effect)

    def read(self, address: bytes) -> Iterator[bytes]:
        data = run_with_faults(self.faults, "read", lambda: self._find(address))
        if data is None:
            raise DocumentNotFoundError(address)
        return self._chunks(address, data)

    def has(self, address: bytes) -> bool:
        return run_with_faults(self.faults, "has", lambda: self._find(address)) is not None

    def remove(self, address: bytes) -> None:
        def effect() -> None:
            self.durable.pop(address, None)
            self._pending.pop(address, None)

        run_with_faults(self.faults, "remove", effect)

    def list_addresses(self) -> Iterator[bytes]:
        return run_with_faults(self.faults, "list", lambda: iter(sorted(self.durable)))

    def crash(self) -> MemoryDocuments:
        """What another process finds after this one was killed."""
        return MemoryDocuments(self.durable, self.faults)

    def _find(self, address: bytes) -> bytes | None:
        return self._pending.get(address, self.durable.get(address))

    def _keep(self, data: bytes) -> tuple[bytes, int]:
        address = hashlib.sha256(data).digest()

        def effect() -> None:
            stored = self.durable.get(address)
            if stored is None or hashlib.sha256(stored).digest() != address:
                self._pending[address] = data

        run_with_faults(self.faults, "put", effect)
        return address, len(data)

    @staticmethod
    def _chunks(address: bytes, data: bytes) -> Iterator[bytes]:
        if hashlib.sha256(data).digest() != address:
            raise CiphertextDigestError(address)
        for at in range(0, len(data), READ_CHUNK_BYTES):
            yield data[at : at + READ_CHUNK_BYTES]
