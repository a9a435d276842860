"""Passkeys of staff: a second factor beside one-time codes, shown after the password.

Spec: docs/spec/access.md, "Second factor". The password opens a challenge for this account alone,
the device's answer to it opens the session; nothing of it is kept in the browser. Passkeys of
citizens are evidence and stand in the log (passkeys.py); these open sessions and do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger_node.core.access import SECOND_FACTOR
from ledger_node.core.canonical import (
    encode_canonical,
    parse_canonical,
    require_members,
    require_text,
)
from ledger_node.core.errors import NotFoundError
from ledger_node.core.evidence_parts import PasskeyError
from ledger_node.core.evidence_passkey import PasskeyPage, verify_assertion_by
from ledger_node.core.lockout import Lock
from ledger_node.core.trail import TrailAction
from ledger_node.flows.accounts import (
    SignInRefusedError,
    count_failure,
    open_profile,
    split_roles,
    verify_password,
)
from ledger_node.flows.node import Node
from ledger_node.flows.passkey_devices import (
    MAX_PASSKEYS,
    PasskeyEnrolledError,
    PasskeyRefusedError,
    accept_creation,
    build_creation_options,
    hash_bytes,
    make_challenge,
    read_assertion,
    read_challenge,
    take_challenge,
)
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_accounts import AccountRow, StaffPasskeyRow

_MEMBERS: Final = ("id", "key")


class StaffPasskeyNotFoundError(NotFoundError):
    """The account has no such passkey."""

    code = "staff_passkey_not_found"

    def __init__(self) -> None:
        super().__init__("没有这把通行密钥。", "There is no such passkey of yours.")


@dataclass(frozen=True, slots=True)
class SecondStep:
    """What the browser asks a device for: challenge, and the account's credential ids."""

    challenge: bytes
    credentials: tuple[bytes, ...]


def begin_staff_enrolment(node: Node, account_id: str, page: PasskeyPage, rp_name: str) -> str:
    """Options for `navigator.credentials.create`, as JSON; good for five minutes.

    Raises:
        AccountNotFoundError: There is no such account.
    """
    with node.database.read() as tx:
        account = tx.accounts.load_account(account_id)
        rows = tx.accounts.list_staff_passkeys(account_id)
    name = open_profile(node, account).display_name
    known = [_open(node, row)[0] for row in rows]
    tag = _compute_tag(node, account_id, "enrol")
    return build_creation_options(node, tag, page, rp_name, name, known)


def finish_staff_enrolment(
    node: Node, account_id: str, page: PasskeyPage, answer: str
) -> StaffPasskeyRow:
    """Take the device's answer; the passkey and its line of the trail in one commit.

    Raises:
        PasskeyRefusedError: The answer does not hold.
        PasskeyEnrolledError: It is enrolled, or five are.
    """
    made = accept_creation(node, _compute_tag(node, account_id, "enrol"), page, answer)
    credential_hash = hash_bytes(made.credential_id)
    body = encode_canonical({"id": made.credential_id.hex(), "key": made.public_key.hex()})
    now = node.clock.now()
    row = StaffPasskeyRow(
        credential_hash,
        account_id,
        seal_record(node, _record(account_id), credential_hash.hex(), body),
        made.sign_count,
        now,
    )
    try:
        with node.database.transaction() as tx:
            if len(tx.accounts.list_staff_passkeys(account_id)) >= MAX_PASSKEYS:
                raise PasskeyEnrolledError
            tx.accounts.save_staff_passkey(row)
            tx.trail.log_access(now, account_id, TrailAction.PASSKEY_ENROL, "account", account_id)
    except RowConflictError as error:
        raise PasskeyEnrolledError from error
    return row


def list_staff_passkeys(node: Node, account_id: str) -> list[StaffPasskeyRow]:
    """The account's passkeys, oldest first."""
    with node.database.read() as tx:
        return tx.accounts.list_staff_passkeys(account_id)


def remove_staff_passkey(node: Node, account_id: str, credential_hash: bytes) -> None:
    """Take one of the account's own passkeys away.

    Raises:
        StaffPasskeyNotFoundError: It has no such one.
    """
    with node.database.transaction() as tx:
        if not tx.accounts.drop_staff_passkeys(account_id, credential_hash):
            raise StaffPasskeyNotFoundError
        tx.trail.log_access(
            node.clock.now(), account_id, TrailAction.PASSKEY_REMOVE, "account", account_id
        )


def begin_second_step(node: Node, login: str, password: str) -> SecondStep | None:
    """Check the password of an account that may show a passkey; None: it has to show a code.

    Effects: a wrong password is counted; a right one forgives nothing yet.

    Raises:
        SignInRefusedError: Wrong, locked or switched off.
    """
    with node.database.read() as tx:
        row = tx.accounts.find_by_login(login)
        rows = [] if row is None else tx.accounts.list_staff_passkeys(row.account_id)
    if row is None or not rows or not split_roles(row.roles) & SECOND_FACTOR:
        return None
    verify_password(node, row, password, forgive=False)
    challenge = make_challenge(node, _compute_tag(node, row.account_id, "sign-in"))
    return SecondStep(challenge, tuple(_open(node, each)[0] for each in rows))


def finish_second_step(node: Node, page: PasskeyPage, answer: str) -> AccountRow:
    """The account whose password and passkey were shown.

    Effects: the challenge is used up; a wrong answer of a known passkey is counted; a right one
    stands in the trail.

    Raises:
        SignInRefusedError: Anything is wrong; always the same answer.
    """
    try:
        assertion = read_assertion(answer)
        credential_hash = hash_bytes(assertion.credential_id)
        with node.database.read() as tx:
            row = tx.accounts.find_staff_passkey(credential_hash)
            account = None if row is None else tx.accounts.load_account(row.account_id)
        if row is None or account is None:
            raise SignInRefusedError
        challenge = read_challenge(assertion)
        take_challenge(node, challenge, _compute_tag(node, row.account_id, "sign-in"))
    except PasskeyRefusedError as error:
        raise SignInRefusedError from error
    now = node.clock.now()
    if account.disabled_at is not None or Lock(account.failures, account.locked_until).is_locked(
        now
    ):
        raise SignInRefusedError
    key = _open(node, row)[1]
    try:
        count = verify_assertion_by(key, assertion, challenge, page, row.sign_count)
    except PasskeyError as error:
        count_failure(node, account.account_id)
        raise SignInRefusedError from error
    with node.database.transaction() as tx:
        if not tx.accounts.take_passkey_count(credential_hash, row.sign_count, count):
            raise SignInRefusedError
        tx.accounts.set_lock(account.account_id, 0, None)
        tx.trail.log_access(
            now, account.account_id, TrailAction.PASSKEY_SIGN_IN, "account", account.account_id
        )
    return account


def _compute_tag(node: Node, account_id: str, purpose: str) -> bytes:
    """Whose challenge it is, and what for: one made for enrolling opens no session."""
    return node.keys.compute_index_tag(f"staff passkey {purpose}", account_id)


def _open(node: Node, row: StaffPasskeyRow) -> tuple[bytes, bytes]:
    """Credential id and COSE public key."""
    data = open_record(node, _record(row.account_id), row.credential_hash.hex(), row.sealed_body)
    m = require_members(parse_canonical(data, what="passkey"), _MEMBERS, what="passkey")
    credential_id, key = (bytes.fromhex(require_text(m[n], what="passkey")) for n in _MEMBERS)
    return credential_id, key


def _record(account_id: str) -> str:
    return f"account/{account_id}"
