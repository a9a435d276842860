"""Sessions: who is signed in, from a token in a cookie to an account or a citizen.

Spec: docs/spec/access.md. The database holds the SHA-256 of a token only. A session ends when it
was not used for half an hour, at its absolute end, when its account is switched off or its roles
change, and when the person signs out. Nothing is kept in memory.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ledger_node.core.canonical import (
    encode_canonical,
    parse_canonical,
    require_members,
    require_text,
)
from ledger_node.core.sealed import Subject
from ledger_node.flows.identity import seal_refresh_token
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database_accounts import AccountRow, SessionRow

TOKEN_BYTES: Final = 32
IDLE: Final = timedelta(minutes=30)
STAFF_LIFE: Final = timedelta(hours=10)
PROVIDER_LIFE: Final = timedelta(hours=2)
CITIZEN_LIFE: Final = timedelta(minutes=30)
PANEL_LIFE: Final = timedelta(minutes=30)
TOUCH_EVERY: Final = timedelta(minutes=1)
CITIZEN_PREFIX: Final = "citizen/"
_CSRF: Final = b"tongban/csrf/v1"
_PERSON: Final = "person"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session in force.

    Attributes:
        row: As stored.
        account: Staff or machine account; None for a citizen.
        person: The citizen; None for staff.
    """

    row: SessionRow
    account: AccountRow | None
    person: Subject | None


def begin_session(
    node: Node,
    account: AccountRow,
    *,
    second_factor: bool,
    provider: str | None = None,
    scope: str | None = None,
    refresh_token: str = "",
) -> str:
    """Sign an account in; returns the token for the cookie, hex.

    Args:
        refresh_token: Of the provider: the session is checked there every few minutes. Without
            one its absolute life is short.
    """
    life = PANEL_LIFE if scope else STAFF_LIFE
    if provider is not None and not refresh_token:
        life = PROVIDER_LIFE
    account_id = account.account_id
    return _begin(
        node, account_id, life, second_factor, provider, scope, refresh_token=refresh_token
    )


def begin_citizen_session(node: Node, person: Subject, provider: str | None) -> str:
    """Sign a citizen in whom a provider, or a passkey of this city, identified; returns the token.

    Raises:
        MalformedInputError: The number is not one of its scheme.
    """
    number = node.normalise_identifier(person.scheme, person.number)
    tag = compute_subject_tag(node, person.scheme, number).hex()
    content = encode_canonical({"scheme": person.scheme, "number": number, "name": person.name})
    name = f"{CITIZEN_PREFIX}{tag}"
    sealed = seal_record(node, f"session/{name}", _PERSON, content)
    return _begin(node, name, CITIZEN_LIFE, True, provider, None, sealed_person=sealed)


def find_session(node: Node, token: str) -> OpenSession | None:
    """The session of a token, if it is in force; its last use is kept at most once a minute."""
    now = node.clock.now()
    session_hash = hash_token(token)
    with node.database.read() as tx:
        row = tx.accounts.find_session(session_hash)
        if row is None or not is_in_force(row, now):
            return None
        citizen = row.account_id.startswith(CITIZEN_PREFIX)
        account = None if citizen else tx.accounts.load_account(row.account_id)
    if account is not None and account.disabled_at is not None:
        return None
    if now - row.seen_at >= TOUCH_EVERY:
        with node.database.transaction() as tx:
            tx.accounts.touch_session(session_hash, now)
    return OpenSession(row, account, _open_person(node, row))


def end_session(node: Node, token: str) -> None:
    """Sign out."""
    with node.database.transaction() as tx:
        tx.accounts.end_session(hash_token(token))


def sweep_sessions(node: Node) -> int:
    """Delete what is over."""
    with node.database.transaction() as tx:
        return tx.accounts.delete_expired(node.clock.now())


def is_in_force(row: SessionRow, now: datetime) -> bool:
    """Whether a session is neither at its end nor idle for too long."""
    return now < row.expires_at and now - row.seen_at < IDLE


def hash_token(token: str) -> bytes:
    """What is kept of a token; it is random, so one hash suffices."""
    return hashlib.sha256(token.encode()).digest()


def derive_csrf_token(token: str) -> str:
    """The form token of a session: only who has the cookie's token can make it."""
    return hmac.new(token.encode(), _CSRF, hashlib.sha256).hexdigest()


def matches_csrf_token(token: str, given: str) -> bool:
    """Whether a form token belongs to the session, in constant time."""
    return hmac.compare_digest(derive_csrf_token(token).encode(), given.encode())


def _begin(
    node: Node,
    account_id: str,
    life: timedelta,
    second_factor: bool,
    provider: str | None,
    scope: str | None,
    *,
    sealed_person: bytes | None = None,
    refresh_token: str = "",
) -> str:
    token = node.entropy(TOKEN_BYTES).hex()
    now = node.clock.now()
    row = SessionRow(
        hash_token(token),
        account_id,
        second_factor,
        provider,
        scope,
        sealed_person,
        now,
        now,
        now + life,
    )
    if refresh_token:
        row = seal_refresh_token(node, row, refresh_token)
    with node.database.transaction() as tx:
        tx.accounts.save_session(row)
    return token


def _open_person(node: Node, row: SessionRow) -> Subject | None:
    if row.sealed_person is None:
        return None
    content = open_record(node, f"session/{row.account_id}", _PERSON, row.sealed_person)
    m = require_members(
        parse_canonical(content, what="person"), ("scheme", "number", "name"), what="person"
    )
    scheme, number, name = (require_text(m[k], what="person") for k in ("scheme", "number", "name"))
    return Subject(scheme, number, name)
