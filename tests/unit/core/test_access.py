from __future__ import annotations

from itertools import combinations

import pytest

from ledger_node.core.access import (
    ROLE_PERMISSIONS,
    STAFF_AT_WINDOWS,
    Permission,
    Role,
    RolesNotTogetherError,
    demand_compatible,
    permissions_of,
)

ADMINISTRATORS = {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}


@pytest.mark.parametrize("pair", list(combinations(Role, 2)), ids=lambda pair: "-".join(pair))
def test_demand_compatible_only_window_roles_go_together(pair: tuple[Role, Role]) -> None:
    if set(pair) <= STAFF_AT_WINDOWS:
        demand_compatible(pair)
        return
    with pytest.raises(RolesNotTogetherError):
        demand_compatible(pair)
    for alone in pair:
        demand_compatible([alone])


def test_demand_compatible_no_role_is_refused() -> None:
    with pytest.raises(RolesNotTogetherError):
        demand_compatible([])


def test_role_permissions_every_role_and_permission_is_in_the_table() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert permissions_of(Role) == set(Permission)


def test_role_permissions_administrators_share_nothing_with_anybody() -> None:
    for role in ADMINISTRATORS | {Role.AUDITOR, Role.CITIZEN, Role.SYSTEM}:
        others = permissions_of(set(Role) - {role})
        assert not ROLE_PERMISSIONS[role] & others
