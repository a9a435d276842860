"""Grants this city holds, their recording on chain, and revocations."""

from __future__ import annotations

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
    do_once,
    mark_at,
)
from api.routes.v1.describe import describe_block, describe_time
from api.schemas.grants import (
    EmptyBody,
    GrantedType,
    GrantLine,
    GrantOut,
    GrantPage,
    RevocationIn,
    RevocationOut,
    Submitted,
)
from ledger_node.core.access import Permission
from ledger_node.core.errors import NotFoundError
from ledger_node.core.terms_format import parse_terms
from ledger_node.core.types import GrantId
from ledger_node.flows.granting import record_grant, revoke_grant
from ledger_node.flows.idempotency import Claim
from ledger_node.flows.node import Node
from ledger_node.ports.database_exchange import GrantRow

router = APIRouter(prefix=PREFIX, route_class=V1Route)

Collector = Annotated[Principal, allow(Permission.CONSENT_COLLECT)]
Revoker = Annotated[Principal, allow(Permission.GRANTS_REVOKE)]
PAGES = Paged("grants")


class RevocationNotFoundError(NotFoundError):
    """No revocation of that grant is known here."""

    code = "revocation_not_found"

    def __init__(self) -> None:
        super().__init__("该授权没有撤回记录。", "No revocation of that grant is known here.")


@router.get("/grants", tags=["grants"], summary="授权列表 · List grants")
def list_grants(
    principal: Collector, runtime: RuntimeDep, limit: Limit = 50, cursor: Cursor = ""
) -> GrantPage:
    """Grants this city holds, newest first; whom they are about is not in it."""
    del principal
    node = runtime.node
    before = PAGES.parse(node, cursor)
    with node.database.read() as tx:
        rows = tx.paging.page_grants(before, limit + 1)
    return GrantPage(
        items=[describe_grant(row) for row in rows[:limit]],
        next=PAGES.next_of(node, rows, limit, lambda row: mark_at(row.created_at, row.grant_id)),
    )


@router.get("/grants/{grant_id}", tags=["grants"], summary="一份授权 · One grant")
def read_grant(grant_id: Hash, principal: Collector, runtime: RuntimeDep) -> GrantOut:
    """A grant, and what the chain says of it as far as this city followed it."""
    del principal
    wanted = GrantId(bytes.fromhex(grant_id))
    with runtime.node.database.read() as tx:
        row = tx.grants.load_grant(wanted)
        recorded = tx.chain.find_grant(wanted)
        revocation = tx.chain.find_revocation(wanted)
    state = "held" if row.outbox_id is None else "submitted"
    if recorded is not None:
        state = "recorded"
    if revocation is not None:
        state = "revoked"
    return GrantOut.model_validate(
        {
            **describe_grant(row).model_dump(),
            "state": state,
            "uses_left": None if recorded is None else recorded.uses_left,
            "recorded": None if recorded is None else describe_block(recorded.place).model_dump(),
            "revoked": None
            if revocation is None
            else describe_block(revocation.place).model_dump(),
        }
    )


@router.post(
    "/grants/{grant_id}/recording",
    tags=["grants"],
    status_code=202,
    response_model=Submitted,
    summary="登记授权 · Record a grant",
)
def create_recording(
    grant_id: Hash,
    body: EmptyBody,
    key: IdempotencyKey,
    principal: Collector,
    runtime: RuntimeDep,
) -> Response:
    """Record the grant on chain. Recorded once, however often it is asked for."""
    node = runtime.node

    def act(claim: Claim) -> tuple[int, Submitted]:
        del claim  # recording is idempotent by itself
        outbox_id = record_grant(node, GrantId(bytes.fromhex(grant_id)))
        return 202, describe_submitted(node, grant_id, outbox_id)

    return do_once(node, principal, f"recording/{grant_id[:32]}", key, body, act)


@router.post(
    "/revocations",
    tags=["revocations"],
    status_code=202,
    response_model=Submitted,
    summary="撤回授权 · Revoke a grant",
)
def create_revocation(
    body: RevocationIn, key: IdempotencyKey, principal: Revoker, runtime: RuntimeDep
) -> Response:
    """End a grant for good, recorded or not."""
    node = runtime.node

    def act(claim: Claim) -> tuple[int, Submitted]:
        if claim.resumed:
            with node.database.read() as tx:
                row = tx.outbox.find_latest("revoke", body.grant_id)
            if row is not None:
                return 202, describe_submitted(node, body.grant_id, row.outbox_id)
        outbox_id = revoke_grant(node, GrantId(bytes.fromhex(body.grant_id)))
        return 202, describe_submitted(node, body.grant_id, outbox_id)

    return do_once(node, principal, "revocations", key, body, act)


@router.get(
    "/revocations/{grant_id}", tags=["revocations"], summary="撤回状态 · State of a revocation"
)
def read_revocation(grant_id: Hash, principal: Revoker, runtime: RuntimeDep) -> RevocationOut:
    """Whether a revocation was sent, seen, and is final."""
    del principal
    wanted = GrantId(bytes.fromhex(grant_id))
    with runtime.node.database.read() as tx:
        seen = tx.chain.find_revocation(wanted)
        final = tx.chain.find_revocation(wanted, final_only=True)
        sent = tx.outbox.find_latest("revoke", grant_id)
    if seen is None:
        if sent is None:
            raise RevocationNotFoundError
        return RevocationOut(grant_id=grant_id, state="submitted")
    return RevocationOut(
        grant_id=grant_id,
        state="seen" if final is None else "final",
        city=seen.city,
        block=describe_block(seen.place),
    )


def describe_grant(row: GrantRow) -> GrantLine:
    """A grant as lists show it: what the terms say in clear."""
    terms = parse_terms(row.terms)
    return GrantLine(
        grant_id=row.grant_id.hex(),
        releasing=terms.releasing,
        receiving=terms.receiving,
        recording=terms.recording,
        basis=terms.basis.value,
        types=[
            GrantedType(code=each.code, fields=list(each.fields), documents=each.documents)
            for each in terms.types
        ],
        not_before=describe_time(terms.not_before_s),
        not_after=describe_time(terms.not_after_s),
        uses=terms.uses,
        created_at=row.created_at,
    )


def describe_submitted(node: Node, grant_id: str, outbox_id: int) -> Submitted:
    """A transaction that is stored."""
    with node.database.read() as tx:
        row = tx.outbox.load_transaction(outbox_id)
    return Submitted(grant_id=grant_id, state=row.state.value, transaction=row.tx_hash.hex())
