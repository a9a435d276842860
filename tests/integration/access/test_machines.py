"""Keys of machines at the API: what was given by name, nothing else, nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger_node.core.access import MACHINE_MAY, Permission, PermissionNotForMachinesError, Role
from ledger_node.flows.administering import change_roles
from tests.integration.access.parameters import MISSING
from tests.support.hall import Hall, make_account, open_hall

pytestmark = pytest.mark.integration

MATERIALS = "/api/v1/materials"
BODY = {
    "type_code": "marriage-cert",
    "grade": "A",
    "subjects": [
        {
            "role": "holder",
            "scheme": "cn-resident-id",
            "number": "510107199003070049",
            "name": "何雨晴",
        }
    ],
    "documents": [{"sha256": "ab" * 32}],
}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("machines")) as opened:
        yield opened


def machine(hall: Hall, *given: Permission) -> tuple[str, Any]:
    made = make_account(hall.runtime.node, "system", permissions=frozenset(given))
    return made.row.account_id, hall.client(authorization=f"Bearer {made.key}")


def test_machine_with_a_permission_registers_and_without_it_is_refused(hall: Hall) -> None:
    headers = {"Idempotency-Key": "machine-registers"}
    _, bare = machine(hall)
    refused = bare.post(MATERIALS, json=BODY, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted_here")
    _, reader = machine(hall, Permission.MATERIALS_READ)
    assert reader.post(MATERIALS, json=BODY, headers=headers).status_code == 403
    assert reader.get(MATERIALS).status_code == 200
    _, writer = machine(hall, Permission.MATERIALS_REGISTER)
    made = writer.post(MATERIALS, json=BODY, headers=headers)
    assert made.status_code == 201, made.text
    assert writer.get(MATERIALS).status_code == 403
    path = f"{MATERIALS}/{made.json()['material_id']}"
    assert reader.get(path).status_code == 200
    with hall.runtime.node.database.read() as tx:
        actions = [(row.action, row.object_id) for _, row in tx.trail.list_access(None, 50)]
    assert ("read", made.json()["material_id"]) in actions


def test_machine_reaches_no_page_with_what_it_was_given(hall: Hall) -> None:
    _, client = machine(hall, *MACHINE_MAY)
    for path in ("/window", "/cases", "/account", "/devices", "/admin/accounts"):
        assert client.get(path).status_code in (403, 404), path
    paper = f"/window/papers/{MISSING}"  # its permission is one of those given
    assert client.get(paper).json()["code"] == "not_permitted_here"
    assert client.get(MATERIALS).status_code == 200


@pytest.mark.parametrize("permission", sorted(set(Permission) - MACHINE_MAY))
def test_machine_is_never_given_what_a_person_answers_for(
    hall: Hall, permission: Permission
) -> None:
    with pytest.raises(PermissionNotForMachinesError):
        machine(hall, permission)


def test_person_is_given_nothing_by_name(hall: Hall) -> None:
    with pytest.raises(PermissionNotForMachinesError):
        make_account(
            hall.runtime.node, "auditor", permissions=frozenset({Permission.MATERIALS_READ})
        )


def test_permissions_by_name_end_when_roles_change(hall: Hall) -> None:
    account_id, client = machine(hall, Permission.MATERIALS_READ)
    assert client.get(MATERIALS).status_code == 200
    change_roles(hall.runtime.node, account_id, [Role.SYSTEM])
    assert client.get(MATERIALS).status_code == 403
