"""Step 1, ahead of it: a program sends a document's bytes into a slot, then names the slot.

Crash order: slot row -> bytes under a temporary name -> synced and renamed -> row `stored` -> the
material registered (intake.py) -> row `used`, file removed. A crash in between leaves a slot that
can be filled again, or a file that the sweep removes with its expired row.

Invariants:
    * A slot belongs to one account; to everybody else there is none.
    * Bytes count only whole: within the limit, of the digest that was promised, inspected.
    * A filled slot takes the same bytes again and no others.
Not here: where the bytes wait (ports/uploads.py), what may be in them (flows/inspecting.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, Final

from ledger_node.core.errors import ConflictError, MalformedInputError, VerificationError
from ledger_node.core.statement_parts import Extent
from ledger_node.core.types import Digest, MaterialId
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_digest_tag
from ledger_node.flows.submission import DocumentFile, EmptyDocumentError
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_api import UploadNotFoundError, UploadRow, UploadState
from ledger_node.ports.uploads import UploadSink, UploadStore

KEPT: Final = timedelta(hours=1)
MAX_OPEN: Final = 200
_SWEPT_AT_ONCE: Final = 200


class UploadTooLargeError(MalformedInputError):
    """The body is larger than a document may be; nothing of it is kept."""

    code = "upload_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"文件超过 {limit_bytes} 字节的上限，未保存。请拆分后再传。",
            f"The file exceeds {limit_bytes} bytes; nothing was stored. Split it.",
            limit_bytes=limit_bytes,
        )


class ContentDigestMismatchError(VerificationError):
    """The bytes that came are not those the `Content-Digest` header promises."""

    code = "content_digest_mismatch"

    def __init__(self) -> None:
        super().__init__(
            "收到的字节与 Content-Digest 不符，未保存。请重新上传。",
            "The bytes are not those of the Content-Digest; nothing was stored. Send them again.",
        )


class UploadDiffersError(ConflictError):
    """The slot holds other bytes, or a material carries them already."""

    code = "upload_differs"

    def __init__(self) -> None:
        super().__init__(
            "这个上传位置已有内容，请另开一个。",
            "This slot is filled already; open another one.",
        )


class UploadNotStoredError(ConflictError):
    """A material names a slot whose bytes have not come, or are used."""

    code = "upload_not_stored"

    def __init__(self, upload_id: str) -> None:
        super().__init__(
            f"上传 {upload_id} 尚未完成，或已用于另一份材料。",
            f"Upload {upload_id} has no bytes yet, or another material carries it.",
            upload_id=upload_id,
        )


class TooManyUploadsError(ConflictError):
    """The account has too many slots that no material carries yet."""

    code = "too_many_uploads"

    def __init__(self) -> None:
        super().__init__(
            "未使用的上传位置过多，请先登记材料或等待其过期。",
            "Too many slots are unused; register materials, or wait until they expire.",
        )


@dataclass(frozen=True, slots=True)
class UploadUse:
    """How a material carries an upload: pages, extent, whom it concerns."""

    upload_id: str
    pages: int | None = None
    extent: Extent = Extent.COMPLETE
    concerns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """A filled slot; the digest is known only while the bytes pass."""

    row: UploadRow
    digest: Digest


class Intake:
    """One body on its way into a slot: counted, hashed, written; then kept whole or not at all."""

    def __init__(self, sink: UploadSink, limit_bytes: int) -> None:
        self._sink = sink
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def take(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            UploadTooLargeError: There are too many of them.
        """
        self.size_bytes += len(chunk)
        if self.size_bytes > self._limit_bytes:
            raise UploadTooLargeError(self._limit_bytes)
        self._hash.update(chunk)
        self._sink.write(chunk)

    @property
    def digest(self) -> Digest:
        """SHA-256 of everything taken."""
        return Digest(self._hash.digest())


def open_slot(node: Node, account_id: str, media_type: str, upload_id: str) -> UploadRow:
    """Open a slot; the same id again gives the same slot.

    Raises:
        TooManyUploadsError: The account has too many.
    """
    now = node.clock.now()
    row = UploadRow(
        upload_id, account_id, media_type, UploadState.OPEN, None, 0, None, now, now + KEPT
    )
    try:
        with node.database.transaction() as tx:
            if tx.uploads.count_uploads(account_id) >= MAX_OPEN:
                raise TooManyUploadsError
            tx.uploads.save_upload(row)
    except RowConflictError:
        return load_slot(node, account_id, upload_id)
    return row


