"""Group `explore`: counts, rows and look-ups of the auditor's pages.

Buckets become ranges of blocks first (block time never runs back), so that counting walks short
ranges of covering indexes and never joins a block to a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
    union,
    union_all,
)

from ledger_node.core.types import BlockNumber, CityId, GrantId, LeafHash
from ledger_node.edges.database import tables_chain as t
from ledger_node.edges.database.chain import LOGS, build_log
from ledger_node.edges.database.chain_queries import (
    CONSUMPTIONS,
    GRANTS,
    HEADS,
    OBJECTIONS,
    PLACE_WIDTH,
    REVOCATIONS,
    STATUSES,
    build_consumption,
    build_head,
    build_objection,
    build_place,
    build_revocation,
    build_status,
    in_order,
)
from ledger_node.edges.database.exploring_links import SqlExploreLinks
from ledger_node.ports.chain import RawLog
from ledger_node.ports.database_chain import Objection, Place, StatusChange
from ledger_node.ports.database_exploring import (
    BucketActivity,
    ConsumptionLine,
    EventKind,
    EventLine,
    GrantLine,
    LineFilter,
)

TABLES: Final[Mapping[EventKind, Table]] = {
    EventKind.ANCHOR: t.chain_heads,
    EventKind.GRANT: t.chain_grants,
    EventKind.CONSUMPTION: t.chain_consumptions,
    EventKind.REVOCATION: t.chain_revocations,
    EventKind.STATUS: t.chain_statuses,
    EventKind.OBJECTION: t.chain_objections,
}
_CITIES: Final[Mapping[EventKind, tuple[str, ...]]] = {
    EventKind.ANCHOR: ("city",),
    EventKind.GRANT: ("releasing", "receiving"),
    EventKind.CONSUMPTION: (),
    EventKind.REVOCATION: ("city",),
    EventKind.STATUS: ("city",),
    EventKind.OBJECTION: ("city", "raiser"),
}
_CONSUMPTION_LINES: Final = CONSUMPTIONS.add_columns(
    t.chain_grants.c.releasing, t.chain_grants.c.receiving
).outerjoin(t.chain_grants, t.chain_grants.c.grant_id == t.chain_consumptions.c.grant_id)
_SELECTS: Final[Mapping[EventKind, Select[Any]]] = {
    EventKind.ANCHOR: HEADS,
    EventKind.GRANT: GRANTS,
    EventKind.CONSUMPTION: _CONSUMPTION_LINES,
    EventKind.REVOCATION: REVOCATIONS,
    EventKind.STATUS: STATUSES,
    EventKind.OBJECTION: OBJECTIONS,
}


class SqlExplore(SqlExploreLinks):
    """`ExploreGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._connection = connection

    def count_events(self) -> Mapping[EventKind, int]:
        """One statement over all kinds."""
        counts = union_all(
            *(
                select(literal(kind.value).label("kind"), func.count().label("rows"))
                .select_from(table)
                .group_by()
                for kind, table in TABLES.items()
            )
        )
        return {EventKind(row.kind): row.rows for row in self._connection.execute(counts)}

    def find_span(self) -> tuple[int, int] | None:
        """Over raw events, whose key begins with the block."""
        block = t.chain_events.c.block_number
        first, last = self._connection.execute(
            select(
                select(func.min(block)).scalar_subquery(), select(func.max(block)).scalar_subquery()
            )
        ).one()
        if first is None:
            return None
        rows = self._connection.execute(
            select(t.chain_blocks.c.block_timestamp_s)
            .where(t.chain_blocks.c.number.in_((first, last)))
            .order_by(t.chain_blocks.c.number)
        ).all()
        return rows[0][0], rows[-1][0]

    def find_first_block(self, at_s: int) -> BlockNumber | None:
        """By the index on block time."""
        found = self._connection.execute(_first_block_at(literal(at_s, BigInteger))).scalar()
        return None if found is None else BlockNumber(found)

    def list_activity(
        self, start_s: int, width_s: int, count: int, cities: Sequence[CityId]
    ) -> list[BucketActivity]:
        """For every bucket and city a few short ranges of covering indexes."""
        if not cities:
            return []
        bounds = _bounds()
        named = union_all(*(select(literal(city, String).label("city")) for city in cities))
        who = named.cte("cities")
        heads, grants, revocations = t.chain_heads, t.chain_grants, t.chain_revocations
        statement = (
            select(
                bounds.c.bucket,
                who.c.city,
                _count_inside(heads, bounds, heads.c.city == who.c.city),
                _count_inside(grants, bounds, grants.c.releasing == who.c.city),
                _count_inside(revocations, bounds, revocations.c.city == who.c.city),
                _last_size(bounds, who.c.city),
            )
            .select_from(bounds.join(who, true()))
            .order_by(bounds.c.bucket, who.c.city)
        )
        rows = self._connection.execute(statement, _times(start_s, width_s, count))
        return [BucketActivity(*row) for row in rows]

    def count_consumptions(self, start_s: int, width_s: int, count: int) -> list[tuple[int, int]]:
        """Ranges of the primary key."""
        bounds = _bounds()
        inside = _count_inside(t.chain_consumptions, bounds)
        statement = select(bounds.c.bucket, inside).order_by(bounds.c.bucket)
        rows = self._connection.execute(statement, _times(start_s, width_s, count))
        return [(row[0], row[1]) for row in rows]

    def list_lines(self, kind: EventKind, which: LineFilter, limit: int) -> list[EventLine]:
        """Keys first, by index; then the rows of exactly these keys."""
        table = TABLES[kind]
        keys = self._list_keys(kind, which, limit)
        if not keys:
            return []
        wanted = or_(
            *(
                and_(table.c.block_number == block, table.c.log_index == index)
                for block, index in keys
            )
        )
        newest = [each.desc() for each in in_order(table)]
        rows = self._connection.execute(_SELECTS[kind].where(wanted).order_by(*newest))
        found = {(row.block_number, row.log_index): _LINES[kind](row) for row in rows}
        return [found[key] for key in keys if key in found]

    def _list_keys(
        self, kind: EventKind, which: LineFilter, limit: int
    ) -> list[tuple[BlockNumber, int]]:
        table = TABLES[kind]
        block, index = in_order(table)
        statement = select(block, index).where(block >= which.first, block <= which.last)
        if which.before is not None:
            at, position = which.before
            statement = statement.where(
                block <= at, or_(block < at, and_(block == at, index < position))
            )
        statement = statement.order_by(block.desc(), index.desc()).limit(limit)
        cities = _CITIES[kind]
        if which.city is None or not cities:
            chosen: Any = statement
        elif len(cities) == 1:
            chosen = statement.where(table.c[cities[0]] == which.city)
        else:
            halves = [
                select(statement.where(table.c[name] == which.city).subquery(name))
                for name in cities
            ]
            both = union(*halves).subquery("both")
            chosen = (
                select(both)
                .order_by(both.c.block_number.desc(), both.c.log_index.desc())
                .limit(limit)
            )
        rows = self._connection.execute(chosen)
        return [(BlockNumber(row.block_number), row.log_index) for row in rows]

    def find_log(self, block: BlockNumber, log_index: int) -> tuple[RawLog, int] | None:
        """By primary key."""
        row = self._connection.execute(
            LOGS.where(
                t.chain_events.c.block_number == block, t.chain_events.c.log_index == log_index
            )
        ).one_or_none()
        return None if row is None else build_log(row)

    def list_logs_of_transaction(self, tx_hash: bytes) -> list[tuple[RawLog, int]]:
        """By the index on the transaction's hash."""
        statement = LOGS.where(t.chain_events.c.tx_hash == tx_hash)
        return self._list_logs(statement.order_by(*in_order(t.chain_events)))

    def list_block_logs(self, block: BlockNumber, limit: int) -> list[tuple[RawLog, int]]:
        """By primary key."""
        statement = LOGS.where(t.chain_events.c.block_number == block)
        return self._list_logs(statement.order_by(*in_order(t.chain_events)).limit(limit))

    def _list_logs(self, statement: Select[Any]) -> list[tuple[RawLog, int]]:
        return [build_log(row) for row in self._connection.execute(statement)]

    def list_leaf_statuses(self, leaf_hash: LeafHash) -> list[StatusChange]:
        """Of all cities: a leaf hash is looked up before its city is known."""
        statement = STATUSES.where(t.chain_statuses.c.leaf_hash == leaf_hash)
        rows = self._connection.execute(statement.order_by(*in_order(t.chain_statuses)))
        return [build_status(row) for row in rows]

    def list_objection_ends(self, objection: Objection) -> list[tuple[int, Place]]:
        """Numbers count per contract."""
        ends = t.chain_objection_ends
        statement = (
            LOGS.with_only_columns(ends.c.outcome, *_END_PLACE)
            .join(
                ends,
                and_(
                    ends.c.block_number == t.chain_events.c.block_number,
                    ends.c.log_index == t.chain_events.c.log_index,
                ),
            )
            .where(
                ends.c.objection_id == objection.objection_id,
                ends.c.contract == objection.place.contract,
            )
            .order_by(*in_order(ends))
        )
        return [(row[0], build_place(row[1:])) for row in self._connection.execute(statement)]


_END_PLACE: Final = (
    t.chain_events.c.block_number,
    t.chain_blocks.c.hash,
    t.chain_blocks.c.block_timestamp_s,
    t.chain_events.c.tx_hash,
    t.chain_events.c.log_index,
    t.chain_events.c.contract,
)


def _first_block_at(at_s: ColumnElement[int]) -> Select[Any]:
    blocks = t.chain_blocks
    return (
        select(blocks.c.number)
        .where(blocks.c.block_timestamp_s >= at_s)
        .order_by(blocks.c.block_timestamp_s, blocks.c.number)
        .limit(1)
    )


def _bounds() -> CTE:
    """(bucket, first block, last block) of every bucket that holds a block; one walk over the
    index on block time."""
    blocks, start_s = t.chain_blocks, bindparam("start_s", type_=BigInteger)
    bucket = (
        (blocks.c.block_timestamp_s - start_s) // bindparam("width_s", type_=BigInteger)
    ).label("bucket")
    return (
        select(
            bucket,
            func.min(blocks.c.number).label("first"),
            func.max(blocks.c.number).label("last"),
        )
        .where(
            blocks.c.block_timestamp_s >= start_s,
            blocks.c.block_timestamp_s < bindparam("end_s", type_=BigInteger),
        )
        .group_by(bucket)
        .cte("bounds")
    )


def _times(start_s: int, width_s: int, count: int) -> dict[str, int]:
    return {"start_s": start_s, "width_s": width_s, "end_s": start_s + count * width_s}


def _count_inside(table: Table, bounds: CTE, *where: ColumnElement[bool]) -> ColumnElement[int]:
    block = table.c.block_number
    return (
        select(func.count())
        .select_from(table)
        .where(block >= bounds.c.first, block <= bounds.c.last, *where)
        .scalar_subquery()
    )


def _last_size(bounds: CTE, city: ColumnElement[str]) -> ColumnElement[int]:
    heads = t.chain_heads
    block = heads.c.block_number
    return (
        select(heads.c.size)
        .where(heads.c.city == city, block >= bounds.c.first, block <= bounds.c.last)
        .order_by(*(each.desc() for each in in_order(heads)))
        .limit(1)
        .scalar_subquery()
    )


def _grant_line(row: Any) -> GrantLine:
    grant_id, releasing, receiving, recorder, begins_s, ends_s, uses, basis, _ = row[PLACE_WIDTH:]
    return GrantLine(
        GrantId(grant_id),
        CityId(releasing),
        CityId(receiving),
        CityId(recorder),
        begins_s,
        ends_s,
        uses,
        basis,
        build_place(row),
    )


def _consumption_line(row: Any) -> ConsumptionLine:
    *known, releasing, receiving = row
    return ConsumptionLine(
        build_consumption(known),
        None if releasing is None else CityId(releasing),
        None if receiving is None else CityId(receiving),
    )


_LINES: Final[Mapping[EventKind, Callable[[Any], EventLine]]] = {
    EventKind.ANCHOR: build_head,
    EventKind.GRANT: _grant_line,
    EventKind.CONSUMPTION: _consumption_line,
    EventKind.REVOCATION: build_revocation,
    EventKind.STATUS: build_status,
    EventKind.OBJECTION: build_objection,
}
