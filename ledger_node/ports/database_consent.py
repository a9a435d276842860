"""Database group of consent: ceremonies, whom grants are about, passkeys, revocation codes.

Private to one city and backed up. Who the person is stands only in `sealed_` columns and as an
HMAC tag; of a revocation code only its selector and a salted slow hash are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.types import CityId, Commitment, GrantId
from ledger_node.ports.database_exchange import FindRow, ReleaseRow


@dataclass(frozen=True, slots=True)
class CeremonyRow:
    """One consent ceremony.

    Attributes:
        ceremony_id: Lower-case UUID.
        account_id: Who opened it: an officer's or the citizen's own account.
        officer: Pseudonymous id of the officer whose session it is; None at home.
        state: Name of a `core.ceremony.CeremonyState`.
        revision: Rises with every change; changes are compare-and-swap on it.
        basis: Kind of evidence it will end in.
        subject_tag: Index tag of the person.
        screen_hash, screen_until: SHA-256 of the token of the screen turned to the person.
        case_id: Case it belongs to, where there is one.
        sealed_body: See `core/ceremony_format.py`.
        sealed_signature: Pad image or scanned slip.
        signature_how: `pad` or `slip`.
        expires_at: Nobody confirms it after that.
    """

    ceremony_id: str
    account_id: str
    officer: str | None
    state: str
    revision: int
    basis: str
    subject_tag: bytes
    screen_hash: bytes | None
    screen_until: datetime | None
    case_id: str | None
    sealed_body: bytes
    sealed_signature: bytes | None
    signature_how: str | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class GrantSubjectRow:
    """Whom a grant is about, in whichever role this city has."""

    grant_id: GrantId
    subject_tag: bytes
    ceremony_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """A citizen's passkey.

    Attributes:
        credential_hash: SHA-256 of the credential id.
        commitment: Of its `credential` entry.
        sealed_body: Body and salt of subject opening (flows/passkeys.py).
        sign_count: Last one seen.
    """

    credential_hash: bytes
    subject_tag: bytes
    commitment: Commitment
    entry_id: int
    sealed_body: bytes
    sign_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """An identity provider's key set as enrolled: issuer and the commitment of its entry."""

    commitment: Commitment
    issuer: str
    audience: str
    entry_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RevocationCodeRow:
    """What is kept of a revocation code.

    Attributes:
        selector: Names the row; no secret.
        salt, verifier: Of the slow hash over the secret part.
        failures: Wrong tries since the last right one.
        locked_until: No try counts before that.
    """

    selector: str
    ceremony_id: str
    salt: bytes
    verifier: bytes
    failures: int
    locked_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RevocationRow:
    """A revocation by code that a window asked for, or this city answered; no code inside."""

    request_digest: bytes
    direction: str
    city: CityId
    ceremony_id: str | None
    outcome: str
    at: datetime


class ConsentGroup(Protocol):
    """Promises: ceremonies move only from the revision they were read in; tags only, no values."""

    def save_ceremony(self, row: CeremonyRow) -> None: ...

    def find_ceremony(self, ceremony_id: str) -> CeremonyRow | None: ...

    def find_screen(self, screen_hash: bytes) -> CeremonyRow | None: ...

    def list_ceremonies(self, subject_tag: bytes, limit: int = 200) -> list[CeremonyRow]:
        """Newest first."""
        ...

    def list_overdue(
        self, states: Sequence[str], now: datetime, limit: int = 200
    ) -> list[CeremonyRow]: ...

    def advance_ceremony(self, before: CeremonyRow, after: CeremonyRow) -> bool:
        """Compare-and-swap on the revision, which rises by one; False when another was first."""
        ...

    def link_grant(self, row: GrantSubjectRow) -> None:
        """Idempotent."""
        ...

    def list_grants_of_subject(
        self, subject_tag: bytes, limit: int = 500
    ) -> list[GrantSubjectRow]: ...

    def list_grants_of_ceremony(self, ceremony_id: str) -> list[GrantId]: ...

    def list_finds_of_subject(self, subject_tag: bytes, limit: int = 500) -> list[FindRow]:
        """Finds made and answered under grants about this person, newest first."""
        ...

    def list_releases_of_subject(self, subject_tag: bytes, limit: int = 500) -> list[ReleaseRow]:
        """Releases both ways under grants about this person, newest first."""
        ...

    def store_challenge(
        self, challenge_hash: bytes, subject_tag: bytes, expires_at: datetime
    ) -> None: ...

    def take_challenge(self, challenge_hash: bytes, subject_tag: bytes, now: datetime) -> bool:
        """Use a challenge up; False when it is unknown, another person's, old or used."""
        ...

    def find_oldest_challenge(self) -> datetime | None:
        """The earliest end of a challenge that was not used; None without one."""
        ...

    def drop_challenges_before(self, now: datetime) -> int:
        """Delete challenges whose end is not after `now`; how many there were."""
        ...

    def save_passkey(self, row: PasskeyRow) -> None:
        """Raises ConflictError when the credential is enrolled already."""
        ...

    def list_passkeys(self, subject_tag: bytes) -> list[PasskeyRow]: ...

    def find_passkey(self, credential_hash: bytes) -> PasskeyRow | None: ...

    def set_sign_count(self, credential_hash: bytes, before: int, after: int) -> bool: ...

    def save_provider(self, row: ProviderRow) -> None: ...

    def list_providers(self) -> list[ProviderRow]:
        """Newest first."""
        ...

    def save_code(self, row: RevocationCodeRow) -> None:
        """Raises ConflictError when the selector is taken."""
        ...

    def drop_codes(self, ceremony_id: str) -> None: ...

    def find_code(self, selector: str) -> RevocationCodeRow | None: ...

    def set_failures(self, selector: str, failures: int, locked_until: datetime | None) -> None: ...

    def save_revocation(self, row: RevocationRow) -> None: ...

    def find_revocation(self, request_digest: bytes, direction: str) -> RevocationRow | None: ...

    def count_revocations_since(self, city: CityId, direction: str, since: datetime) -> int: ...

    def list_revocations_of_subject(self, subject_tag: bytes) -> list[RevocationRow]: ...
