"""What `tongban release` asks for: what a find answered, within what was granted."""

from __future__ import annotations

from collections.abc import Sequence

from ledger_node.cli.inputs import MalformedArgumentError
from ledger_node.core.errors import NotFoundError
from ledger_node.core.find_messages import Candidate, parse_find_answer
from ledger_node.core.release_request import RequestedMaterial
from ledger_node.core.statement_type import get_statement_type
from ledger_node.core.terms import Terms, TypeGrant
from ledger_node.core.types import Commitment, GrantId
from ledger_node.flows.following import catch_up
from ledger_node.flows.granting import load_grant
from ledger_node.flows.node import Node
from ledger_node.flows.receiving import load_incoming, prepare_release

MAX_FINDS = 1000


class MaterialNotFoundByFindError(NotFoundError):
    """No find under this grant named the material; ask first what there is."""

    code = "material_not_in_find"


def find_release(node: Node, wanted: bytes) -> bytes | None:
    """Id of a release to this city that is under way or complete; None if there is none."""
    try:
        return load_incoming(node, wanted).request_digest
    except NotFoundError:
        return None


def prepare(
    node: Node,
    wanted: bytes,
    materials: Sequence[bytes],
    fields: Sequence[str] | None,
    documents: bool,
    officer: str,
) -> bytes:
    """Store a release request for materials that a find under the grant named; returns its id.

    Args:
        wanted: Id of the grant.
        materials: Commitments; all that were found when empty.
        fields: Names to ask for; all that are granted for the type when None.
        documents: Whether documents are asked for, where granted.
        officer: Enrolled in this city.

    Raises:
        GrantNotFoundError, OfficerNotFoundError: Not here.
        MaterialNotFoundByFindError: A material was not found under this grant.
        MalformedArgumentError: A field is unknown or was not granted for the type.
    """
    grant_id = GrantId(wanted)
    with node.database.read() as tx:
        tx.officers.load_officer(officer)
    terms = load_grant(node, grant_id).terms
    found = _list_candidates(node, grant_id)
    chosen = [Commitment(each) for each in materials] or sorted(found)
    if not chosen or any(each not in found for each in chosen):
        raise MaterialNotFoundByFindError(
            "按这份授权没有查到该材料。请先运行 tongban find。",
            "No find under this grant named that material; run tongban find first.",
        )
    requested = [_ask(terms, found[each], fields, documents) for each in chosen]
    catch_up(node)
    return prepare_release(node, grant_id, requested, officer)


def _list_candidates(node: Node, grant_id: GrantId) -> dict[Commitment, Candidate]:
    """What the newest answers under a grant named."""
    with node.database.read() as tx:
        rows = tx.finds.list_finds("made", MAX_FINDS)
    found: dict[Commitment, Candidate] = {}
    for row in rows:
        if row.grant_id == grant_id and row.outcome == "answered" and row.answer is not None:
            for candidate in parse_find_answer(row.answer).candidates:
                found.setdefault(candidate.commitment, candidate)
    return found


def _ask(
    terms: Terms, candidate: Candidate, fields: Sequence[str] | None, documents: bool
) -> RequestedMaterial:
    granted = terms.find_type(candidate.type_code) or TypeGrant(candidate.type_code, (), False)
    names = granted.fields if fields is None else fields
    for name in names:
        if name not in granted.fields:
            raise MalformedArgumentError(
                "--field", "中有未授权的字段", "names a field that was not granted"
            )
    statement_type = get_statement_type(candidate.type_code, candidate.type_version)
    return RequestedMaterial(
        candidate.commitment,
        tuple(sorted({statement_type.position_of(name) for name in names})),
        tuple(range(candidate.document_count)) if documents and granted.documents else (),
    )
