"""Which areas of the pages a person may enter, as links in the order of a working day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger_node.core.access import ROLE_PERMISSIONS, Permission

if TYPE_CHECKING:
    from api.access import Principal


@dataclass(frozen=True, slots=True)
class Link:
    """An area: its address, names, and the permission that opens it."""

    path: str
    zh: str
    en: str
    permission: Permission


LINKS: Final = (
    Link("/window", "窗口办理", "Window", Permission.MATERIALS_REGISTER),
    Link("/cases", "办件", "Cases", Permission.CASES_HANDLE),
    Link("/window/batch", "批量扫描", "Batch scan", Permission.DEVICES_USE),
    Link("/window/revoke", "撤回授权", "Withdraw consent", Permission.GRANTS_REVOKE),
    Link("/me", "我的材料", "My papers", Permission.ME_USE),
    Link("/audit", "审计", "Audit", Permission.AUDIT_EXPLORE),
    Link("/admin/accounts", "账号", "Accounts", Permission.ACCOUNTS_MANAGE),
    Link("/admin/security", "安全", "Security", Permission.SECURITY_MANAGE),
    Link("/admin/trail", "查阅记录", "Access trail", Permission.TRAIL_READ),
)


def list_links(principal: Principal | None) -> tuple[Link, ...]:
    """Areas open to the person signed in; none without."""
    if principal is None:
        return ()
    open_to = frozenset[Permission]().union(*(ROLE_PERMISSIONS[r] for r in principal.roles))
    return tuple(link for link in LINKS if link.permission in open_to)
