"""Looking after the document store: moving documents to another store, collecting garbage.

Serves step 1; runs beside the node, as a command. Spec: docs/spec/documents.md.

Invariants:
    * A document is removed from the old store only after the new one holds it durably and was
      read back whole; the node reads both meanwhile.
    * A blob is collected only when nobody needed it in two looks a day apart, and not now either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import structlog

from ledger_node.core.release_answer import parse_release_answer
from ledger_node.flows.halts import demand_no_halt
from ledger_node.flows.node import Node
from ledger_node.flows.records import open_record
from ledger_node.ports.database_exchange import ReleaseRow
from ledger_node.ports.documents import (
    CiphertextDigestError,
    DocumentNotFoundError,
    DocumentStore,
)
from ledger_node.ports.keys import KeyMissingError

GARBAGE_AGE = timedelta(days=1)
BATCH_DOCUMENTS = 64
_PAGE = 400

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did: documents moved, and addresses of those that are damaged in the old
    store and were left there."""

    moved: int
    damaged: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """What a look for garbage found.

    Attributes:
        needed: Blobs that a material or a received release needs.
        waiting: Blobs nobody needs, noted less than a day ago.
        due: Blobs nobody needed a day ago and now; removed when asked for.
        removed: Those removed by this look.
    """

    needed: int
    waiting: int
    due: int
    removed: int


def move_documents(
    source: DocumentStore,
    target: DocumentStore,
    on_progress: Callable[[int], None] = lambda _moved: None,
) -> Moved:
    """Move everything `source` holds to `target`, a batch at a time.

    Effects: a batch durable in `target` → read back → removed from `source`. A crash leaves a
    batch in both; the next move finds it there and goes on.
    Idempotent: yes.

    Raises:
        DocumentStoreUnavailableError: One of the stores; what was moved stays moved.
    """
    moved, damaged = 0, list[bytes]()
    for batch in _list_batches(source, BATCH_DOCUMENTS):
        copied = [each for each in batch if _copy(source, target, each, damaged)]
        target.sync()
        for address in copied:
            for _ in target.read(address):
                pass
            source.remove(address)
        moved += len(copied)
        on_progress(moved)
    log.info("documents_moved", moved=moved, damaged=len(damaged))
    return Moved(moved, tuple(damaged))


def _copy(
    source: DocumentStore, target: DocumentStore, address: bytes, damaged: list[bytes]
) -> bool:
    """Whether the blob is in `target` now; False for one that is damaged or was removed."""
    try:
        target.put(source.read(address))
    except DocumentNotFoundError:
        return False
    except CiphertextDigestError:
        damaged.append(address)
        return False
    return True


def collect_documents(node: Node, *, remove: bool) -> Collected:
    """Note blobs nobody needs; with `remove`, remove those noted at least a day ago.

    Effects: orphans noted → those due looked up again → removed. A crash leaves notes.
    Idempotent: yes; a second look at once removes nothing more.

    Raises:
        LedgerHaltedError: A halt stands: what rows say may not be the whole truth.
        UnavailableError: The store, the key store or the database.
    """
    with node.database.read() as tx:
        demand_no_halt(tx)
    started_at, needed = node.clock.now(), 0
    for page in _list_batches(node.documents, _PAGE):
        orphans = _list_unneeded(node, page)
        needed += len(page) - len(orphans)
        with node.database.transaction() as tx:
            tx.keeping.mark_orphans(orphans, started_at)
    with node.database.transaction() as tx:
        tx.keeping.forget_orphans_before(started_at)
        noted = tx.keeping.count_orphans()
    due = removed = 0
    for batch in _list_due(node):
        due += len(batch)
        if remove:
            removed += _remove(node, batch)
    log.info("documents_collected", needed=needed, waiting=noted - due, due=due, removed=removed)
    return Collected(needed, noted - due, due, removed)


def _list_due(node: Node) -> Iterator[list[bytes]]:
    after, before = b"", node.clock.now() - GARBAGE_AGE
    while True:
        with node.database.read() as tx:
            batch = tx.keeping.list_orphans(before, after, BATCH_DOCUMENTS)
        if not batch:
            return
        yield batch
        after = batch[-1]


def _remove(node: Node, batch: list[bytes]) -> int:
    """Remove those of a batch that still nobody needs."""
    orphans = _list_unneeded(node, batch)
    for address in orphans:
        node.documents.remove(address)
    with node.database.transaction() as tx:
        tx.keeping.forget_orphans(orphans)
    return len(orphans)


def _list_unneeded(node: Node, addresses: list[bytes]) -> list[bytes]:
    """Those of `addresses` under which neither a material nor a received release stands.

    A row names an address before anybody relies on it: an intake seals under a key of its own,
    and a release is stored with its answer before its documents are fetched.
    """
    with node.database.read() as tx:
        registered = tx.keeping.find_registered(addresses)
    rest = [each for each in addresses if each not in registered]
    if not rest:
        return []
    received = _load_received(node)
    return [each for each in rest if each not in received]


def _load_received(node: Node) -> set[bytes]:
    """Addresses of documents that other cities released to this one and that can be opened."""
    found, after = set[bytes](), b""
    while True:
        with node.database.read() as tx:
            rows = tx.keeping.list_received(after, _PAGE)
        if not rows:
            return found
        for row in rows:
            found.update(_load_addresses(node, row))
        after = rows[-1].request_digest


def _load_addresses(node: Node, row: ReleaseRow) -> Iterator[bytes]:
    """Addresses an answer names; none when its key was destroyed. Whatever else fails stops the
    look: a record that cannot be read is no reason to remove what it may name."""
    with suppress(KeyMissingError):
        name = f"release/{row.request_digest.hex()}"
        answer = parse_release_answer(open_record(node, name, "answer", row.answer or b""))
        for material in answer.materials:
            for document in material.documents:
                yield bytes(document.address)


def _list_batches(store: DocumentStore, size: int) -> Iterator[list[bytes]]:
    addresses = store.list_addresses()
    while batch := list(islice(addresses, size)):
        yield batch
