"""Group `cases` on both databases: revisions, cursors, links that count once, numbers, reviews."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_node.core.errors import NotFoundError
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_cases import CaseLinkRow, CaseReviewRow, CaseRow, CaseStepRow

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CASE = CaseRow(
    "c1", "zongchuang", "MY1", "a1", "hall", "03", "A042", "received", "已收件", 0,
    b"d" * 32, b"t" * 32, b"sealed", NOW, NOW,
)  # fmt: skip
LINK = CaseLinkRow(b"l" * 32, "c1", "a1", NOW + timedelta(minutes=1))


def test_update_case_from_an_older_revision_changes_nothing(database: Any) -> None:
    first = replace(CASE, stage="accepted", revision=1)
    with database.transaction() as tx:
        tx.cases.save_case(CASE)
        assert tx.cases.update_case(first, 0)
        assert not tx.cases.update_case(replace(CASE, stage="withdrawn", revision=1), 0)
    with database.read() as tx:
        assert tx.cases.load_case("c1") == first
        assert tx.cases.find_case("zongchuang", "MY1") == first
        assert tx.cases.find_case("own", "MY1") is None
        assert tx.cases.list_cases_of_number("MY1") == [first]
        assert tx.cases.list_cases_of_number("MY0") == []
        with pytest.raises(NotFoundError):
            tx.cases.load_case("c2")


def test_save_case_of_a_taken_number_is_a_conflict(database: Any) -> None:
    with database.transaction() as tx:
        tx.cases.save_case(CASE)
        tx.cases.save_case(replace(CASE, case_id="c2", system="own"))
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.cases.save_case(replace(CASE, case_id="c3"))


def test_list_cases_pages_by_time_and_id_and_narrows(database: Any) -> None:
    rows = [
        replace(CASE, case_id=f"c{n}", number=f"MY{n}", updated_at=NOW + timedelta(seconds=n // 2))
        for n in range(5)
    ]
    with database.transaction() as tx:
        for row in rows:
            tx.cases.save_case(row)
        tx.cases.save_case(
            replace(CASE, case_id="x", number="X", outlet="east", account_id="a2", stage="granted")
        )
    with database.read() as tx:
        seen: list[str] = []
        before = None
        while page := tx.cases.list_cases("hall", None, None, before, 2):
            seen += [row.case_id for row in page]
            before = (page[-1].updated_at, page[-1].case_id)
        assert seen == ["c4", "c3", "c2", "c1", "c0"]
        assert [row.case_id for row in tx.cases.list_cases("east", None, None, None, 9)] == ["x"]
        assert [row.case_id for row in tx.cases.list_cases(None, "a2", None, None, 9)] == ["x"]
        assert tx.cases.list_cases("hall", None, "granted", None, 9) == []


def test_steps_and_receipts_stand_once_in_their_order(database: Any) -> None:
    steps = [CaseStepRow("c1", n, NOW, "a1", "accept", "accepted", None) for n in range(3)]
    with database.transaction() as tx:
        tx.cases.save_case(CASE)
        for step in reversed(steps):
            tx.cases.save_step(step)
        for receipt in ("r2", "r1", "r2"):
            tx.cases.link_receipt("c1", receipt)
    with database.read() as tx:
        assert tx.cases.list_steps("c1") == steps
        assert tx.cases.list_receipts("c1") == ["r1", "r2"]
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.cases.save_step(steps[1])


def race(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0)` … at once and give what came of each."""
    gate = threading.Barrier(count)

    def run(number: int) -> Any:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_take_link_by_two_at_once_opens_for_one(open_test_database: Callable[[], Any]) -> None:
    databases = [open_test_database() for _ in range(2)]
    with databases[0].transaction() as tx:
        tx.cases.save_case(CASE)
        tx.cases.save_link(LINK)

    def take(number: int) -> Any:
        with databases[number].transaction() as tx:
            return tx.cases.take_link(LINK.token_hash)

    assert sorted(race(2, take), key=bool) == [None, LINK]
    with databases[0].transaction() as tx:
        assert tx.cases.take_link(LINK.token_hash) is None


