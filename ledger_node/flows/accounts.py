"""Accounts of staff and machines: making, checking a password and a second factor, switching off.

Spec: docs/spec/access.md. Passwords are kept as argon2id (PHC form), machine keys as SHA-256 of
256 random bits, TOTP secrets sealed. An unknown login costs the time of a known one and gets its
answer.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from ledger_node.core.access import (
    SECOND_FACTOR,
    Permission,
    Role,
    demand_compatible,
    demand_for_machine,
)
from ledger_node.core.canonical import (
    encode_canonical,
    parse_canonical,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.errors import ConflictError, MalformedInputError, NotPermittedError
from ledger_node.core.lockout import Lock, after_failure
from ledger_node.core.shapes import read_name
from ledger_node.core.trail import TrailAction
from ledger_node.flows.node import Node
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_accounts import AccountRow

PASSWORD_CHARS: Final = (12, 128)
KEY_BYTES: Final = 32
TOTP_STEP_S: Final = 30
TOTP_DRIFT_STEPS: Final = 1
_COMMON: Final = frozenset(
    {
        "password1234",
        "123456789012",
        "qwertyuiop12",
        "administrator",
        "tongban12345",
        "1q2w3e4r5t6y",
        "111111111111",
        "abcdefghijkl",
    }
)
_PROFILE: Final = "profile"
_MEMBERS: Final = ("name", "totp", "initial", "permissions")
CONSOLE: Final = "console"  # who acts from the command line of the city's own machine


class WeakPasswordError(MalformedInputError):
    """The password is too short, too long or among the first ones anybody tries."""

    code = "weak_password"

    def __init__(self) -> None:
        super().__init__(
            f"口令须为 {PASSWORD_CHARS[0]} 至 {PASSWORD_CHARS[1]} 个字符，不能过于常见。",
            f"A password has {PASSWORD_CHARS[0]} to {PASSWORD_CHARS[1]} characters and is not a "
            "common one.",
            field="password",
        )


class LoginTakenError(ConflictError):
    """There is an account of that login."""

    code = "login_taken"


class SignInRefusedError(NotPermittedError):
    """Login, password or code are wrong, or the account is locked or switched off: which of these
    is not said."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__(
            "账号、口令或动态码不对，或账号暂时锁定。请核对后再试；连续五次不对会锁定一刻钟。",
            "Login, password or code are wrong, or the account is locked for now. Check them and "
            "try again; five wrong answers lock it for a quarter of an hour.",
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """What of an account is sealed.

    Attributes:
        display_name: Name shown to colleagues.
        totp_secret: Base32, if there is one.
        initial: Whether an administrator chose the password, so that it must be changed first.
        permissions: What a machine may do at the API besides its role.
    """

    display_name: str
    totp_secret: str | None
    initial: bool = False
    permissions: frozenset[Permission] = frozenset()


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made.

    Attributes:
        login: Letters, digits, `._-`; never a person's name.
        display_name: As colleagues call the person.
        roles: See `core/access.py`.
        password: None for machines, and for staff who sign in at a provider only.
        officer, outlet, window, system: As in the row; a `system` makes it a machine's account.
        initial: The password must be changed at the first sign-in.
        permissions: Of a machine at the API, by name; see `MACHINE_MAY`.
    """

    login: str
    display_name: str
    roles: frozenset[Role]
    password: str | None = None
    officer: str | None = None
    outlet: str | None = None
    window: str | None = None
    system: str | None = None
    initial: bool = False
    permissions: frozenset[Permission] = frozenset()


@dataclass(frozen=True, slots=True)
class MadeAccount:
    """The row, and what is shown once: TOTP secret or bearer key."""

    row: AccountRow
    totp_secret: str | None
    key: str | None


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _decoy() -> str:
    """Hash of a password nobody has: checked for logins nobody has."""
    return _hasher().hash("decoy of an unknown login")


def add_account(node: Node, new: NewAccount, by: str = CONSOLE) -> MadeAccount:
    """Make an account. Without roles it opens nothing until a security administrator gives some.

    Effects: account and its line of the trail in one commit.

    Args:
        by: Account of the administrator.

    Raises:
        RolesNotTogetherError, PermissionNotForMachinesError, WeakPasswordError,
        UnexpectedShapeError: Not acceptable.
        LoginTakenError: The login exists.
    """
    read_name(new.login, what="login")
    if new.roles:
        demand_compatible(new.roles)
    demand_for_machine(new.roles, new.permissions)
    machine = Role.SYSTEM in new.roles or new.system is not None
    if new.password is not None and not machine:
        demand_password(new.password)
    secret = pyotp.random_base32() if new.roles & SECOND_FACTOR else None
    key = node.entropy(KEY_BYTES).hex() if machine else None
    account_id = str(uuid.UUID(bytes=node.entropy(16), version=4))
    row = AccountRow(
        account_id=account_id,
        login=new.login,
        roles=join_roles(new.roles),
        officer=new.officer,
        outlet=new.outlet,
        window=new.window,
        system=new.system,
        password_hash=None if machine or new.password is None else hash_password(new.password),
        key_hash=None if key is None else hash_key(key),
        external_tag=None,
        failures=0,
        locked_until=None,
        totp_step=0,
        sealed_profile=seal_profile(
            node, account_id, Profile(new.display_name, secret, new.initial, new.permissions)
        ),
        created_at=node.clock.now(),
        disabled_at=None,
    )
    try:
        with node.database.transaction() as tx:
            tx.accounts.save_account(row)
            tx.trail.log_access(row.created_at, by, TrailAction.ACCOUNT_ADD, "account", account_id)
    except RowConflictError as error:
        raise LoginTakenError(
            "这个登录名已有账号，或所属网点不存在。",
            "That login is taken, or there is no such outlet.",
        ) from error
    return MadeAccount(row, secret, key)


def verify_credentials(node: Node, login: str, password: str, code: str = "") -> AccountRow:
    """The account whose password, and code where its roles demand one, these are.

    Effects: a wrong answer is counted before it is refused; a code counts once.

    Raises:
        SignInRefusedError: Anything is wrong; always the same answer.
    """
    with node.database.read() as tx:
        row = tx.accounts.find_by_login(login)
    return verify_password(node, row, password, lambda found: _shows_factor(node, found, code))


def verify_password(
    node: Node,
    row: AccountRow | None,
    password: str,
    also: Callable[[AccountRow], bool] = lambda _: True,
    *,
    forgive: bool = True,
) -> AccountRow:
    """The account, if this is its password and `also` holds; costs the same time for nobody's.

    Args:
        forgive: Whether former wrong answers are forgotten; not while a second factor is still to
            come, or the password alone would lift every lock on the codes.

    Raises:
        SignInRefusedError: Wrong (then it is counted), locked, switched off, or nobody's.
    """
    now = node.clock.now()
    matches = _matches(row.password_hash if row and row.password_hash else _decoy(), password)
    if row is None or row.password_hash is None:
        raise SignInRefusedError
    lock = Lock(row.failures, row.locked_until)
    if lock.is_locked(now) or row.disabled_at is not None:
        raise SignInRefusedError
    if not matches or not also(row):
        count_failure(node, row.account_id)
        raise SignInRefusedError
    if forgive and lock != Lock():
        with node.database.transaction() as tx:
            tx.accounts.set_lock(row.account_id, 0, None)
    return row


def count_failure(node: Node, account_id: str) -> None:
    """Count on the row as it is now: wrong answers side by side are all counted."""
    with node.database.transaction() as tx:
        row = tx.accounts.load_account(account_id)
        later = after_failure(Lock(row.failures, row.locked_until), node.clock.now())
        tx.accounts.set_lock(account_id, later.failures, later.locked_until)


def find_machine(node: Node, key: str) -> AccountRow | None:
    """The machine account of a bearer key, if it is in use."""
    with node.database.read() as tx:
        row = tx.accounts.find_by_key(hash_key(key))
    return None if row is None or row.disabled_at is not None else row


def hash_password(password: str) -> str:
    """argon2id in PHC form, with a salt of its own."""
    return _hasher().hash(password)


def demand_password(password: str, former: str = "") -> None:
    """Refuse a password that is no use.

    Raises:
        WeakPasswordError: See the class.
    """
    shortest, longest = PASSWORD_CHARS
    if not shortest <= len(password) <= longest or password.lower() in _COMMON:
        raise WeakPasswordError
    if len(set(password)) < shortest // 3 or password == former:
        raise WeakPasswordError


def open_profile(node: Node, row: AccountRow) -> Profile:
    """The sealed part of an account.

    Raises:
        KeyMissingError, SealedValueDamagedError: It does not open.
    """
    content = open_record(node, _record(row.account_id), _PROFILE, row.sealed_profile)
    m = require_members(parse_canonical(content, what="profile"), _MEMBERS, what="profile")
    secret = m["totp"]
    return Profile(
        require_text(m["name"], what="profile"),
        None if secret is None else require_text(secret, what="profile"),
        m["initial"] is True,
        frozenset(
            Permission(require_text(each, what="profile"))
            for each in require_list(m["permissions"], what="profile")
        ),
    )


def seal_profile(node: Node, account_id: str, profile: Profile) -> bytes:
    """Seal what `open_profile` opens."""
    content = encode_canonical(
        {
            "name": profile.display_name,
            "totp": profile.totp_secret,
            "initial": profile.initial,
            "permissions": sorted(each.value for each in profile.permissions),
        }
    )
    return seal_record(node, _record(account_id), _PROFILE, content)


def join_roles(roles: Collection[Role]) -> str:
    """Roles as the row has them."""
    return ",".join(sorted(role.value for role in roles))


def split_roles(roles: str) -> frozenset[Role]:
    """Roles of a row."""
    return frozenset(Role(each) for each in roles.split(",") if each)


def hash_key(key: str) -> bytes:
    """What is kept of a bearer key; it is random, so one hash suffices."""
    return hashlib.sha256(key.encode()).digest()


def _record(account_id: str) -> str:
    return f"account/{account_id}"


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher().verify(password_hash, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def _shows_factor(node: Node, row: AccountRow, code: str) -> bool:
    if not split_roles(row.roles) & SECOND_FACTOR:
        return True
    secret = open_profile(node, row).totp_secret
    if secret is None:
        return False
    totp = pyotp.TOTP(secret, interval=TOTP_STEP_S)
    now_step = int(node.clock.now().timestamp()) // TOTP_STEP_S
    for step in range(now_step - TOTP_DRIFT_STEPS, now_step + TOTP_DRIFT_STEPS + 1):
        if totp.verify(code, for_time=step * TOTP_STEP_S):
            with node.database.transaction() as tx:
                return tx.accounts.take_totp_step(row.account_id, step)
    return False
