"""What everybody may know: members, the log; and what auditors see."""

from __future__ import annotations

from datetime import datetime

from api.schemas.common import Answer, Block, CityCode, Hex32, Page


class MemberOut(Answer):
    """A member city."""

    city: CityCode
    good_standing: bool
    url: str | None
    anchored_size: int | None
    anchor: Block | None


class Members(Answer):
    """All members at the followed block."""

    block: int
    time: datetime
    items: list[MemberOut]


class LogOut(Answer):
    """This city's log and where any C2SP client reads it."""

    origin: str
    generation: int
    size: int
    waiting: int
    anchored_size: int
    checkpoint_url: str
    tile_url: str


class FollowedHead(Answer):
    """How far this node followed the chain."""

    number: int
    hash: Hex32
    time: datetime
    final_number: int
    block_age_s: int
    observed_age_s: int
    stale: bool


class HaltOut(Answer):
    """A halt; a person clears it."""

    reason: str
    latched_at: datetime
    cleared_at: datetime | None


class OverdueOut(Answer):
    """A release the chain permitted and nobody acknowledged."""

    release_id: Hex32
    city: CityCode
    grant_id: Hex32
    state: str
    updated_at: datetime


class ReplayOut(Answer):
    """The newest replay somebody asked for."""

    replay_id: int
    state: str
    as_of_block: int | None
    blocks: int | None
    events: int | None
    entries: int | None
    discrepancies: int | None
    problem_code: str | None
    requested_at: datetime
    finished_at: datetime | None


class AuditOut(Answer):
    """The state of the ledger as this node followed it; no person in it."""

    head: FollowedHead | None
    counts: dict[str, int]
    halts: list[HaltOut]
    unacknowledged: list[OverdueOut]
    replay: ReplayOut | None


class EventOut(Answer):
    """One event of the chain, as derived."""

    kind: str
    block: int
    log_index: int
    time: datetime
    transaction: Hex32
    city: CityCode | None


class EventPage(Page):
    """Newest first."""

    items: list[EventOut]
