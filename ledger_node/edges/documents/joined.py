"""Two or more document stores seen as one, while documents are moved between them.

New blobs go to the first store; reading looks in the first, then in the others. So every document
stays readable while `flows/keeping.py` copies what the others hold into the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ledger_node.ports.documents import (
    ByteSink,
    DocumentNotFoundError,
    DocumentStore,
    DocumentStoreUnavailableError,
)


class JoinedStore:
    """`DocumentStore` over several; see the port for its promises."""

    def __init__(self, first: DocumentStore, others: Sequence[DocumentStore]) -> None:
        """Own the stores: `close` closes them."""
        self.first = first
        self.others = tuple(others)

    def put(self, chunks: Iterable[bytes]) -> tuple[bytes, int]:
        """Store ciphertext in the first store."""
        return self.first.put(chunks)

    def put_from(self, produce: Callable[[ByteSink], object]) -> tuple[bytes, int]:
        """Store what `produce` writes in the first store."""
        return self.first.put_from(produce)

    def sync(self) -> None:
        """Make every put that has returned durable."""
        self.first.sync()

    def read(self, address: bytes) -> Iterator[bytes]:
        """Ciphertext from whichever store has it.

        The first is asked again at the end: the blob may have moved there between two looks. A
        store that does not answer counts only when no other has the blob.
        """
        failure: DocumentStoreUnavailableError | None = None
        for store in (self.first, *self.others, self.first):
            try:
                return store.read(address)
            except DocumentNotFoundError:
                continue
            except DocumentStoreUnavailableError as error:
                failure = error
        raise failure or DocumentNotFoundError(address)

    def has(self, address: bytes) -> bool:
        """Whether one of the stores has the blob."""
        return any(store.has(address) for store in (self.first, *self.others, self.first))

    def remove(self, address: bytes) -> None:
        """Forget a blob everywhere; the first store last, where a move may just have put it."""
        for store in (*self.others, self.first):
            store.remove(address)

    def list_addresses(self) -> Iterator[bytes]:
        """Addresses of the stores' blobs; one that stands in two comes twice."""
        for store in (self.first, *self.others):
            yield from store.list_addresses()

    def close(self) -> None:
        """Close every store."""
        for store in (self.first, *self.others):
            close = getattr(store, "close", None)
            if close is not None:
                close()
