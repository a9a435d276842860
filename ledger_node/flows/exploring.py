"""What an auditor sees at a glance: members, logs, halts, events over time, rows. Step 11.

Reads the shared part only (derived tables, members, the public log) and which releases are
overdue; no person, no statement, no evidence. Counting is the database's work.

Not here: one material or grant (exploring_histories.py), replays (replaying.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ledger_node.core.buckets import Buckets, Range, choose_buckets
from ledger_node.core.consortium import Consortium, Registration
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.event_types import ContractRole
from ledger_node.core.grant import MAX_HEAD_SKEW_S
from ledger_node.core.types import BlockNumber, CityId
from ledger_node.flows.directory import load_consortium
from ledger_node.flows.facts import NotFollowedError
from ledger_node.flows.node import Node
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import AnchoredHead, FollowedTip
from ledger_node.ports.database_exploring import (
    BucketActivity,
    EventKind,
    EventLine,
    LineFilter,
    ReleaseLink,
    ReplayRow,
    RowPlace,
)
from ledger_node.ports.database_log import Halt

LINES_PER_PAGE = 50
LINES_PER_READ = 1000
OVERDUE = timedelta(minutes=10)
MAX_OVERDUE = 50
MAX_HALTS = 50
LAST_BLOCK = BlockNumber(2**62)


class MalformedCursorError(MalformedInputError):
    """A page of rows was asked for from a place that is none."""

    code = "cursor_malformed"

    def __init__(self) -> None:
        super().__init__(
            "翻页位置不合格，请回到第一页。", "This place is none to go on from; begin again."
        )


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the chain was followed, and how old that is.

    Attributes:
        tip: As followed.
        block_age_s: Since the newest block was made.
        observed_age_s: Since the endpoint last answered.
    """

    tip: FollowedTip
    block_age_s: int
    observed_age_s: int

    @property
    def stale(self) -> bool:
        """Older than a decision may stand on."""
        return max(self.block_age_s, self.observed_age_s) > MAX_HEAD_SKEW_S


