"""What administrators do to accounts, and what a person does to the own password.

Spec: docs/spec/access.md. The system administrator makes accounts and places them, the security
administrator says what they may do: neither alone can make an account that opens anything. Each
change stands in the access trail, in one commit with what it changes, and ends the account's
sessions.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

import pyotp

from ledger_node.core.access import (
    SECOND_FACTOR,
    Role,
    RolesNotTogetherError,
    demand_compatible,
)
from ledger_node.core.errors import ConflictError, NotPermittedError
from ledger_node.core.shapes import read_name
from ledger_node.core.trail import TrailAction
from ledger_node.flows.accounts import (
    CONSOLE,
    demand_password,
    hash_password,
    join_roles,
    open_profile,
    seal_profile,
    verify_password,
)
from ledger_node.flows.identity import compute_external_tag
from ledger_node.flows.node import Node
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_accounts import AccountRow, OutletRow

INITIAL_BYTES: Final = 15


class AlreadyLinkedError(ConflictError):
    """That person at that provider has another account here."""

    code = "already_linked"


class OutletTakenError(ConflictError):
    """There is an outlet of that short name."""

    code = "outlet_taken"


class OwnAccountError(NotPermittedError):
    """Administrators do not change what their own account may do."""

    code = "own_account"

    def __init__(self) -> None:
        super().__init__(
            "不能更改自己账号的权限。请由另一位安全管理员办理。",
            "Nobody changes what their own account may do; another security administrator does.",
        )


class UnsuitableRoleError(ConflictError):
    """Machines have keys and the role `system`; people have neither."""

    code = "unsuitable_role"


ROLE_PROBLEMS: Final = (RolesNotTogetherError, OwnAccountError, UnsuitableRoleError)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody works: officer id whose key signs, outlet, window."""

    officer: str | None
    outlet: str | None
    window: str | None


def add_outlet(node: Node, row: OutletRow, by: str = CONSOLE) -> None:
    """Make an outlet.

    Raises:
        UnexpectedShapeError: The short name is none.
        OutletTakenError: There is one.
    """
    read_name(row.outlet, what="outlet")
    try:
        with node.database.transaction() as tx:
            tx.accounts.save_outlet(row)
            tx.trail.log_access(node.clock.now(), by, TrailAction.OUTLET_ADD, "outlet", row.outlet)
    except RowConflictError as error:
        raise OutletTakenError(
            "这个网点编号已存在。", "There is an outlet of that short name."
        ) from error


def place_account(node: Node, account_id: str, place: Place, by: str = CONSOLE) -> AccountRow:
    """Seat somebody elsewhere.

    Raises:
        AccountNotFoundError: There is no such account.
        RowConflictError: There is no such outlet.
    """

    def change(row: AccountRow) -> AccountRow:
        return replace(row, officer=place.officer, outlet=place.outlet, window=place.window)

    return _change(node, account_id, by, TrailAction.ACCOUNT_PLACE, change)


def disable_account(node: Node, account_id: str, by: str = CONSOLE) -> AccountRow:
    """Switch an account off.

    Raises:
        AccountNotFoundError: There is no such account.
    """

    def change(row: AccountRow) -> AccountRow:
        return replace(row, disabled_at=row.disabled_at or node.clock.now())

    return _change(node, account_id, by, TrailAction.ACCOUNT_DISABLE, change)


def enable_account(node: Node, account_id: str, by: str = CONSOLE) -> AccountRow:
    """Switch an account on again; its roles are given anew by the security administrator.

    Raises:
        AccountNotFoundError: There is no such account.
    """

    def change(row: AccountRow) -> AccountRow:
        return replace(row, disabled_at=None, roles="") if row.disabled_at else row

    return _change(node, account_id, by, TrailAction.ACCOUNT_ENABLE, change)


def link_account(
    node: Node, account_id: str, issuer: str, subject: str, by: str = CONSOLE
) -> AccountRow:
    """Let an account be signed in to at a provider. An empty subject unlinks.

    Args:
        issuer: Issuer identifier, as the settings have it.
        subject: The person's `sub` there.

    Raises:
        AccountNotFoundError: There is no such account.
        AlreadyLinkedError: The person has another account here.
    """
    tag = compute_external_tag(node, issuer, subject) if subject else None
    try:
        return _change(
            node,
            account_id,
            by,
            TrailAction.ACCOUNT_LINK,
            lambda row: replace(row, external_tag=tag),
        )
    except RowConflictError as error:
        raise AlreadyLinkedError(
            "此人已关联另一个账号。请先解除原有关联。",
            "That person is linked to another account; unlink that one first.",
        ) from error


