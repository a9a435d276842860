"""Group `explore` on both databases: counts against a plain count, pages against the whole list."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ledger_node.core.types import BlockNumber, CityId, Commitment, GrantId
from ledger_node.edges.database.engine import build_engine
from ledger_node.ports.database_exchange import ReleaseRow
from ledger_node.ports.database_exploring import EventKind, LineFilter, RowPlace
from tests.support.ledger_rows import CITIES, SPACING_S, digest, fill_ledger

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
EVENTS = 600
WIDTH_S = 20 * SPACING_S
COUNT = 7
START_S = NOW_S + 1 - COUNT * WIDTH_S
TABLES = {
    EventKind.ANCHOR: "chain_heads",
    EventKind.GRANT: "chain_grants",
    EventKind.CONSUMPTION: "chain_consumptions",
    EventKind.REVOCATION: "chain_revocations",
}


@pytest.fixture
def rows(database: Any, database_url: str) -> Any:
    """A filled database, and plain SQL on it with nothing of ours in between."""
    fill_ledger(database_url, EVENTS, NOW)
    engine = build_engine(database_url)
    with engine.connect() as connection:
        yield lambda sql: connection.execute(text(sql)).all()
    engine.dispose()


def test_count_events_counts_every_row(database: Any, rows: Any) -> None:
    with database.read() as tx:
        counts = tx.explore.count_events()
    for kind, table in TABLES.items():
        assert counts[kind] == rows(f"select count(*) from {table}")[0][0] > 0
    assert sum(counts.values()) == EVENTS
    assert counts[EventKind.OBJECTION] == 0


def test_list_activity_equals_a_plain_count(database: Any, rows: Any) -> None:
    times = dict(rows("select number, block_timestamp_s from chain_blocks"))
    expected: dict[str, Counter[tuple[int, str]]] = {}
    sizes: dict[tuple[int, str], int] = {}
    for name, column, table in (
        ("anchors", "city", "chain_heads"),
        ("grants", "releasing", "chain_grants"),
        ("revocations", "city", "chain_revocations"),
    ):
        counted = expected.setdefault(name, Counter())
        for block, city in rows(f"select block_number, {column} from {table}"):
            if times[block] >= START_S:
                counted[(times[block] - START_S) // WIDTH_S, city] += 1
    for block, city, size in rows(
        "select block_number, city, size from chain_heads order by block_number, log_index"
    ):
        if times[block] >= START_S:
            sizes[(times[block] - START_S) // WIDTH_S, city] = size
    with database.read() as tx:
        found = tx.explore.list_activity(START_S, WIDTH_S, COUNT, CITIES)
    for name, counted in expected.items():
        got = {(e.bucket, e.city): getattr(e, name) for e in found if getattr(e, name)}
        assert got == counted
        assert len(counted) > 5
    assert {(e.bucket, e.city): e.head_size for e in found if e.head_size} == sizes


def test_count_consumptions_equals_a_plain_count(database: Any, rows: Any) -> None:
    times = dict(rows("select number, block_timestamp_s from chain_blocks"))
    expected: Counter[int] = Counter()
    for (block,) in rows("select block_number from chain_consumptions"):
        if times[block] >= START_S:
            expected[(times[block] - START_S) // WIDTH_S] += 1
    with database.read() as tx:
        found = dict(tx.explore.count_consumptions(START_S, WIDTH_S, COUNT))
    assert Counter(found) == expected
    assert len(expected) > 5


def test_list_activity_the_block_on_an_edge_belongs_to_the_later_bucket(
    database: Any, rows: Any
) -> None:
    (at_s,) = rows("select block_timestamp_s from chain_blocks where number = 50")[0]
    events = rows("select count(*) from chain_grants where block_number = 50")[0][0]
    with database.read() as tx:
        before = tx.explore.list_activity(at_s - 1, 1, 1, CITIES)
        behind = tx.explore.list_activity(at_s, 1, 1, CITIES)
    assert before == []
    assert sum(each.grants for each in behind) == events > 0


def test_list_activity_outside_of_the_chain_is_empty(database: Any, rows: Any) -> None:
    del rows
    with database.read() as tx:
        assert tx.explore.list_activity(NOW_S + 1, 98, 1, CITIES) == []
        assert tx.explore.list_activity(0, 10, 3, CITIES) == []
        assert tx.explore.list_activity(START_S, WIDTH_S, COUNT, []) == []
        assert tx.explore.count_consumptions(0, 10, 3) == []


@pytest.mark.parametrize("city", [None, CityId(CITIES[2])])
@pytest.mark.parametrize("kind", [EventKind.GRANT, EventKind.REVOCATION])
def test_list_lines_pages_put_together_are_the_whole_list(
    database: Any, rows: Any, kind: EventKind, city: CityId | None
) -> None:
    condition = "true"
    if city is not None:
        columns = ("releasing", "receiving") if kind is EventKind.GRANT else ("city",)
        condition = " or ".join(f"{column} = '{city}'" for column in columns)
    expected = rows(
        f"select block_number, log_index from {TABLES[kind]} where {condition}"
        " order by block_number desc, log_index desc"
    )
    seen: list[RowPlace] = []
    before = None
    with database.read() as tx:
        for _ in range(EVENTS):
            which = LineFilter(city, BlockNumber(0), BlockNumber(10**9), before)
            page = tx.explore.list_lines(kind, which, 4)
            seen += [(line.place.block_number, line.place.log_index) for line in page]
            if len(page) < 4:
                break
            before = seen[-1]
    assert seen == [tuple(row) for row in expected]
    assert len(seen) == len(set(seen)) > 4


def test_list_lines_between_blocks_takes_both_ends(database: Any, rows: Any) -> None:
    with database.read() as tx:
        which = LineFilter(None, BlockNumber(40), BlockNumber(41))
        found = tx.explore.list_lines(EventKind.GRANT, which, 100)
    blocks = {line.place.block_number for line in found}
    expected = rows("select count(*) from chain_grants where block_number between 40 and 41")
    assert blocks == {40, 41}
    assert len(found) == expected[0][0]


def test_list_lines_consumption_of_an_unknown_grant_is_listed_without_cities(
    database: Any, rows: Any
) -> None:
    del rows
    with database.read() as tx:
        which = LineFilter(None, BlockNumber(0), BlockNumber(10**9))
        found = tx.explore.list_lines(EventKind.CONSUMPTION, which, EVENTS)
    assert {line.releasing for line in found} >= {CITIES[0]}


def test_find_between_prefix_of_any_length_finds_exactly_its_hashes(
    database: Any, rows: Any
) -> None:
    wanted = digest("grant", 3)
    for digits in (6, 7, 64):
        prefix = wanted.hex()[:digits]
        with database.read() as tx:
            found = tx.explore.find_between(
                bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f")), 20
            )
        expected = [bytes(r[0]) for r in rows("select grant_id from chain_grants")]
        assert list(found.grants) == sorted(e for e in expected if e.hex().startswith(prefix))
        assert wanted in found.grants
    assert found.transactions == found.blocks == found.entries == found.leaves == ()


def test_find_between_finds_transactions_blocks_and_releases_with_where_they_stand(
    database: Any, rows: Any
) -> None:
    del rows
    with database.read() as tx:
        for value, expected in (
            (digest("tx", 9, 1), ("transactions", 9)),
            (digest("block", 9), ("blocks", 9)),
            (digest("release", 5), ("consumptions", digest("grant", 5))),
        ):
            found = tx.explore.find_between(value, value, 5)
            assert getattr(found, expected[0]) == ((value, expected[1]),)


def test_find_log_and_logs_of_a_transaction_are_those_at_the_place(
    database: Any, rows: Any
) -> None:
    del rows
    with database.read() as tx:
        log, at_s = tx.explore.find_log(BlockNumber(9), 1)
        assert (log.tx_hash, log.block_number, log.log_index) == (digest("tx", 9, 1), 9, 1)
        assert tx.explore.list_logs_of_transaction(digest("tx", 9, 1)) == [(log, at_s)]
        assert (log, at_s) in tx.explore.list_block_logs(BlockNumber(9), 10)
        assert tx.explore.find_log(BlockNumber(9), 99) is None


def test_find_span_is_the_first_and_last_block_with_an_event(database: Any, rows: Any) -> None:
    times = rows("select min(block_timestamp_s), max(block_timestamp_s) from chain_blocks")
    with database.read() as tx:
        assert tx.explore.find_span() == tuple(times[0])


def test_find_span_empty_database_has_none(database: Any) -> None:
    with database.read() as tx:
        assert tx.explore.find_span() is None
        assert tx.explore.find_first_block(0) is None


def release(number: int, state: str, age: timedelta) -> ReleaseRow:
    return ReleaseRow(
        request_digest=digest("request", number),
        direction="outgoing",
        city=CityId("510700"),
        grant_id=GrantId(digest("grant", 1)),
        state=state,
        request=b"{}",
        request_message=b"",
        answer=None,
        answer_message=None,
        release_salt=None,
        release_commitment=None,
        sealed_secrets=None,
        acknowledgement=None,
        outbox_id=None,
        problem_code=None,
        created_at=NOW - age,
        updated_at=NOW - age,
    )


def test_list_overdue_releases_names_permitted_ones_nobody_acknowledged(database: Any) -> None:
    old, young = timedelta(minutes=11), timedelta(minutes=9)
    given = [
        ("confirmed", old), ("sent", old), ("closed", old), ("acknowledged", old),
        ("answered", old), ("sent", young),
    ]  # fmt: skip
    with database.transaction() as tx:
        for number, (state, age) in enumerate(given):
            tx.releases.save_release(release(number, state, age))
    with database.read() as tx:
        overdue = tx.explore.list_overdue_releases(NOW - timedelta(minutes=10), 10)
    assert sorted(each.state for each in overdue) == ["closed", "confirmed", "sent"]


def test_list_releases_of_material_follows_the_link_both_ways(database: Any) -> None:
    row, commitment = release(1, "sent", timedelta()), Commitment(digest("material"))
    with database.transaction() as tx:
        tx.releases.save_release(row)
        tx.releases.save_release(release(2, "sent", timedelta()))
        tx.releases.link_material(row.request_digest, commitment)
    with database.read() as tx:
        (link,) = tx.explore.list_releases_of_material(commitment, 10)
        assert (link.request_digest, link.grant_id) == (row.request_digest, row.grant_id)
        assert len(tx.explore.list_releases_of_grant(row.grant_id, 10)) == 2
        assert tx.explore.list_materials_of_release(row.request_digest) == [commitment]


def test_list_newest_heads_equals_a_plain_maximum_over_final_blocks(
    database: Any, rows: Any
) -> None:
    ((final,),) = rows("select final_number from chain_following")
    expected: dict[tuple[str, int], list[tuple[int, bytes]]] = {}
    for city, generation, size, root in rows(
        f"select city, generation, size, root from chain_heads where block_number <= {final}"
    ):
        expected.setdefault((city, generation), []).append((size, bytes(root)))
    with database.read() as tx:
        newest = tx.mirrors.list_newest_heads()
        assert {
            (each.city, each.generation): (each.tree_head.size, each.tree_head.root)
            for each in newest
        } == {log: max(heads) for log, heads in expected.items()}
        assert len(newest) >= 2
        for (city, generation), heads in expected.items():
            below, above = min(heads)[0], max(heads)[0]
            between = tx.mirrors.list_heads_between(city, generation, below, above)
            assert [(each.size, each.root) for each in between] == sorted(set(heads))[1:]