@dataclass(frozen=True, slots=True)
class MemberLog:
    """A member city and its newest anchored head.

    Attributes:
        city, good, url: Code, good standing, address.
        anchor: Newest final anchor; None before the first.
        anchor_age_s: Of its block; None likewise.
        size: Leaves that have an index; known of this city only.
        waiting: Entries without an index; likewise.
    """

    city: CityId
    good: bool
    url: str | None
    anchor: AnchoredHead | None
    anchor_age_s: int | None
    size: int | None = None
    waiting: int | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of the ledger as this node followed it.

    Attributes:
        freshness: None while nothing was followed.
        members: By city.
        counts: Events by kind.
        halts: Standing ones first, then cleared ones, newest first.
        overdue: Releases permitted and not acknowledged within ten minutes.
        replay: The newest one asked for.
    """

    freshness: Freshness | None
    members: tuple[MemberLog, ...]
    counts: Mapping[EventKind, int]
    halts: tuple[Halt, ...]
    overdue: tuple[ReleaseLink, ...]
    replay: ReplayRow | None


def load_overview(node: Node) -> Overview:
    """Everything of the first page; readable while the chain is down."""
    now = node.clock.now()
    with node.database.read() as tx:
        tip = tx.chain.load_tip()
        halts = tx.log.list_halts(standing_only=False)
        halts.sort(key=lambda halt: (halt.cleared_at is not None, -halt.halt_id))
        replays = tx.replays.list_replays(None, 1)
        return Overview(
            freshness=None if tip is None else _freshness(node, tip),
            members=() if tip is None else _list_member_logs(node, tx, tip),
            counts=tx.explore.count_events(),
            halts=tuple(halts[:MAX_HALTS]),
            overdue=tuple(tx.explore.list_overdue_releases(now - OVERDUE, MAX_OVERDUE)),
            replay=replays[0] if replays else None,
        )


def load_freshness(node: Node) -> Freshness | None:
    """How old what the other pages show is; None while nothing was followed."""
    with node.database.read() as tx:
        tip = tx.chain.load_tip()
    return None if tip is None else _freshness(node, tip)


def _freshness(node: Node, tip: FollowedTip) -> Freshness:
    now = node.clock.now()
    return Freshness(
        tip,
        max(0, int(now.timestamp()) - tip.head_timestamp_s),
        max(0, int((now - tip.observed_at).total_seconds())),
    )


def _list_member_logs(node: Node, tx: Transaction, tip: FollowedTip) -> tuple[MemberLog, ...]:
    consortium = load_consortium(tx)
    now_s = int(node.clock.now().timestamp())
    logs = []
    for city in sorted(consortium.members):
        anchor = tx.chain.find_latest_head(city)
        age_s = None if anchor is None else max(0, now_s - anchor.place.block_timestamp_s)
        log = MemberLog(
            city,
            consortium.in_good_standing(city, tip.number),
            consortium.url_of(city, tip.block_timestamp_s),
            anchor,
            age_s,
        )
        if city == node.city:
            log = replace(log, size=tx.log.load_head().size, waiting=tx.log.count_pending())
        logs.append(log)
    return tuple(logs)


@dataclass(frozen=True, slots=True)
class Membership:
    """Members with their keys over time, and contracts, at the followed tip."""

    consortium: Consortium
    block: BlockNumber
    block_timestamp_s: int

    @property
    def contracts(self) -> tuple[tuple[ContractRole, Registration, bool], ...]:
        """(role, registration, in force now), in order of role and block."""
        return tuple(
            (
                role,
                registration,
                self.consortium.contract_at(role, self.block) == registration.address,
            )
            for role, registrations in sorted(self.consortium.contracts.items())
            for registration in registrations
        )


def load_membership(node: Node) -> Membership:
    """Members and contracts.

    Raises:
        NotFollowedError: Nothing was followed yet.
    """
    with node.database.read() as tx:
        tip = tx.chain.load_tip()
        if tip is None:
            raise NotFollowedError
        return Membership(load_consortium(tx), tip.number, tip.block_timestamp_s)


@dataclass(frozen=True, slots=True)
class Activity:
    """Events over time.

    Attributes:
        buckets: The time axis.
        cities: Members by code.
        rows: Per bucket and city; buckets without a block are left out.
        consumptions: Per bucket, likewise.
        before: Size of the head each city held before the first bucket.
    """

    buckets: Buckets
    cities: tuple[CityId, ...]
    rows: tuple[BucketActivity, ...]
    consumptions: tuple[tuple[int, int], ...]
    before: Mapping[CityId, int]


def load_activity(node: Node, wanted: Range) -> Activity:
    """Anchors, grants, consumptions and revocations of a range that ends now.

    Raises:
        NotFollowedError: Nothing was followed yet.
    """
    with node.database.read() as tx:
        tip = tx.chain.load_tip()
        if tip is None:
            raise NotFollowedError
        now_s = max(int(node.clock.now().timestamp()), tip.block_timestamp_s)
        span = tx.explore.find_span()
        buckets = choose_buckets(wanted, now_s if span is None else span[0], now_s)
        times = (buckets.start_s, buckets.width_s, buckets.count)
        cities = sorted(load_consortium(tx).members)
        return Activity(
            buckets=buckets,
            cities=tuple(cities),
            rows=tuple(tx.explore.list_activity(*times, cities)),
            consumptions=tuple(tx.explore.count_consumptions(*times)),
            before=_list_sizes_before(tx, buckets.start_s, cities),
        )


def _list_sizes_before(tx: Transaction, at_s: int, cities: Sequence[CityId]) -> dict[CityId, int]:
    first = tx.explore.find_first_block(at_s)
    last = LAST_BLOCK if first is None else BlockNumber(first - 1)
    sizes = {}
    for city in cities:
        which = LineFilter(city, BlockNumber(0), last)
        for line in tx.explore.list_lines(EventKind.ANCHOR, which, 1):
            assert isinstance(line, AnchoredHead)
            sizes[city] = int(line.tree_head.size)
    return sizes


@dataclass(frozen=True, slots=True)
class EventPage:
    """Rows of one kind, newest first, and where the next page begins."""

    lines: tuple[EventLine, ...]
    next_before: RowPlace | None


def list_events(
    node: Node,
    kind: EventKind,
    *,
    city: CityId | None = None,
    from_s: int | None = None,
    until_s: int | None = None,
    before: RowPlace | None = None,
) -> EventPage:
    """One page of rows.

    Args:
        from_s, until_s: Block times `from_s <= t < until_s`.
        before: As the page before said.
    """
    with node.database.read() as tx:
        which = _filter(tx, city, from_s, until_s, before)
        lines = tx.explore.list_lines(kind, which, LINES_PER_PAGE + 1)
    shown = tuple(lines[:LINES_PER_PAGE])
    more = len(lines) > LINES_PER_PAGE
    return EventPage(shown, _place_of(shown[-1]) if more else None)


def iterate_events(
    node: Node,
    kind: EventKind,
    *,
    city: CityId | None = None,
    from_s: int | None = None,
    until_s: int | None = None,
) -> Iterator[EventLine]:
    """All final rows, newest first, read some at a time; what comes later is not in it."""
    with node.database.read() as tx:
        which = _filter(tx, city, from_s, until_s, None)
        tip = tx.chain.load_tip()
    if tip is None:
        return
    which = replace(which, last=min(which.last, tip.final_number))
    while True:
        with node.database.read() as tx:
            lines = tx.explore.list_lines(kind, which, LINES_PER_READ)
        yield from lines
        if len(lines) < LINES_PER_READ:
            return
        which = replace(which, before=_place_of(lines[-1]))


def _filter(
    tx: Transaction,
    city: CityId | None,
    from_s: int | None,
    until_s: int | None,
    before: RowPlace | None,
) -> LineFilter:
    first, last = BlockNumber(0), LAST_BLOCK
    if from_s is not None:
        found = tx.explore.find_first_block(from_s)
        first = LAST_BLOCK if found is None else found
    if until_s is not None:
        found = tx.explore.find_first_block(until_s)
        last = LAST_BLOCK if found is None else BlockNumber(found - 1)
    return LineFilter(city, first, last, before)


def _place_of(line: EventLine) -> RowPlace:
    return line.place.block_number, line.place.log_index


def encode_cursor(place: RowPlace) -> str:
    """A place as it stands in an address: `<block>.<log index>`."""
    return f"{place[0]}.{place[1]}"


def parse_cursor(text: str) -> RowPlace:
    """Read a place.

    Raises:
        MalformedCursorError: It is none.
    """
    block, _, index = text.partition(".")
    if not (_is_number(block) and _is_number(index)):
        raise MalformedCursorError
    return BlockNumber(int(block)), int(index)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 12


def list_members(node: Node) -> list[CityId]:
    """Member cities by code."""
    with node.database.read() as tx:
        return sorted(load_consortium(tx).members)
