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
from dataclasses import dataclass
from datetime import timedelta

from ledger_node.core.reuse import RunState
from ledger_node.flows.records import seal_record
from ledger_node.ports.database_reuse import RunRow
from tests.support.hall import Hall

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
    ids = []
    for owner in (account_id, hall.person("registrar-elsewhere").row.account_id):
        run_id = str(uuid.uuid4())
        now = node.clock.now() - timedelta(minutes=1)
        sealed = seal_record(node, f"run/{run_id}", "body", b"{}")
        state = next(iter(RunState)).value
        row = RunRow(run_id, owner, "registrar-01", None, None, state, 0, sealed, now, now)
        with node.database.transaction() as tx:
            tx.reuse.save_run(row)
        ids.append(run_id)
    return ids[0], ids[1]


PARAMETERS: Mapping[str, Owned | Shared] = {
    "run_id": Owned(make_runs),
    "generation": Shared("1", "the log is public"),
    "path": Shared("0/000", "the log is public"),
    "name": Shared("icon.svg", "static files and identity providers are nobody's"),
    "city": Shared("510107", "a member city"),
    "leaf_hash": Shared("00" * 32, "auditors see every leaf, and no person"),
    "grant_id": Shared("00" * 32, "auditors see every grant, and no person"),
    "number": Shared("1", "blocks are everybody's"),
    "tx_hash": Shared("00" * 32, "transactions are everybody's"),
    "replay_id": Shared(MISSING, "replays are the auditors' together"),
    "material_id": Shared(MISSING, "papers are the city's; reading one is logged by account"),
    "account_id": Shared(MISSING, "accounts are the administrators' together"),
}