def change_roles(
    node: Node, account_id: str, roles: Collection[Role], by: str = CONSOLE
) -> str | None:
    """Say what an account may do; returns a TOTP secret, shown once, where a role first wants one.

    Raises:
        OwnAccountError: It is the administrator's own.
        RolesNotTogetherError: One account cannot hold them together.
        UnsuitableRoleError: A machine's role for a person, or the other way round.
        AccountNotFoundError: There is no such account.
    """
    _demand_other(account_id, by)
    if roles:
        demand_compatible(roles)
    secrets: list[str] = []

    def change(row: AccountRow) -> AccountRow:
        machine = row.key_hash is not None
        if Role.CITIZEN in roles or (roles and (Role.SYSTEM in roles) != machine):
            raise UnsuitableRoleError(
                "对接系统账号只能是对接系统角色，人员账号不能是；市民不用账号。",
                "Machines hold the role of systems and people do not; citizens have no account.",
            )
        profile = open_profile(node, row)
        if frozenset(roles) & SECOND_FACTOR and profile.totp_secret is None:
            secrets.append(pyotp.random_base32())
            profile = replace(profile, totp_secret=secrets[-1])
        profile = replace(profile, permissions=frozenset())  # given with an account, to it alone
        sealed = seal_profile(node, account_id, profile)
        return replace(row, roles=join_roles(roles), sealed_profile=sealed)

    _change(node, account_id, by, TrailAction.ACCOUNT_ROLES, change)
    return secrets[-1] if secrets else None


def unlock_account(node: Node, account_id: str, by: str = CONSOLE) -> AccountRow:
    """Forget wrong answers.

    Raises:
        AccountNotFoundError: There is no such account.
    """

    def change(row: AccountRow) -> AccountRow:
        return replace(row, failures=0, locked_until=None)

    return _change(node, account_id, by, TrailAction.ACCOUNT_UNLOCK, change)


def reset_second_factor(node: Node, account_id: str, by: str = CONSOLE) -> str:
    """A new TOTP secret (base32), shown once; the account's passkeys go, too.

    Raises:
        OwnAccountError: It is the administrator's own.
        AccountNotFoundError: There is no such account.
    """
    _demand_other(account_id, by)
    secret = pyotp.random_base32()

    def change(row: AccountRow) -> AccountRow:
        profile = replace(open_profile(node, row), totp_secret=secret)
        return replace(row, sealed_profile=seal_profile(node, account_id, profile), totp_step=0)

    _change(node, account_id, by, TrailAction.ACCOUNT_SECOND_FACTOR, change, drop_passkeys=True)
    return secret


def reset_password(node: Node, account_id: str, by: str = CONSOLE) -> str:
    """A new password, shown once, that the person has to change at the next sign-in.

    Raises:
        OwnAccountError: It is the administrator's own.
        UnsuitableRoleError: A machine has a key, not a password.
        AccountNotFoundError: There is no such account.
    """
    _demand_other(account_id, by)
    password = make_initial_password(node)
    hashed = hash_password(password)

    def change(row: AccountRow) -> AccountRow:
        if row.key_hash is not None:
            raise UnsuitableRoleError(
                "对接系统用密钥，没有口令。", "A machine has a key and no password."
            )
        profile = replace(open_profile(node, row), initial=True)
        sealed = seal_profile(node, account_id, profile)
        return replace(
            row, password_hash=hashed, sealed_profile=sealed, failures=0, locked_until=None
        )

    _change(node, account_id, by, TrailAction.ACCOUNT_PASSWORD, change)
    return password


def change_own_password(node: Node, account_id: str, current: str, new: str) -> AccountRow:
    """Change the own password; every session of the account ends.

    Raises:
        WeakPasswordError: The new one is no use, or is the old one.
        SignInRefusedError: The current one is wrong; it is counted like a wrong sign-in.
    """
    with node.database.read() as tx:
        before = tx.accounts.load_account(account_id)
    verify_password(node, before, current)
    demand_password(new, former=current)
    hashed = hash_password(new)

    def change(row: AccountRow) -> AccountRow:
        profile = replace(open_profile(node, row), initial=False)
        sealed = seal_profile(node, account_id, profile)
        return replace(row, password_hash=hashed, sealed_profile=sealed)

    return _change(node, account_id, account_id, TrailAction.ACCOUNT_OWN_PASSWORD, change)


def end_sessions(node: Node, account_id: str, by: str = CONSOLE) -> AccountRow:
    """Sign an account out everywhere.

    Raises:
        AccountNotFoundError: There is no such account.
    """
    return _change(node, account_id, by, TrailAction.ACCOUNT_SIGN_OUT, lambda row: row)


def make_initial_password(node: Node) -> str:
    """A password of 120 random bits, in groups a person can type."""
    text = base64.b32encode(node.entropy(INITIAL_BYTES)).decode("ascii").lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _demand_other(account_id: str, by: str) -> None:
    if account_id == by:
        raise OwnAccountError


def _change(
    node: Node,
    account_id: str,
    by: str,
    action: TrailAction,
    change: Callable[[AccountRow], AccountRow],
    *,
    drop_passkeys: bool = False,
) -> AccountRow:
    """Change an account, end its sessions and write the trail, in one commit."""
    with node.database.transaction() as tx:
        row = change(tx.accounts.load_account(account_id))
        tx.accounts.update_account(row)
        tx.accounts.end_sessions_of(account_id)
        if drop_passkeys:
            tx.accounts.drop_staff_passkeys(account_id)
        tx.trail.log_access(node.clock.now(), by, action, "account", account_id)
    return row
