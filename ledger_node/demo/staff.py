"""Staff of the demonstration's cities: officers, administrators, an auditor, a machine account.

The passwords are for this machine only; the addresses are loopback and the data is invented.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from ledger_node.core.access import Role
from ledger_node.flows.accounts import NewAccount, add_account
from ledger_node.ports.database_accounts import OutletRow
from ledger_node.wiring import Runtime

OFFICERS: Final = (
    ("registrar-01", "registrar"),
    ("reviewer-01", "reviewer"),
    ("supervisor-01", "supervisor"),
)
OUTLET: Final = "hall"
PASSWORD: Final = "open the window at nine"  # noqa: S105 (of invented accounts on loopback)
NAMES: Final = {
    "registrar": ("刘敏", "Liu Min"),
    "reviewer": ("赵启明", "Zhao Qiming"),
    "supervisor": ("孙丽华", "Sun Lihua"),
    "auditor": ("审计组", "Audit team"),
    "system_admin": ("系统管理员", "System administrator"),
    "security_admin": ("安全管理员", "Security administrator"),
    "audit_admin": ("审计管理员", "Audit administrator"),
    "system": ("综合窗口系统", "Case system"),
}
OTHERS: Final = ("auditor", "system_admin", "security_admin", "audit_admin", "system")
SYSTEM: Final = "zongchuang"


@dataclass(frozen=True, slots=True)
class Account:
    """A seeded account as it is told: `totp` is a secret, `key` a bearer key."""

    city: str
    role: str
    login: str
    name: str
    password: str
    totp: str | None
    key: str | None

    def as_json(self) -> dict[str, Any]:
        """For the facts line."""
        return asdict(self)


def seed_accounts(runtime: Runtime, slug: str) -> list[Account]:
    """Make the accounts of one city; officers' accounts sign with the keys of the same name."""
    node = runtime.node
    with node.database.transaction() as tx:
        tx.accounts.save_outlet(OutletRow(OUTLET, "政务服务中心大厅", "Service centre, main hall"))
    officer_of = {role: f"{slug}-{suffix}" for suffix, role in OFFICERS}
    accounts = []
    for role in (*officer_of, *OTHERS):
        machine = role == "system"
        at_window = role in officer_of
        made = add_account(
            node,
            NewAccount(
                login=f"{slug}.{role.replace('_', '-')}",
                display_name=NAMES[role][0],
                roles=frozenset({Role(role)}),
                password=None if machine else PASSWORD,
                officer=officer_of.get(role),
                outlet=OUTLET if at_window else None,
                window="03" if role == "registrar" else None,
                system=SYSTEM if machine else None,
            ),
        )
        accounts.append(
            Account(
                slug,
                role,
                made.row.login,
                NAMES[role][0],
                "" if machine else PASSWORD,
                made.totp_secret,
                made.key,
            )
        )
    return accounts
