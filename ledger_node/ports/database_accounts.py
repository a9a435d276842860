"""Groups of rows about who uses this node: accounts, sessions, the access trail. Private.

What says something about a person stands sealed (`sealed_…`) or as a tag under the index key.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.trail import TrailAction


@dataclass(frozen=True, slots=True)
class OutletRow:
    """A service centre: short name, names for people."""

    outlet: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account of this city.

    Attributes:
        account_id: Random UUID.
        login: What is typed; never a citizen's name.
        roles: Role values joined by commas, ascending.
        officer: Pseudonymous officer id whose key signs.
        outlet, window: Where the person sits.
        system: Case system of a machine account.
        password_hash: argon2id in PHC form; None for machines and provider logins.
        key_hash: SHA-256 of a machine's bearer key.
        external_tag: Tag of (issuer, subject) of a provider login.
        failures, locked_until: See `core/lockout.py`.
        totp_step: Last time step a code was taken at; one code counts once.
        sealed_profile: Display name and TOTP secret (RFC 8785).
        disabled_at: From when on nobody signs in with it.
    """

    account_id: str
    login: str
    roles: str
    officer: str | None
    outlet: str | None
    window: str | None
    system: str | None
    password_hash: str | None
    key_hash: bytes | None
    external_tag: bytes | None
    failures: int
    locked_until: datetime | None
    totp_step: int
    sealed_profile: bytes
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Somebody signed in.

    Attributes:
        session_hash: SHA-256 of the token in the cookie.
        account_id: The account, or `citizen/<tag>` for a citizen of a provider.
        second_factor: Whether one was shown.
        provider: Name of the identity provider; None for a password.
        scope: What the session is limited to (`case/<id>`); None: nothing.
        sealed_person: A citizen's scheme, number and name.
        created_at, seen_at, expires_at: Absolute end, and last use for the idle end.
        sealed_refresh: Refresh token of staff whom a provider signed in.
        checked_at: When the provider last said that the person may still sign in.
    """

    session_hash: bytes
    account_id: str
    second_factor: bool
    provider: str | None
    scope: str | None
    sealed_person: bytes | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    sealed_refresh: bytes | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StaffPasskeyRow:
    """A passkey that is an account's second factor.

    Attributes:
        credential_hash: SHA-256 of the credential id.
        sealed_body: Credential id and COSE public key (flows/staff_passkeys.py).
        sign_count: Last one seen.
    """

    credential_hash: bytes
    account_id: str
    sealed_body: bytes
    sign_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LoginStateRow:
    """A sign-in under way at an identity provider.

    Attributes:
        state_hash: SHA-256 of the `state` parameter.
        browser_hash: SHA-256 of the cookie of the browser that began.
        provider: Its name in the settings.
        sealed_state: PKCE verifier, nonce, where to go afterwards.
        expires_at: After that it is refused.
    """

    state_hash: bytes
    browser_hash: bytes
    provider: str
    sealed_state: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One reading or change by somebody: never what it said."""

    at: datetime
    account_id: str
    action: str
    object_kind: str
    object_id: str


class AccountGroup(Protocol):
    """Outlets, accounts, sessions."""

    def save_outlet(self, row: OutletRow) -> None: ...

    def list_outlets(self) -> list[OutletRow]: ...

    def save_account(self, row: AccountRow) -> None: ...

    def update_account(self, row: AccountRow) -> None: ...

    def load_account(self, account_id: str) -> AccountRow:
        """Raises:
        AccountNotFoundError: There is none.
        """
        ...

    def find_by_login(self, login: str) -> AccountRow | None: ...

    def find_by_key(self, key_hash: bytes) -> AccountRow | None: ...

    def find_by_external(self, external_tag: bytes) -> AccountRow | None: ...

    def list_accounts(self, after: str, limit: int) -> list[AccountRow]:
        """Ascending by login, after a login."""
        ...

    def find_logins(self, account_ids: Collection[str]) -> dict[str, str]:
        """Login by account id, of those that exist."""
        ...

    def set_lock(self, account_id: str, failures: int, locked_until: datetime | None) -> None: ...

    def take_totp_step(self, account_id: str, step: int) -> bool:
        """Whether the step was newer than the last one taken; then it is kept."""
        ...

    def save_staff_passkey(self, row: StaffPasskeyRow) -> None:
        """Raises:
        RowConflictError: The credential is enrolled already.
        """
        ...

    def find_staff_passkey(self, credential_hash: bytes) -> StaffPasskeyRow | None: ...

    def list_staff_passkeys(self, account_id: str) -> list[StaffPasskeyRow]:
        """Oldest first."""
        ...

    def take_passkey_count(self, credential_hash: bytes, before: int, after: int) -> bool:
        """Move the sign count from `before` to `after`; False when somebody else was first."""
        ...

    def drop_staff_passkeys(self, account_id: str, credential_hash: bytes | None = None) -> int:
        """Delete one of the account's, or all; how many there were."""
        ...

    def save_session(self, row: SessionRow) -> None: ...

    def find_session(self, session_hash: bytes) -> SessionRow | None: ...

    def touch_session(self, session_hash: bytes, seen_at: datetime) -> None: ...

    def claim_check(self, session_hash: bytes, before: datetime, after: datetime) -> bool:
        """Move `checked_at` from `before` to `after`; False when somebody else was first."""
        ...

    def keep_refresh(self, session_hash: bytes, sealed_refresh: bytes) -> None: ...

    def end_session(self, session_hash: bytes) -> None: ...

    def end_sessions_of(self, account_id: str) -> int: ...

    def list_sessions_of(self, account_id: str) -> list[SessionRow]: ...

    def delete_expired(self, now: datetime) -> int:
        """Sessions and sign-ins that are over."""
        ...

    def save_login_state(self, row: LoginStateRow) -> None: ...

    def take_login_state(self, state_hash: bytes) -> LoginStateRow | None:
        """The row, deleted: a state counts once."""
        ...


class TrailGroup(Protocol):
    """Who read or changed what. Only grows."""

    def log_access(
        self, at: datetime, account_id: str, action: TrailAction, object_kind: str, object_id: str
    ) -> None: ...

    def list_access(self, before: int | None, limit: int) -> Sequence[tuple[int, AccessRow]]:
        """Newest first, below a row number."""
        ...

    def list_access_of(
        self, object_kind: str, object_id: str, limit: int
    ) -> Sequence[tuple[int, AccessRow]]:
        """Newest first, of one object."""
        ...
