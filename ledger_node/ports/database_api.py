"""Database groups of the HTTP API: idempotency keys, upload slots, pages of lists.

Private to one city. A key a program chose, the request it stood for and the digest of an uploaded
document are kept as HMAC tags only (`CityKeys.compute_index_tag`); stored answers hold ids, states
and codes, never a value of a person (docs/spec/api.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ledger_node.core.errors import NotFoundError
from ledger_node.ports.database_exchange import FindRow, GrantRow, ReceiptRow, ReleaseRow
from ledger_node.ports.database_intake import StoredMaterial


class UploadNotFoundError(NotFoundError):
    """There is no such upload slot (of this account), or its time is over."""

    code = "upload_not_found"

    def __init__(self, upload_id: str) -> None:
        super().__init__(
            f"没有找到上传 {upload_id}，可能已过期。请重新上传。",
            f"There is no upload {upload_id}; it may have expired. Upload the file again.",
            upload_id=upload_id,
        )


@dataclass(frozen=True, slots=True)
class IdempotencyRow:
    """One key of one account on one route.

    Attributes:
        key_tag: Tag of (account, route, key), 32 bytes.
        request_tag: Tag of the request body, 32 bytes.
        effect_id: 16 random bytes chosen with the key: what the effect is named after.
        effects: Digests (32 bytes each) of what was committed so far, in order.
        worker: Token of whoever works on it, 16 bytes; None once answered or let go.
        leased_until: Until when that worker is left alone.
        status, body: The stored answer; None until there is one.
    """

    key_tag: bytes
    account_id: str
    route: str
    request_tag: bytes
    effect_id: bytes
    effects: bytes
    worker: bytes | None
    leased_until: datetime
    status: int | None
    body: bytes | None
    created_at: datetime
    expires_at: datetime


class IdempotencyGroup(Protocol):
    """Promises: one row per key; only its worker moves it."""

    def save_key(self, row: IdempotencyRow) -> None:
        """Raises RowConflictError (from the transaction) when the key is there already."""
        ...

    def find_key(self, key_tag: bytes) -> IdempotencyRow | None: ...

    def take_over_key(self, before: IdempotencyRow, worker: bytes, leased_until: datetime) -> bool:
        """Compare-and-swap of the worker of an unanswered key; False when somebody was first."""
        ...

    def add_effect(self, key_tag: bytes, worker: bytes, digest: bytes) -> bool:
        """Note an effect in the commit that makes it; False when the key was taken over."""
        ...

    def save_answer(self, key_tag: bytes, worker: bytes, status: int, body: bytes) -> bool:
        """Store the answer; False when the key was taken over."""
        ...

    def let_go_key(self, key_tag: bytes, worker: bytes) -> None:
        """Leave an unanswered key to the next who asks."""
        ...

    def drop_key(self, key_tag: bytes, worker: bytes) -> None:
        """Forget an unanswered key that has no effects."""
        ...

    def drop_keys_before(self, at: datetime) -> int:
        """Forget keys that expired; returns how many."""
        ...


class UploadState(StrEnum):
    """An upload slot."""

    OPEN = "open"
    STORED = "stored"  # its bytes are durable
    USED = "used"  # a material carries it


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One slot for a document's bytes.

    Attributes:
        upload_id: Lower-case UUID; also the name of the file.
        account_id: Whose slot.
        digest_tag: Tag of the plaintext digest; None while open.
        size_bytes: 0 while open.
        material_id: Of the material that carries it; None until used.
    """

    upload_id: str
    account_id: str
    media_type: str
    state: str
    digest_tag: bytes | None
    size_bytes: int
    material_id: str | None
    created_at: datetime
    expires_at: datetime


class UploadGroup(Protocol):
    """Promises: a slot only moves open -> stored -> used."""

    def save_upload(self, row: UploadRow) -> None:
        """Raises RowConflictError (from the transaction) when the id is there already."""
        ...

    def find_upload(self, upload_id: str) -> UploadRow | None: ...

    def count_uploads(self, account_id: str) -> int:
        """Slots of an account that are not used."""
        ...

    def store_upload(self, upload_id: str, digest_tag: bytes, size_bytes: int) -> bool:
        """Compare-and-swap open -> stored."""
        ...

    def use_uploads(self, upload_ids: Sequence[str], material_id: str) -> int:
        """Mark stored slots used; returns how many were."""
        ...

    def list_uploads_before(self, at: datetime, limit: int) -> list[UploadRow]:
        """Expired slots."""
        ...

    def drop_upload(self, upload_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PageMark:
    """Where a page ended: the last row's number, or its time (microseconds) and id."""

    at: int
    row_id: bytes = b""


class PagingGroup(Protocol):
    """Lists by keyset, newest first: rows that come meanwhile never shift or repeat a page."""

    def page_materials(self, before: PageMark | None, limit: int) -> list[StoredMaterial]:
        """By entry number."""
        ...

    def page_finds(self, direction: str, before: PageMark | None, limit: int) -> list[FindRow]:
        """By time and request digest."""
        ...

    def page_grants(self, before: PageMark | None, limit: int) -> list[GrantRow]:
        """By time and grant id."""
        ...

    def page_releases(
        self, direction: str, before: PageMark | None, limit: int
    ) -> list[ReleaseRow]:
        """By time and request digest."""
        ...

    def page_receipts(self, before: PageMark | None, limit: int) -> list[ReceiptRow]:
        """By entry number."""
        ...