def test_take_serial_under_concurrency_gives_every_number_once(
    open_test_database: Callable[[], Any],
) -> None:
    databases = [open_test_database() for _ in range(4)]

    def take(number: int) -> list[int]:
        taken = []
        for _ in range(10):
            with databases[number].transaction() as tx:
                taken.append(tx.cases.take_serial("hall", "20260302"))
        return taken

    numbers = [each for taken in race(4, take) for each in taken]
    assert sorted(numbers) == list(range(1, 41))
    with suppress(RuntimeError), databases[0].transaction() as tx:
        assert tx.cases.take_serial("hall", "20260302") == 41
        raise RuntimeError
    with databases[0].transaction() as tx:
        assert tx.cases.take_serial("hall", "20260302") == 41, "not committed: not taken"
        assert tx.cases.take_serial("hall", "20260303") == 1
        assert tx.cases.take_serial("east", "20260302") == 1


def test_reviews_wait_once_and_go_to_one_of_several(
    open_test_database: Callable[[], Any],
) -> None:
    databases = [open_test_database() for _ in range(2)]
    waiting = [
        CaseReviewRow("c1", "r1", "a1", NOW + timedelta(seconds=1)),
        CaseReviewRow("c2", None, "a1", NOW),
    ]
    with databases[0].transaction() as tx:
        for number, row in enumerate(waiting):
            tx.cases.save_case(replace(CASE, case_id=row.case_id, number=f"MY{number}"))
            tx.cases.save_review(row)
    with pytest.raises(RowConflictError), databases[0].transaction() as tx:
        tx.cases.save_review(replace(waiting[0], run_id=None))
    with databases[0].read() as tx:
        assert tx.cases.list_reviews(9) == [waiting[1], waiting[0]]
        assert tx.cases.find_review("c1") == waiting[0]

    def take(number: int) -> bool:
        with databases[number].transaction() as tx:
            return bool(tx.cases.drop_review("c1"))

    assert sorted(race(2, take)) == [False, True]
    with databases[0].read() as tx:
        assert tx.cases.find_review("c1") is None
        assert tx.cases.list_reviews(9) == [waiting[1]]


def test_events_due_pulled_and_given_up(database: Any) -> None:
    later = NOW + timedelta(minutes=1)
    with database.transaction() as tx:
        first = tx.cases.add_event("zongchuang", "c1", b"1", NOW, NOW)
        second = tx.cases.add_event("zongchuang", "c1", b"2", NOW, later)
        other = tx.cases.add_event("folder", "c2", b"3", NOW, NOW)
        assert first < second < other
    with database.read() as tx:
        assert [row.event_id for row in tx.cases.list_due_events(NOW, 9)] == [first, other]
        assert [row.event_id for row in tx.cases.list_due_events(later, 2)] == [first, second]
        pulled = tx.cases.list_events_after("zongchuang", first, 9)
        assert [(row.event_id, row.body, row.attempts) for row in pulled] == [(second, b"2", 0)]
    with database.transaction() as tx:
        tx.cases.mark_event(first, attempts=40, next_at=None, delivered_at=None, problem="HTTP 503")
        tx.cases.mark_event(second, attempts=1, next_at=None, delivered_at=NOW, problem=None)
        assert tx.cases.count_dead_events("zongchuang") == 1
        assert tx.cases.count_dead_events("folder") == 0
        assert [row.event_id for row in tx.cases.list_due_events(later, 9)] == [other]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_list_events_after_never_steps_over_an_event_committed_later(
    open_test_database: Callable[[], Any],
) -> None:
    """Whoever adds an event waits for the one before to be committed: ids appear in order."""
    slow, fast, reader = (open_test_database() for _ in range(3))
    second_done = threading.Event()

    def add_second() -> None:
        with fast.transaction() as tx:
            tx.cases.add_event("zongchuang", "c1", b"2", NOW, None)
        second_done.set()

    with slow.transaction() as tx:
        tx.cases.add_event("zongchuang", "c1", b"1", NOW, None)
        thread = threading.Thread(target=add_second)
        thread.start()
        assert not second_done.wait(0.3)
        with reader.read() as looking:
            assert looking.cases.list_events_after("zongchuang", 0, 9) == []
    thread.join(10)
    with reader.read() as looking:
        bodies = [row.body for row in looking.cases.list_events_after("zongchuang", 0, 9)]
    assert bodies == [b"1", b"2"]
