"""Cases of a city without a case system: numbers, visits that move them on, review by another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ledger_node.core.case import CaseDraft, CaseEvent, CaseStage, write_day
from ledger_node.core.errors import ConflictError, IllegalTransitionError, NotFoundError
from ledger_node.core.reuse import RunState, StepState
from ledger_node.core.types import CityId, GrantId
from ledger_node.core.visit import IdentifiedBy
from ledger_node.flows import window_cases
from ledger_node.flows.case_review import (
    CaseNotOpenError,
    ReviewTakenError,
    list_waiting,
    recall_review,
    send_to_review,
    send_visit_to_review,
    take_review,
)
from ledger_node.flows.cases import Case, list_case_steps, load_case, move_case, open_case
from ledger_node.flows.deciding import NothingToDecideError, close_run
from ledger_node.flows.reusing import ReuseTurns
from ledger_node.flows.window import (
    Clerk,
    Run,
    build_visit,
    choose_service,
    load_run,
    open_run,
)
from ledger_node.flows.window_cases import advance_own_case, ensure_case, resume_case_steps
from ledger_node.ports.database_reuse import StepRow
from ledger_node.running import take_reuse_turn
from ledger_node.seed import load_catalogue
from tests.integration.processes import DIED, fork, wait
from tests.support.hall import OUTLET, PERSON, Hall, make_account, open_hall

pytestmark = pytest.mark.integration
ITEM = "ssc-query"  # needs the card that was read, and nothing else
CLERK = Clerk("account-1", "registrar-01")
REVIEWER = Clerk("account-2", "reviewer-01")


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with open_hall(tmp_path) as opened:
        yield opened


def draft(outlet: str | None = OUTLET) -> CaseDraft:
    return CaseDraft(ITEM, PERSON, None, None, outlet, None, None, "received")


def identify(hall: Hall, item: str = ITEM) -> Run:
    """A card is read and the service chosen."""
    node = hall.runtime.node
    visit = build_visit(node, PERSON, IdentifiedBy.CARD, device="sim")
    run = load_run(node, open_run(node, CLERK, visit), CLERK.account_id)
    return choose_service(node, run, load_catalogue(), item, ())


def close_visit(hall: Hall, item: str = ITEM) -> Run:
    """A visit that ended, its process killed before the case could be moved on."""
    node = hall.runtime.node
    return close_run(node, ensure_case(node, identify(hall, item), outlet=OUTLET))


def stage_of(hall: Hall, run: Run) -> CaseStage:
    return load_case(hall.runtime.node, run.row.case_id or "").stage


def test_new_cases_are_numbered_by_outlet_and_day(hall: Hall) -> None:
    client = hall.sign_in("registrar")
    form = {"item": ITEM, "name": PERSON.name, "number": PERSON.number}
    refused = client.post("/cases/new", data=form | {"number": "510107199003070040"})
    assert refused.status_code == 422
    pages = [client.post("/cases/new", data=form) for _ in range(2)]
    assert [each.status_code for each in pages] == [303, 303]
    node = hall.runtime.node
    rows = [load_case(node, each.headers["location"].rpartition("/")[2]).row for each in pages]
    day = write_day(rows[0].created_at)
    assert [row.number for row in rows] == [f"{OUTLET}-{day}-0001", f"{OUTLET}-{day}-0002"]
    other = open_case(node, draft(None), "account-1")
    assert other.row.number == f"510107-{day}-0001"


def test_open_case_by_many_at_once_gives_every_number_once(hall: Hall) -> None:
    node = hall.runtime.node
    with ThreadPoolExecutor(6) as pool:
        cases = list(pool.map(lambda _: open_case(node, draft(), "account-1"), range(24)))
    serials = sorted(int(each.row.number.rpartition("-")[2]) for each in cases)
    assert serials == list(range(1, 25))


def test_ensure_case_again_after_a_crash_finds_the_case_it_opened(hall: Hall) -> None:
    node = hall.runtime.node
    run = identify(hall)
    first = ensure_case(node, run, outlet=OUTLET)
    stale = load_run(node, run.row.run_id, CLERK.account_id)
    node_row = replace(stale.row, case_id=None)
    with node.database.transaction() as tx:  # as if the run had not been bound to its case
        assert tx.reuse.advance_run(stale.row, node_row)
    again = ensure_case(node, load_run(node, run.row.run_id, CLERK.account_id), outlet=OUTLET)
    assert again.row.case_id == first.row.case_id
    number = load_case(node, first.row.case_id or "").row.number
    assert again.visit.case == first.visit.case == number
    with node.database.read() as tx:
        assert len(tx.cases.list_cases(OUTLET, None, None, None, 9)) == 1


def test_case_of_a_closed_visit_is_accepted_by_the_loop_once(hall: Hall) -> None:
    run = close_visit(hall)
    lacking = close_visit(hall, "hpf-loan-remote")
    assert stage_of(hall, run) is CaseStage.RECEIVED
    take_reuse_turn(cast(ReuseTurns, SimpleNamespace(turn=lambda: None, node=hall.runtime.node)))
    assert stage_of(hall, run) is CaseStage.ACCEPTED
    assert stage_of(hall, lacking) is CaseStage.RECEIVED
    with hall.runtime.node.database.read() as tx:
        assert tx.reuse.list_unsettled_runs(RunState.CLOSED) == []
    assert resume_case_steps(hall.runtime.node, load_catalogue()) == 0


def test_case_step_killed_before_its_mark_is_not_made_twice(hall: Hall) -> None:
    run = close_visit(hall)
    node, catalogue = hall.runtime.node, load_catalogue()

    def die() -> None:
        window_cases._mark_settled = lambda *_: os._exit(DIED)  # type: ignore[assignment]
        advance_own_case(node, run, catalogue)

    assert wait(fork(die)) == DIED
    assert stage_of(hall, run) is CaseStage.ACCEPTED
    assert resume_case_steps(node, catalogue) == 0
    steps = list_case_steps(node, load_case(node, run.row.case_id or ""))
    assert [each.event for each in steps] == ["open", "accept"]


def test_registrar_cannot_decide_and_sends_to_a_reviewer_who_does(hall: Hall) -> None:
    node = hall.runtime.node
    registrar, reviewer = hall.sign_in("registrar"), hall.sign_in("reviewer")
    case = open_case(node, draft(), hall.account_id("registrar"))
    address = f"/cases/{case.row.case_id}"
    assert registrar.post(f"{address}/accept").status_code == 303
    assert registrar.post(f"{address}/grant").status_code == 403
    assert f"{address}/grant" not in registrar.get(address).text
    assert reviewer.post(f"{address}/take").status_code == 404
    assert registrar.post(f"{address}/review-request").status_code == 303
    assert registrar.get("/cases/reviews").status_code == 403
    listed = reviewer.get("/cases/reviews").text
    assert case.row.number in listed
    assert PERSON.name in listed
    assert reviewer.post(f"{address}/take").headers["location"] == address
    assert case.row.number not in reviewer.get("/cases/reviews").text
    assert reviewer.post(f"{address}/grant").status_code == 303
    decided = load_case(node, case.row.case_id)
    assert decided.stage is CaseStage.GRANTED
    assert decided.row.account_id == hall.account_id("reviewer")
    assert [each.event for each in list_case_steps(node, decided)] == [
        "open", "accept", "review", "taken_to_review", "grant",
    ]  # fmt: skip
    assert registrar.post(f"{address}/review-request").status_code == 422


def test_case_sent_to_review_is_taken_back_until_a_reviewer_took_it(hall: Hall) -> None:
    node = hall.runtime.node
    registrar, reviewer = hall.sign_in("registrar"), hall.sign_in("reviewer")
    case = open_case(node, draft(), hall.account_id("registrar"))
    address = f"/cases/{case.row.case_id}"
    assert registrar.post(f"{address}/accept").status_code == 303
    assert registrar.post(f"{address}/recall").status_code == 422  # it does not wait
    assert registrar.post(f"{address}/review-request").status_code == 303
    assert f"{address}/recall" in registrar.get(address).text
    assert registrar.post(f"{address}/recall").status_code == 303
    assert load_case(node, case.row.case_id).stage is CaseStage.ACCEPTED
    assert list_waiting(node) == []
    assert reviewer.post(f"{address}/take").status_code == 404
    assert registrar.post(f"{address}/review-request").status_code == 303
    stale = load_case(node, case.row.case_id)
    assert reviewer.post(f"{address}/take").status_code == 303
    assert "review_taken" not in registrar.get(address).text
    assert registrar.post(f"{address}/recall").status_code == 422
    with pytest.raises(ReviewTakenError):
        recall_review(node, load_case(node, case.row.case_id), hall.account_id("registrar"))
    with pytest.raises(IllegalTransitionError):
        move_case(
            node, load_case(node, case.row.case_id), CaseEvent.RECALL, hall.account_id("registrar")
        )
    events = [each.event for each in list_case_steps(node, stale)]
    assert events[2:] == ["review", "recall", "review", "taken_to_review"]
    assert load_case(node, case.row.case_id).stage is CaseStage.UNDER_REVIEW


def test_recall_review_of_a_case_that_only_waited_keeps_its_stage(hall: Hall) -> None:
    node = hall.runtime.node
    sent = send_to_review(node, open_case(node, draft(), "account-1"), "account-1")
    back = recall_review(node, sent, "account-1")
    assert back.stage is CaseStage.RECEIVED
    assert list_case_steps(node, back)[-1].event == "recalled_from_review"


def test_reviewer_of_another_outlet_reads_a_case_only_once_it_was_taken(hall: Hall) -> None:
    node = hall.runtime.node
    hall.people["reviewer"] = make_account(node, "reviewer", outlet=None)
    reviewer = hall.sign_in("reviewer")
    case = open_case(node, draft(), "account-1")
    address = f"/cases/{case.row.case_id}"
    assert reviewer.get(address).status_code == 404
    send_to_review(node, case, "account-1")
    assert reviewer.get(address).status_code == 404
    assert reviewer.post(f"{address}/take").status_code == 303
    assert reviewer.get(address).status_code == 200


def waiting_visit(hall: Hall) -> tuple[Run, Case]:
    """A visit whose papers came, sent to review."""
    node = hall.runtime.node
    run = ensure_case(node, identify(hall), outlet=OUTLET)
    now = node.clock.now()
    with node.database.transaction() as tx:
        assert tx.reuse.advance_run(run.row, replace(run.row, state=RunState.READY))
        tx.reuse.save_steps(
            [
                StepRow(
                    run.row.run_id, CityId("133100"), GrantId(bytes(32)), StepState.ARRIVED,
                    None, None, None, None, now, now,
                )
            ]
        )  # fmt: skip
    run = load_run(node, run.row.run_id, CLERK.account_id)
    return run, send_visit_to_review(node, run, CLERK.account_id, outlet=OUTLET)


def test_take_review_hands_case_and_visit_over_to_one_of_several(hall: Hall) -> None:
    node = hall.runtime.node
    run, case = waiting_visit(hall)

    def take(number: int) -> Any:
        try:
            return take_review(node, case.row.case_id, Clerk(f"account-{number}", f"r-{number}"))
        except (ReviewTakenError, ConflictError):
            return None

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(take, range(2, 6)))
    assert sorted(filter(None, results)) == [run.row.run_id]
    winner = 2 + next(n for n, each in enumerate(results) if each)
    taken = load_run(node, run.row.run_id, f"account-{winner}")
    assert (taken.row.officer, taken.state) == (f"r-{winner}", RunState.READY)
    assert load_case(node, case.row.case_id).row.account_id == f"account-{winner}"
    with pytest.raises(NotFoundError):
        load_run(node, run.row.run_id, CLERK.account_id)


def test_take_review_killed_before_its_commit_leaves_the_case_waiting(hall: Hall) -> None:
    node = hall.runtime.node
    run, case = waiting_visit(hall)

    def die() -> None:
        from ledger_node.flows import case_review

        case_review._hand_over_run = lambda *_: os._exit(DIED)  # type: ignore[assignment]
        take_review(node, case.row.case_id, REVIEWER)

    assert wait(fork(die)) == DIED
    assert [each.case.row.case_id for each in list_waiting(node)] == [case.row.case_id]
    assert load_run(node, run.row.run_id, CLERK.account_id).row.officer == CLERK.officer
    assert take_review(node, case.row.case_id, REVIEWER) == run.row.run_id


def test_visit_without_papers_or_a_decided_case_cannot_be_sent(hall: Hall) -> None:
    node = hall.runtime.node
    with pytest.raises(NothingToDecideError):
        send_visit_to_review(node, identify(hall), CLERK.account_id)
    _, case = waiting_visit(hall)
    with pytest.raises(ConflictError):
        send_to_review(node, case, CLERK.account_id)
    case = load_case(node, case.row.case_id)
    case = move_case(node, case, CaseEvent.WITHDRAW, CLERK.account_id, "不办了")
    assert list_waiting(node) == []
    with pytest.raises(ReviewTakenError):
        take_review(node, case.row.case_id, REVIEWER)
    with pytest.raises(CaseNotOpenError):
        send_to_review(node, case, CLERK.account_id)
