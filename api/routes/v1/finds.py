"""Finds: other cities are asked what exists."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from fastapi import APIRouter, Response

from api.access import Principal, allow
from api.routes.v1.base import (
    PREFIX,
    Cursor,
    Hash,
    IdempotencyKey,
    Limit,
    Paged,
    RuntimeDep,
    V1Route,
    demand_officer,
    do_once,
    mark_at,
)
from api.schemas.finds import CandidateOut, FindIn, FindOut, FindPage, FindsMade
from ledger_node.core.access import Permission
from ledger_node.core.find_messages import Candidate, parse_find_answer
from ledger_node.core.types import GrantId
from ledger_node.flows.finding import MAX_PARALLEL, prepare_find, send_find
from ledger_node.flows.idempotency import Claim
from ledger_node.flows.node import Node
from ledger_node.ports.database_exchange import FindRow

router = APIRouter(prefix=f"{PREFIX}/finds", tags=["finds"], route_class=V1Route)

Finder = Annotated[Principal, allow(Permission.FINDS_MAKE)]
PAGES = Paged("finds")


@router.post("", status_code=201, response_model=FindsMade, summary="查询材料 · Make a find")
def create_find(
    body: FindIn, key: IdempotencyKey, principal: Finder, runtime: RuntimeDep
) -> Response:
    """Ask the releasing city of each grant, side by side; a silent one is named, not waited for."""
    node, officer = runtime.node, demand_officer(principal)

    def act(claim: Claim) -> tuple[int, FindsMade]:
        digests = list(claim.effects)
        for grant_id in body.grant_ids[len(digests) :]:
            wanted = GrantId(bytes.fromhex(grant_id))
            digests.append(prepare_find(node, wanted, officer, body.types, claim.link))
        with ThreadPoolExecutor(max_workers=MAX_PARALLEL) as pool:
            list(pool.map(lambda digest: send_find(node, digest), digests))
        return 201, FindsMade(items=[read_made(node, digest) for digest in digests])

    return do_once(node, principal, "finds", key, body, act)


@router.get("", summary="查询列表 · List finds")
def list_finds(
    principal: Finder, runtime: RuntimeDep, limit: Limit = 50, cursor: Cursor = ""
) -> FindPage:
    """Finds this city made, newest first."""
    del principal
    node = runtime.node
    before = PAGES.parse(node, cursor)
    with node.database.read() as tx:
        rows = tx.paging.page_finds("made", before, limit + 1)
    return FindPage(
        items=[describe_find(row) for row in rows[:limit]],
        next=PAGES.next_of(
            node, rows, limit, lambda row: mark_at(row.created_at, row.request_digest)
        ),
    )


@router.get("/{find_id}", summary="一次查询 · One find")
def read_find(find_id: Hash, principal: Finder, runtime: RuntimeDep) -> FindOut:
    """What one city was asked and said."""
    del principal
    return read_made(runtime.node, bytes.fromhex(find_id))


def read_made(node: Node, digest: bytes) -> FindOut:
    """A find of this city as stored."""
    with node.database.read() as tx:
        return describe_find(tx.finds.load_find(digest, "made"))


def describe_find(row: FindRow) -> FindOut:
    """A find with its candidates."""
    answered = row.answer is not None and row.outcome == "answered"
    candidates = parse_find_answer(row.answer).candidates if row.answer and answered else ()
    return FindOut(
        find_id=row.request_digest.hex(),
        city=row.city,
        grant_id=None if row.grant_id is None else row.grant_id.hex(),
        outcome=row.outcome,
        candidates=[describe_candidate(each) for each in candidates],
        created_at=row.created_at,
    )


def describe_candidate(each: Candidate) -> CandidateOut:
    """A material that exists elsewhere."""
    return CandidateOut(
        commitment=each.commitment.hex(),
        type_code=each.type_code,
        type_version=each.type_version,
        grade=each.grade.value,
        standing=each.standing.value,
        valid_from=each.valid_from,
        valid_until=each.valid_until,
        leaf_index=each.leaf_index,
        documents=each.document_count,
    )
