"""Members and this city's log, for everybody; state of the ledger and its events, for auditors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.access import Principal, allow, public
from api.routes.v1.base import PREFIX, Cursor, Paged, RuntimeDep, V1Route
from api.routes.v1.describe import describe_block, describe_time
from api.schemas.ledger import (
    AuditOut,
    EventOut,
    EventPage,
    FollowedHead,
    HaltOut,
    LogOut,
    MemberOut,
    Members,
    OverdueOut,
    ReplayOut,
)
from ledger_node.core.access import Permission
from ledger_node.core.types import BlockNumber
from ledger_node.flows.exploring import Freshness, list_events, load_membership, load_overview
from ledger_node.flows.facts import NotFollowedError
from ledger_node.ports.database_api import PageMark
from ledger_node.ports.database_exploring import (
    ConsumptionLine,
    EventKind,
    EventLine,
    GrantLine,
    ReplayRow,
)

router = APIRouter(prefix=PREFIX, route_class=V1Route)

Auditor = Annotated[Principal, allow(Permission.AUDIT_EXPLORE)]


@router.get("/members", tags=["members"], dependencies=[public()], summary="成员城市 · Members")
def list_members(runtime: RuntimeDep) -> Members:
    """Member cities at the followed block, each with its newest anchored head."""
    overview = load_overview(runtime.node)
    if overview.freshness is None:
        raise NotFollowedError
    membership = load_membership(runtime.node)
    return Members(
        block=membership.block,
        time=describe_time(membership.block_timestamp_s),
        items=[
            MemberOut(
                city=each.city,
                good_standing=each.good,
                url=each.url,
                anchored_size=None if each.anchor is None else each.anchor.tree_head.size,
                anchor=None if each.anchor is None else describe_block(each.anchor.place),
            )
            for each in overview.members
        ],
    )


@router.get("/log", tags=["log"], dependencies=[public()], summary="本市日志 · This city's log")
def read_log(runtime: RuntimeDep) -> LogOut:
    """Size of the log, and where any C2SP client reads its checkpoint and tiles."""
    node = runtime.node
    with node.database.read() as tx:
        head, waiting = tx.log.load_head(), tx.log.count_pending()
        anchored = tx.chain.find_latest_head(node.city)
    base = runtime.settings.url.rstrip("/")
    return LogOut(
        origin=node.origin,
        generation=head.generation,
        size=head.size,
        waiting=waiting,
        anchored_size=0 if anchored is None else anchored.tree_head.size,
        checkpoint_url=f"{base}/log/checkpoint",
        tile_url=f"{base}/log/tile/",
    )


@router.get("/audit", tags=["audit"], summary="账本状态 · State of the ledger")
def read_audit(principal: Auditor, runtime: RuntimeDep) -> AuditOut:
    """Followed head, halts, releases nobody acknowledged, the newest replay; no person."""
    del principal
    overview = load_overview(runtime.node)
    return AuditOut(
        head=None if overview.freshness is None else describe_head(overview.freshness),
        counts={kind.value: count for kind, count in overview.counts.items()},
        halts=[
            HaltOut(reason=each.reason, latched_at=each.latched_at, cleared_at=each.cleared_at)
            for each in overview.halts
        ],
        unacknowledged=[
            OverdueOut(
                release_id=each.request_digest.hex(),
                city=each.city,
                grant_id=each.grant_id.hex(),
                state=each.state,
                updated_at=each.updated_at,
            )
            for each in overview.overdue
        ],
        replay=None if overview.replay is None else describe_replay(overview.replay),
    )


@router.get("/audit/events", tags=["audit"], summary="链上事件 · Events of the chain")
def list_audit_events(
    principal: Auditor,
    runtime: RuntimeDep,
    kind: Annotated[EventKind, Query(description="Kind of event")] = EventKind.ANCHOR,
    cursor: Cursor = "",
) -> EventPage:
    """One page of events of a kind, newest first."""
    del principal
    node = runtime.node
    pages = Paged(f"events/{kind.value}")
    mark = pages.parse(node, cursor)
    before = None if mark is None else (BlockNumber(mark.at), int.from_bytes(mark.row_id, "big"))
    page = list_events(node, kind, before=before)
    after = page.next_before
    return EventPage(
        items=[describe_event(kind, line) for line in page.lines],
        next=None
        if after is None
        else pages.encode(node, PageMark(after[0], after[1].to_bytes(4, "big"))),
    )


def describe_head(freshness: Freshness) -> FollowedHead:
    """How far the chain was followed."""
    tip = freshness.tip
    return FollowedHead(
        number=tip.number,
        hash=tip.hash.hex(),
        time=describe_time(tip.block_timestamp_s),
        final_number=tip.final_number,
        block_age_s=freshness.block_age_s,
        observed_age_s=freshness.observed_age_s,
        stale=freshness.stale,
    )


def describe_replay(row: ReplayRow) -> ReplayOut:
    """A replay in numbers."""
    return ReplayOut(
        replay_id=row.replay_id,
        state=row.state,
        as_of_block=row.as_of_block,
        blocks=row.blocks,
        events=row.events,
        entries=row.entries,
        discrepancies=row.discrepancies,
        problem_code=row.problem_code,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
    )


def describe_event(kind: EventKind, line: EventLine) -> EventOut:
    """One event; grants and consumptions name the releasing city."""
    city = line.releasing if isinstance(line, GrantLine | ConsumptionLine) else line.city
    place = line.place
    return EventOut(
        kind=kind.value,
        block=place.block_number,
        log_index=place.log_index,
        time=describe_time(place.block_timestamp_s),
        transaction=place.tx_hash.hex(),
        city=city,
    )