def load_slot(node: Node, account_id: str, upload_id: str) -> UploadRow:
    """A slot of this account.

    Raises:
        UploadNotFoundError: None of that id, another account's, or expired.
    """
    with node.database.read() as tx:
        row = tx.uploads.find_upload(upload_id)
    if row is None or row.account_id != account_id or row.expires_at <= node.clock.now():
        raise UploadNotFoundError(upload_id)
    return row


def keep_upload(
    node: Node,
    store: UploadStore,
    row: UploadRow,
    sink: UploadSink,
    taken: Intake,
    promised: bytes | None,
    inspect: Callable[[BinaryIO, str], object],
) -> StoredUpload:
    """Keep what was taken, or refuse it; a refusal leaves nothing.

    Args:
        promised: SHA-256 the sender named; None if none.
        inspect: Raises when the bytes may not be stored as the slot's media type.

    Raises:
        EmptyDocumentError: No bytes came.
        ContentDigestMismatchError: Not the promised ones.
        UploadDiffersError: The slot holds others.
        DocumentRefusedError: From `inspect`.
    """
    if taken.size_bytes == 0:
        raise EmptyDocumentError(0)
    if promised is not None and promised != taken.digest:
        raise ContentDigestMismatchError
    tag = compute_digest_tag(node, taken.digest)
    if row.state != UploadState.OPEN:
        return _same_again(row, tag, taken)
    with sink.open_written() as written:
        inspect(written, row.media_type)
    name = name_file(row.upload_id, tag)
    sink.keep(name)
    with node.database.transaction() as tx:
        stored = tx.uploads.store_upload(row.upload_id, tag, taken.size_bytes)
        now = tx.uploads.find_upload(row.upload_id)
    if now is None:
        raise UploadNotFoundError(row.upload_id)
    if not stored and now.digest_tag != tag:
        store.remove(name)  # somebody else was first, with other bytes
    return StoredUpload(now, taken.digest) if stored else _same_again(now, tag, taken)


def name_file(upload_id: str, tag: bytes) -> str:
    """Name of the kept bytes: of two bodies sent at once each has its own."""
    return f"{upload_id}-{tag.hex()[:16]}"


def _name_of(row: UploadRow) -> str | None:
    return None if row.digest_tag is None else name_file(row.upload_id, row.digest_tag)


def _same_again(row: UploadRow, tag: bytes, taken: Intake) -> StoredUpload:
    if row.digest_tag != tag:
        raise UploadDiffersError
    return StoredUpload(row, taken.digest)


def build_documents(
    node: Node, store: UploadStore, account_id: str, uses: Sequence[UploadUse]
) -> tuple[DocumentFile, ...]:
    """Documents of a submission from filled slots.

    Raises:
        UploadNotFoundError: Not of this account, or expired.
        UploadNotStoredError: No bytes, or used.
    """
    documents = []
    for use in uses:
        row = load_slot(node, account_id, use.upload_id)
        name = _name_of(row)
        if row.state != UploadState.STORED or name is None:
            raise UploadNotStoredError(use.upload_id)
        source = store.open_source(name)
        documents.append(DocumentFile(source, row.media_type, use.pages, use.extent, use.concerns))
    return tuple(documents)


def settle_uploads(
    node: Node, store: UploadStore, upload_ids: Sequence[str], material_id: MaterialId
) -> None:
    """A material carries these now: mark them, then remove their plaintext. Idempotent."""
    if not upload_ids:
        return
    with node.database.transaction() as tx:
        tx.uploads.use_uploads(upload_ids, material_id)
        rows = [tx.uploads.find_upload(each) for each in upload_ids]
    for row in rows:
        _remove(store, row)


def _remove(store: UploadStore, row: UploadRow | None) -> None:
    name = None if row is None else _name_of(row)
    if name is not None:
        store.remove(name)


def sweep_uploads(node: Node, store: UploadStore) -> int:
    """Remove expired slots, then files that no slot explains; returns how many went."""
    with node.database.read() as tx:
        expired = tx.uploads.list_uploads_before(node.clock.now(), _SWEPT_AT_ONCE)
    for row in expired:
        _remove(store, row)
        with node.database.transaction() as tx:
            tx.uploads.drop_upload(row.upload_id)
    strays = [name for name, age_s in store.list_names() if age_s > 2 * KEPT.total_seconds()]
    for name in strays:
        store.remove(name)
    return len(expired) + len(strays)
