"""Step 6 inside the city: which material carries exactly this file, for an officer with a case.

"Does anyone hold this file?" is an oracle for guesses (design section 10): so it is answered only
inside a case that the asking account handles and that is not decided, and every question leaves an
`access` entry in the log, answered with something or with nothing.

Crash order: entry key durable -> entry, line of the trail and note under the request's key in one
commit -> answer.
"""

from __future__ import annotations

from ledger_node.core.canonical import JsonObject
from ledger_node.core.case import OPEN_STAGES, CaseStage
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import NotFoundError, NotPermittedError
from ledger_node.core.trail import TrailAction
from ledger_node.core.types import Digest
from ledger_node.flows.entries import append_entry, prepare_entry
from ledger_node.flows.idempotency import Claim
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_digest_tag
from ledger_node.ports.database_cases import CaseRow
from ledger_node.ports.database_intake import StoredMaterial


class NoOpenCaseError(NotPermittedError):
    """A search by file needs an open case of the asking officer; which part is missing is not
    told."""

    code = "no_open_case"

    def __init__(self) -> None:
        super().__init__(
            "按文件查询须在您经办且未办结的办件中进行。",
            "A search by file needs an open case that you handle.",
        )


def search_by_file(
    node: Node, account_id: str, case_id: str, document: Digest, claim: Claim
) -> list[StoredMaterial]:
    """Materials of this city with this document, newest first.

    Args:
        claim: The right to work on the request's key; the entry is noted in it, so that a request
            taken up again leaves no second one.

    Raises:
        NoOpenCaseError: There is no such case, it is another's, or it is decided.
        RequestInProgressError: Another worker took the key over.
    """
    _demand_open_case(node, account_id, case_id)
    tag = compute_digest_tag(node, document)
    with node.database.read() as tx:
        found = tx.intake.load_materials(tx.intake.find_materials_by_digest(tag))
    if claim.effects:
        return found
    now = node.clock.now()
    body: JsonObject = {
        "v": "tongban/access/v1",
        "direction": "searched",
        "request": tag.hex(),
        "city": node.city,
        "outcome": "found" if found else "nothing",
        "at": int(now.timestamp()),
    }
    prepared = prepare_entry(node, EntryKind.ACCESS, body)
    with node.database.transaction() as tx:
        append_entry(node, tx, prepared)
        claim.link(tx, tag)
        tx.trail.log_access(now, account_id, TrailAction.SEARCH, "case", case_id)
    return found


def _demand_open_case(node: Node, account_id: str, case_id: str) -> None:
    try:
        with node.database.read() as tx:
            row: CaseRow = tx.cases.load_case(case_id)
    except NotFoundError as error:
        raise NoOpenCaseError from error
    if row.account_id != account_id or CaseStage(row.stage) not in OPEN_STAGES:
        raise NoOpenCaseError
