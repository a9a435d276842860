"""Roles, what each may do, and which roles one person may hold together.

Spec: docs/spec/access.md. Pure table; who somebody is stands in api/access.py.

Invariants:
    * What is not in the table is not permitted.
    * System, security and audit administration are three persons; none of them handles materials.
    * An auditor sees no person and holds no other role.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from ledger_node.core.errors import MalformedInputError


class RolesNotTogetherError(MalformedInputError):
    """These roles must not be held by one account."""

    code = "roles_not_together"


class PermissionNotForMachinesError(MalformedInputError):
    """A permission that machines never have, or an account that is no machine's."""

    code = "permission_not_for_machines"


class Role(StrEnum):
    """Who somebody is to this city."""

    REGISTRAR = "registrar"
    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"
    CITIZEN = "citizen"
    SYSTEM = "system"


class Permission(StrEnum):
    """What a route asks for."""

    MATERIALS_REGISTER = "materials.register"
    MATERIALS_READ = "materials.read"
    DOCUMENTS_VIEW = "documents.view"
    CASES_HANDLE = "cases.handle"
    CONSENT_COLLECT = "consent.collect"
    FINDS_MAKE = "finds.make"
    RELEASES_MAKE = "releases.make"
    RELEASES_READ = "releases.read"
    DECISIONS_MAKE = "decisions.make"
    OVERRIDES_MAKE = "overrides.make"
    GRANTS_REVOKE = "grants.revoke"
    VERIFICATIONS_FILE = "verifications.file"
    DEVICES_USE = "devices.use"
    AUDIT_EXPLORE = "audit.explore"
    ACCOUNTS_MANAGE = "accounts.manage"
    SECURITY_MANAGE = "security.manage"
    TRAIL_READ = "trail.read"
    ME_USE = "me.use"
    SYSTEMS_CASES = "systems.cases"


_P = Permission
_WINDOW: Final = frozenset(
    {
        _P.MATERIALS_REGISTER,
        _P.MATERIALS_READ,
        _P.DOCUMENTS_VIEW,
        _P.CASES_HANDLE,
        _P.CONSENT_COLLECT,
        _P.FINDS_MAKE,
        _P.RELEASES_MAKE,
        _P.RELEASES_READ,
        _P.GRANTS_REVOKE,
        _P.VERIFICATIONS_FILE,
        _P.DEVICES_USE,
    }
)
_DECIDE: Final = frozenset({_P.DECISIONS_MAKE, _P.OVERRIDES_MAKE})

ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.REGISTRAR: _WINDOW,
    Role.REVIEWER: _WINDOW | _DECIDE,
    Role.SUPERVISOR: _WINDOW | _DECIDE,
    Role.AUDITOR: frozenset({_P.AUDIT_EXPLORE}),
    Role.SYSTEM_ADMIN: frozenset({_P.ACCOUNTS_MANAGE}),
    Role.SECURITY_ADMIN: frozenset({_P.SECURITY_MANAGE}),
    Role.AUDIT_ADMIN: frozenset({_P.TRAIL_READ}),
    Role.CITIZEN: frozenset({_P.ME_USE}),
    Role.SYSTEM: frozenset({_P.SYSTEMS_CASES}),
}
# What a machine may be given by name besides its role: nothing that an officer answers for.
MACHINE_MAY: Final = frozenset(
    {_P.MATERIALS_REGISTER, _P.MATERIALS_READ, _P.DOCUMENTS_VIEW, _P.RELEASES_READ}
)
STAFF_AT_WINDOWS: Final = frozenset({Role.REGISTRAR, Role.REVIEWER, Role.SUPERVISOR})
SECOND_FACTOR: Final = frozenset(
    {Role.SUPERVISOR, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}
)


def permissions_of(roles: Collection[Role]) -> frozenset[Permission]:
    """Everything these roles may do."""
    return frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles))


def demand_for_machine(roles: Collection[Role], given: Collection[Permission]) -> None:
    """Refuse permissions by name for anybody but a machine, and those a machine never has.

    Raises:
        PermissionNotForMachinesError: So it is.
    """
    if given and not (frozenset(roles) == {Role.SYSTEM} and frozenset(given) <= MACHINE_MAY):
        raise PermissionNotForMachinesError(
            "只有对接系统账号可以逐项授权，且不得含须由经办人负责的事项。",
            "Only machine accounts are given permissions one by one, and none that an officer "
            "answers for.",
        )


def demand_compatible(roles: Collection[Role]) -> None:
    """Refuse roles that one account must not hold together: only window roles combine.

    Raises:
        RolesNotTogetherError: None, or a role that excludes another of them.
    """
    held = frozenset(roles)
    if not held or (len(held) > 1 and not held <= STAFF_AT_WINDOWS):
        raise RolesNotTogetherError(
            "这些角色不能由同一账号担任：三类管理员、审计员、市民与对接系统各自独立。",
            "One account cannot hold these roles together: the three administrators, auditors, "
            "citizens and systems are each apart.",
        )
