"""What py-evm writes while it makes a block, held back until the block is committed.

Reads fall through to the store; writes stay in `changes`. Throwing the object away undoes all of
them: a block that fails half-way leaves nothing, and calls can run on one without a trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eth.abc import AtomicWriteBatchAPI
from eth.db.atomic import AtomicDBWriteBatch
from eth.db.backends.base import BaseAtomicDB

from ledger_node.localchain.store import Store


class OverlayDB(BaseAtomicDB):
    """py-evm's database over the store, for one block or one call."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.changes: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        found = self.changes.get(key)
        return self._store.get_node(key) if found is None else found

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.changes[key] = value

    def __delitem__(self, key: bytes) -> None:
        # Stored nodes are never deleted: calls at past blocks need them.
        del self.changes[key]

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    @contextmanager
    def atomic_batch(self) -> Iterator[AtomicWriteBatchAPI]:
        """A batch that reaches `changes` unless it raises."""
        with AtomicDBWriteBatch._commit_unless_raises(self) as batch:
            yield batch
