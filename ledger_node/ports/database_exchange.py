"""Database groups of steps 6 to 10: officers, grants, finds, releases, receipts, messages.

Everything here is private to one city and backed up. Bytes that name or describe a person stand
only in `sealed` columns (AES-256-GCM under a record key of the key store); terms, requests and
answers hold commitments and ciphertext and may stand as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.types import CityId, Commitment, GrantId, ReleaseCommitment, Salt


@dataclass(frozen=True, slots=True)
class OfficerRow:
    """An enrolled officer: the credential body (RFC 8785), its salt and its log entry."""

    officer: str
    role: str
    public_key: bytes
    body: bytes
    salt: Salt
    commitment: Commitment
    entry_id: int


class OfficerGroup(Protocol):
    def save_officer(self, row: OfficerRow) -> None:
        """Raises ConflictError when the officer id is enrolled already."""
        ...

    def load_officer(self, officer: str) -> OfficerRow: ...

    def list_officers(self) -> list[OfficerRow]: ...


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One grant as this city holds it, in whichever of the three roles it has.

    Attributes:
        grant_id: Terms commitment, 32 bytes.
        terms: RFC 8785 bytes of the terms.
        bundle: The other terms commitments of the ceremony, concatenated (n x 32 bytes).
        evidence: RFC 8785 bytes of the evidence, sealed under record key `grant/<id hex>`.
        openings: Openings of subject, item and case, sealed likewise; empty when not ours to hold.
        evidence_salt: Salt of the recorded evidence commitment.
        outbox_id: Outbox row of the `record` transaction; None until this city recorded it.
    """

    grant_id: GrantId
    releasing: CityId
    receiving: CityId
    terms: bytes
    bundle: bytes
    sealed_evidence: bytes
    sealed_openings: bytes
    evidence_salt: Salt
    created_at: datetime
    outbox_id: int | None = None


class GrantGroup(Protocol):
    def save_grant(self, row: GrantRow) -> None:
        """Idempotent for the same terms."""
        ...

    def load_grant(self, grant_id: GrantId) -> GrantRow: ...

    def list_grants(self, limit: int = 100) -> list[GrantRow]: ...

    def set_record_outbox(self, grant_id: GrantId, outbox_id: int) -> bool:
        """Compare-and-swap from None; False when another process was first."""
        ...


@dataclass(frozen=True, slots=True)
class FindRow:
    """A find this city made (`made`) or answered (`answered`); the request digest is its id."""

    request_digest: bytes
    direction: str
    city: CityId
    grant_id: GrantId | None
    officer: str
    request: bytes
    answer: bytes | None
    outcome: str
    entry_id: int | None
    created_at: datetime


class FindGroup(Protocol):
    def save_find(self, row: FindRow) -> None: ...

    def finish_find(
        self, request_digest: bytes, direction: str, answer: bytes | None, outcome: str
    ) -> None: ...

    def find_find(self, request_digest: bytes, direction: str) -> FindRow | None: ...

    def load_find(self, request_digest: bytes, direction: str) -> FindRow: ...

    def list_finds(self, direction: str, limit: int = 100) -> list[FindRow]: ...

    def count_finds_since(
        self, city: CityId, since: datetime, *, officer: str | None = None
    ) -> int:
        """Finds answered for `city` (or one officer of it) since then: the asked city's limits."""
        ...


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release seen from one side (`outgoing` at the issuer, `incoming` at the receiver).

    Attributes:
        request_digest: SHA-256 of the request's RFC 8785 bytes: the id both cities use.
        state: Name of a state of `core/release.py`.
        answer: RFC 8785 bytes; contains only sealed secrets. Wiped parts are dropped on
            acknowledgement.
        sealed_secrets: Incoming only: what the answer's sealed part held, under record key
            `release/<digest hex>`.
        request_message / answer_message: The signed HTTP messages as evidence (JSON bytes).
        decided_at_block: Block number the state of the materials was read at.
    """

    request_digest: bytes
    direction: str
    city: CityId
    grant_id: GrantId
    state: str
    request: bytes
    request_message: bytes
    answer: bytes | None
    answer_message: bytes | None
    release_salt: Salt | None
    release_commitment: ReleaseCommitment | None
    sealed_secrets: bytes | None
    acknowledgement: bytes | None
    outbox_id: int | None
    problem_code: str | None
    created_at: datetime
    updated_at: datetime


class ReleaseGroup(Protocol):
    def save_release(self, row: ReleaseRow) -> None:
        """Raises ConflictError when the request digest is known in this direction."""
        ...

    def load_release(self, request_digest: bytes, direction: str) -> ReleaseRow: ...

    def find_release(self, request_digest: bytes, direction: str) -> ReleaseRow | None: ...

    def list_releases(
        self, direction: str, states: Sequence[str], limit: int = 100
    ) -> list[ReleaseRow]: ...

    def list_releases_of_material(self, commitment: Commitment) -> list[ReleaseRow]:
        """Outgoing releases that handed this material over (for notices)."""
        ...

    def count_releases_since(self, city: CityId, since: datetime) -> int:
        """Requests of `city` accepted since then: the releasing city's limit."""
        ...

    def link_material(self, request_digest: bytes, commitment: Commitment) -> None: ...

    def advance_release(self, before: ReleaseRow, after: ReleaseRow) -> bool:
        """Compare-and-swap on (id, direction, state); False when somebody else moved it."""
        ...


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A reliance receipt this city filed: sealed body and its `reliance` entry."""

    receipt_id: str
    request_digest: bytes
    commitment: Commitment
    salt: Salt
    sealed_body: bytes
    signature: bytes
    entry_id: int
    complete: bool
    created_at: datetime


class ReceiptGroup(Protocol):
    def save_receipt(self, row: ReceiptRow) -> None: ...

    def load_receipt(self, receipt_id: str) -> ReceiptRow: ...

    def list_receipts(self, limit: int = 100) -> list[ReceiptRow]: ...


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice of withdrawn, superseded, disputed or erased material, to or from a city."""

    notice_id: bytes
    direction: str
    city: CityId
    commitment: Commitment
    kind: str
    body: bytes
    delivered: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A signed message that was `sent` or `received`: the other city, the route, body digest."""

    direction: str
    city: CityId
    kind: str
    digest: bytes
    logged_at: datetime


class MessageGroup(Protocol):
    """Nonces are unique rows stored before the handler runs and kept longer than the accepted age;
    the message log keeps what was signed."""

    def store_nonce(self, key_id: str, nonce: str, expires_at: datetime) -> bool:
        """False when (key id, nonce) was seen before."""
        ...

    def drop_nonces_before(self, at: datetime) -> int: ...

    def log_message(
        self, direction: str, city: CityId, kind: str, digest: bytes, at: datetime
    ) -> None: ...

    def list_messages(self, direction: str, limit: int = 1000) -> list[LoggedMessage]:
        """Newest first."""
        ...

    def save_notice(self, row: NoticeRow) -> bool:
        """False when this notice is known already."""
        ...

    def mark_notice_delivered(self, notice_id: bytes, city: CityId) -> None: ...

    def list_notices(self, direction: str, *, undelivered_only: bool) -> list[NoticeRow]: ...
