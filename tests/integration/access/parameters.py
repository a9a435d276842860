"""What stands in the braces of a path: one line per parameter name, for the auth matrix (T17).

You added a route and `test_matrix.py` sent you here. Routes need nothing as long as their
parameters are known; the expected refusals follow from the route's own mark (`api/access.py`).

    * A parameter that names something an account owns (a run, a case, a ceremony …): write a
      function that makes one for the given account and one for somebody else, and add
      `"run_id": Owned(make_runs)`. The matrix then demands 404 for the foreign one, and an answer
      that is neither 404 nor a refusal for the own one, on every route that has the parameter.
    * One that names nothing of anybody (a city, a page, a file of the log), or something every
      holder of the permission may see: add `"city": Shared("510107", "why")`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ledger_node.core.case import CaseDraft
from ledger_node.core.terms import Grantor, GrantorKind, TypeGrant
from ledger_node.core.types import CityId
from ledger_node.core.visit import IdentifiedBy
from ledger_node.flows.case_review import send_to_review
from ledger_node.flows.cases import open_case
from ledger_node.flows.consenting import CeremonyRequest, begin_ceremony
from ledger_node.flows.granting import ConsentRequest
from ledger_node.flows.uploading import open_slot
from ledger_node.flows.window import Clerk, build_visit, open_run
from tests.support.hall import OUTLET, PERSON, Hall

MISSING = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Owned:
    """Belongs to an account: `make(hall, account_id)` gives an id of its own and a foreign one."""

    make: Callable[[Hall, str], tuple[str, str]]


@dataclass(frozen=True)
class Shared:
    """Belongs to nobody in particular; any value will do.

    Attributes:
        value: That is tried.
        why: Why there is no foreign one.
    """

    value: str
    why: str


def make_runs(hall: Hall, account_id: str) -> tuple[str, str]:
    """A visit at the account's window, and one at somebody else's."""
    node = hall.runtime.node
    visit = build_visit(node, PERSON, IdentifiedBy.TYPED)
    own, foreign = (
        open_run(node, Clerk(owner, "registrar-01"), visit)
        for owner in (account_id, hall.person("registrar-elsewhere").row.account_id)
    )
    return own, foreign


def make_uploads(hall: Hall, account_id: str) -> tuple[str, str]:
    """An upload slot of the account, and one of somebody else."""
    ids = [str(uuid.uuid4()) for _ in range(2)]
    owners = (account_id, hall.person("registrar-elsewhere").row.account_id)
    for owner, upload_id in zip(owners, ids, strict=True):
        open_slot(hall.runtime.node, owner, "application/pdf", upload_id)
    return ids[0], ids[1]


def make_cases(hall: Hall, account_id: str) -> tuple[str, str]:
    """A case of the account's outlet that waits for review, and one of another that does not."""
    node = hall.runtime.node
    draft = CaseDraft("hpf-loan-remote", PERSON, None, None, OUTLET, None, None, "open")
    own = open_case(node, draft, account_id)
    send_to_review(node, own, account_id)
    owner = hall.person("registrar-elsewhere").row.account_id
    foreign = open_case(node, replace(draft, outlet="elsewhere"), owner)
    return own.row.case_id, foreign.row.case_id


def make_ceremonies(hall: Hall, account_id: str) -> tuple[str, str]:
    """A consent ceremony the account opened, and one somebody else did."""
    node = hall.runtime.node
    consent = ConsentRequest(
        (CityId("510700"),),
        node.city,
        PERSON,
        Grantor(GrantorKind.SELF, None),
        (TypeGrant("marriage-cert", ("number",), True),),
        "hpf-loan-remote",
        "2026-1",
        1800,
    )
    own, foreign = (
        begin_ceremony(
            node, CeremonyRequest(consent, owner, "registrar-01", "cn-resident-id", True)
        ).ceremony_id
        for owner in (account_id, hall.person("registrar-elsewhere").row.account_id)
    )
    return own, foreign


PARAMETERS: Mapping[str, Owned | Shared] = {
    "run_id": Owned(make_runs),
    "upload_id": Owned(make_uploads),
    "find_id": Shared("00" * 32, "finds are the city's; making one is logged"),
    "release_id": Shared("00" * 32, "releases are the city's; reading one is logged by account"),
    "receipt_id": Shared("00" * 32, "receipts are the city's; reading one is logged by account"),
    "commitment": Shared("00" * 32, "of a release, which is the city's"),
    "index": Shared("0", "a document's place in a material"),
    "position": Shared("0", "a document's place in a material"),
    "case_id": Owned(make_cases),
    "ceremony_id": Owned(make_ceremonies),
    "generation": Shared("1", "the log is public"),
    "path": Shared("0/000", "the log is public"),
    "size": Shared("1", "the log is public"),
    "origin_hash": Shared("00" * 32, "mirrored logs are public"),
    "name": Shared("icon.svg", "static files and identity providers are nobody's"),
    "city": Shared("510107", "a member city"),
    "leaf_hash": Shared("00" * 32, "auditors see every leaf, and no person"),
    "grant_id": Shared("00" * 32, "auditors see every grant, and no person"),
    "number": Shared("1", "blocks are everybody's"),
    "tx_hash": Shared("00" * 32, "transactions are everybody's"),
    "replay_id": Shared(MISSING, "replays are the auditors' together"),
    "material_id": Shared(MISSING, "papers are the city's; reading one is logged by account"),
    "token": Shared("none", "whoever holds it: one-time links and the screen turned to a person"),
    "system": Shared("zongchuang", "its machine's own; tests/integration/api has the foreign one"),
    "event": Shared("review", "names what happens to a case"),
    "paper": Shared("acceptance", "names a paper of a case"),
    "account_id": Shared(MISSING, "accounts are the administrators' together"),
}
