"""A node's stored documents read again for an audit: is each one there, and the same bytes.

Step 11. Documents stay sealed: an address is the digest of the ciphertext, so nothing is opened
and nobody's paper is seen. Spec: docs/spec/replay.md, "Audit".
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator

from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode
from ledger_node.flows.audit_reading import Progress
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_questions import DocumentPlace
from ledger_node.ports.documents import (
    CiphertextDigestError,
    DocumentNotFoundError,
    DocumentStore,
)

PAGE_ROWS = 1000


def compare_documents(
    tx: Transaction,
    documents: DocumentStore,
    as_of: BlockFact,
    sample: int | None,
    found: list[Discrepancy],
    progress: Progress | None = None,
) -> int:
    """Read stored documents whole; returns how many were read.

    Args:
        sample: At most so many, chosen by the hash of the block the audit speaks of; all if None.
        found: Takes `document_missing` and `document_damaged`, by material and position.
        progress: Told ("documents", done, total).

    Raises:
        DocumentStoreUnavailableError: The store does not answer.
    """
    places = _iterate_places(tx)
    if sample is None:
        total = tx.questions.count_documents()
    else:
        chosen = heapq.nsmallest(
            sample, places, key=lambda each: hashlib.sha256(as_of.hash + each.address).digest()
        )
        places, total = iter(chosen), len(chosen)
    read = 0
    for place in places:
        code = _find_problem(documents, place.address)
        if code is not None:
            where = f"document {place.material_id} {place.position}"
            found.append(Discrepancy(code, where, f"blob {place.address.hex()}"))
        read += 1
        if progress is not None:
            progress("documents", read, total)
    return read


def _find_problem(documents: DocumentStore, address: bytes) -> DiscrepancyCode | None:
    try:
        for _ in documents.read(address):
            pass
    except DocumentNotFoundError:
        return DiscrepancyCode.DOCUMENT_MISSING
    except CiphertextDigestError:
        return DiscrepancyCode.DOCUMENT_DAMAGED
    return None


def _iterate_places(tx: Transaction) -> Iterator[DocumentPlace]:
    after: tuple[str, int] | None = None
    while page := tx.questions.list_documents(after, PAGE_ROWS):
        yield from page
        after = (page[-1].material_id, page[-1].position)
