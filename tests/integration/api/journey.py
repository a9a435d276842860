"""One paper's whole way through the API of two cities: registered, found, released, relied on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ledger_node.core.statement import get_statement_type
from tests.support.desk import get, post, upload
from tests.support.stock import FIELDS, TYPE


@dataclass
class Journey:
    """Somebody signed in at each of two cities.

    Attributes:
        issuer: Client of a registrar.
        relier: Client of the enrolled supervisor.
        settle: Waits until something is done, while the cities go on.
    """

    issuer: Any
    relier: Any
    settle: Callable[[Callable[[], object]], None]

    def register(
        self, subject: dict[str, str], number: str, document: bytes, **attributes: str
    ) -> str:
        """A paper at the issuer, anchored; returns its commitment."""
        body = {
            "type_code": TYPE,
            "grade": "A",
            "subjects": [{"role": "holder", "scheme": "cn-resident-id", **subject}],
            "issuer": {"code": "11510107MB1A00000X", "name": "武侯区民政局"},
            "number": number,
            "issued_on": "2020-05-20",
            "attributes": attributes,
            "documents": [{"upload_id": upload(self.issuer, document), "pages": 1}],
        }
        made = post(self.issuer, "/api/v1/materials", body, 201)
        proof = f"/api/v1/materials/{made['material_id']}/proof"
        self.settle(lambda: get(self.issuer, proof)["state"] == "anchored")
        return str(made["commitment"])

    def record(self, grant_id: str) -> None:
        """A grant on chain, followed by both."""
        post(self.relier, f"/api/v1/grants/{grant_id}/recording", {}, 202)
        self.settle(lambda: get(self.relier, f"/api/v1/grants/{grant_id}")["state"] == "recorded")

    def find(self, grant_id: str) -> list[dict[str, Any]]:
        """What the issuer says it has."""
        (found,) = post(self.relier, "/api/v1/finds", {"grant_ids": [grant_id]}, 201)["items"]
        assert found["outcome"] == "answered", found
        return list(found["candidates"])

    def release(self, grant_id: str, commitments: Sequence[str]) -> str:
        """A release that came whole; returns its id."""
        kind = get_statement_type(TYPE)
        wanted = [
            {
                "commitment": each,
                "fields": sorted(map(kind.position_of, FIELDS)),
                "documents": [0],
            }
            for each in commitments
        ]
        body = {"grant_id": grant_id, "materials": wanted}
        release_id = post(self.relier, "/api/v1/releases", body, 202)["release_id"]
        path = f"/api/v1/releases/{release_id}"
        self.settle(lambda: get(self.relier, path)["state"] == "acknowledged")
        return str(release_id)

    def decide(self, release_id: str) -> str:
        """A decision; returns the receipt's id."""
        body = {"release_id": release_id, "role": "supervisor", "outcome": "loan-granted"}
        return str(post(self.relier, "/api/v1/decisions", body, 201)["receipt_id"])

    def revoke(self, grant_id: str) -> None:
        """The end of a grant, final."""
        post(self.relier, "/api/v1/revocations", {"grant_id": grant_id}, 202)
        path = f"/api/v1/revocations/{grant_id}"
        self.settle(lambda: get(self.relier, path)["state"] == "final")
