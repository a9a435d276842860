"""Accounts as administrators see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger_node.core.access import SECOND_FACTOR, Role
from ledger_node.core.lockout import Lock
from ledger_node.flows.accounts import open_profile, split_roles
from ledger_node.flows.node import Node
from ledger_node.ports.database_accounts import AccountRow


@dataclass(frozen=True, slots=True)
class AccountView:
    """What a page shows of an account; never a secret."""

    account_id: str
    login: str
    name: str
    roles: tuple[Role, ...]
    officer: str | None
    outlet: str | None
    window: str | None
    system: str | None
    linked: bool
    has_password: bool
    locked: bool
    disabled_at: datetime | None
    created_at: datetime
    needs_factor: bool
    has_factor: bool


def view_account(node: Node, row: AccountRow) -> AccountView:
    """An account for a page."""
    profile = open_profile(node, row)
    roles = split_roles(row.roles)
    return AccountView(
        account_id=row.account_id,
        login=row.login,
        name=profile.display_name,
        roles=tuple(sorted(roles)),
        officer=row.officer,
        outlet=row.outlet,
        window=row.window,
        system=row.system,
        linked=row.external_tag is not None,
        has_password=row.password_hash is not None,
        locked=Lock(row.failures, row.locked_until).is_locked(node.clock.now()),
        disabled_at=row.disabled_at,
        created_at=row.created_at,
        needs_factor=bool(roles & SECOND_FACTOR),
        has_factor=profile.totp_secret is not None,
    )


def list_account_views(node: Node, after: str, limit: int) -> tuple[list[AccountView], str]:
    """Accounts after a login, and the login to go on from (empty at the end)."""
    with node.database.read() as tx:
        rows = tx.accounts.list_accounts(after, limit + 1)
    views = [view_account(node, row) for row in rows[:limit]]
    return views, views[-1].login if len(rows) > limit else ""
