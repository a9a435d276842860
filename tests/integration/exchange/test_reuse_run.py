"""A reuse run over real node processes: it goes on by itself, whatever dies or stays silent.

Mianyang's window asks Wuhou (which has the paper) and Xiong'an (whose node is not running). The
oracle reads raw chain logs and the cities' database files.
"""

from __future__ import annotations

import pytest

from ledger_node.core.types import GrantId
from ledger_node.core.verdict import LineState
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.flows.deciding import ReasonMissingError, Wish, decide_materials, judge_run
from ledger_node.flows.granting import revoke_grant
from ledger_node.flows.materials import load_material_by_commitment
from ledger_node.flows.outbox import resume_outbox
from ledger_node.flows.watching import withdraw
from ledger_node.flows.window import load_run
from ledger_node.ports.database_reuse import RunNotFoundError
from tests.integration.processes import AFTER, BEFORE, DIED
from tests.support.cities import Cities
from tests.support.stock import BYSTANDER, ISSUER, RELIER
from tests.support.window import CLERK, DECIDER, identify, sign

pytestmark = [pytest.mark.integration]
ISSUER_CITY, SILENT_CITY = "510107", "133100"
ENDED = ("empty", "silent", "refused", "arrived", "late", "decided")


@pytest.fixture(scope="module")
def window(cities: Cities) -> Cities:
    """Issuer and relier run; the third city is silent."""
    for slug in (ISSUER, RELIER):
        cities.start(slug)
    return cities


def begin(cities: Cities, *releasing: str) -> str:
    """Identify, choose, sign; the node goes on by itself."""
    with cities.opened(RELIER) as node:
        return sign(node, cities.stock, identify(node), releasing).row.run_id


def states(cities: Cities, run_id: str) -> dict[str, tuple[str, str | None]]:
    sql = "select city, state, problem_code from reuse_steps where run_id = ?"
    return {city: (state, code) for city, state, code in cities.rows(RELIER, sql, run_id)}


def wait_ready(cities: Cities, run_id: str) -> dict[str, tuple[str, str | None]]:
    sql = "select state from reuse_runs where run_id = ?"
    cities.wait_for(lambda: cities.rows(RELIER, sql, run_id)[0][0] == "ready", "the run")
    return states(cities, run_id)


def grant_of(cities: Cities, run_id: str, city: str = ISSUER_CITY) -> bytes:
    sql = "select grant_id from reuse_steps where run_id = ? and city = ?"
    return bytes(cities.rows(RELIER, sql, run_id, city)[0][0])


def test_run_silent_city_is_named_and_holds_nothing_up(window: Cities) -> None:
    run_id = begin(window, ISSUER, BYSTANDER)
    assert wait_ready(window, run_id) == {
        ISSUER_CITY: ("arrived", None),
        SILENT_CITY: ("silent", None),
    }
    assert len(window.logs("recorded", grant_of(window, run_id))) == 1
    assert window.logs("recorded", grant_of(window, run_id, SILENT_CITY)) == []
    with window.opened(RELIER) as node:
        run = load_run(node, run_id, CLERK.account_id)
        with pytest.raises(RunNotFoundError):
            load_run(node, run_id, "another account")
        (judged,) = judge_run(node, run, DECIDER)
        assert judged.state is LineState.HOLDS
        assert judged.values["number"] == "J510107-2020-000007"
        with pytest.raises(ReasonMissingError):
            decide_materials(node, run, DECIDER, {judged.commitment: Wish(False)})
        run = decide_materials(node, run, DECIDER, {})
        assert run.state == "closed"
    sql = "select count(*) from receipts where receipt_id = ?"
    (step,) = [each for each in run.steps if each.city == ISSUER_CITY]
    assert window.rows(RELIER, sql, step.receipt_id) == [(1,)]


@pytest.mark.parametrize(
    ("point", "mode"),
    [
        ("step:asking", AFTER),
        ("peers.send /peer/v1/find", AFTER),
        ("step:found", AFTER),
        ("grant:linked", AFTER),
        ("step:recording", BEFORE),
        ("step:requested", AFTER),
        ("step:arrived", BEFORE),
        ("run:ready", BEFORE),
    ],
)
def test_run_killed_at_a_boundary_ends_once(window: Cities, point: str, mode: str) -> None:
    window.faults(RELIER).arm(point, mode)
    run_id = begin(window, ISSUER)
    window.wait_for(window.faults(RELIER).has_fired, point)
    assert window.wait_end(RELIER) == DIED
    window.start(RELIER)
    assert wait_ready(window, run_id) == {ISSUER_CITY: ("arrived", None)}
    grant_id = grant_of(window, run_id)
    assert len(window.logs("recorded", grant_id)) == 1
    assert len(window.logs("consumed", grant_id)) == 1
    counted = "select count(*) from {} where grant_id = ?"
    for table in ("finds", "releases"):
        assert window.rows(RELIER, counted.format(table), grant_id) == [(1,)], table
        assert window.rows(ISSUER, counted.format(table), grant_id) == [(1,)], table


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("step:asking", marks=pytest.mark.slow),
        pytest.param("step:found", marks=pytest.mark.slow),
        "step:recording",
        "step:requested",
    ],
)
def test_run_revoked_on_its_way_is_refused_with_its_reason(window: Cities, point: str) -> None:
    window.faults(RELIER).arm(point, BEFORE)
    run_id = begin(window, ISSUER)
    window.wait_for(window.faults(RELIER).has_fired, point)
    assert window.wait_end(RELIER) == DIED
    grant_id = grant_of(window, run_id)
    with window.opened(RELIER) as node:
        revoke_grant(node, GrantId(grant_id))
        while not window.logs("revoked", grant_id):
            resume_outbox(node)
    window.start(RELIER)
    assert wait_ready(window, run_id) == {ISSUER_CITY: ("refused", "grant_revoked")}
    assert window.logs("consumed", grant_id) == []


def test_decide_withdrawn_after_arrival_is_red_and_an_override_files_no_receipt(
    window: Cities,
) -> None:
    run_id = begin(window, ISSUER)
    wait_ready(window, run_id)
    with window.opened(RELIER) as node:
        run = load_run(node, run_id, CLERK.account_id)
        (judged,) = judge_run(node, run, DECIDER)
    with window.opened(ISSUER) as node:
        material = load_material_by_commitment(node, judged.commitment)
        withdraw(node, material.stored.row.material_id, "issued-by-mistake")
    sql = "select count(*) from chain_statuses"
    window.wait_for(lambda: window.rows(RELIER, sql)[0][0], "the withdrawal")
    with window.opened(RELIER) as node:
        (judged,) = judge_run(node, run, DECIDER)
        assert judged.codes == (VerdictCode.STATUS_WITHDRAWN,)
        with pytest.raises(ReasonMissingError):
            decide_materials(node, run, DECIDER, {judged.commitment: Wish(True)})
        run = decide_materials(node, run, DECIDER, {judged.commitment: Wish(True, "已看原件")})
        assert run.steps[0].state == "decided"
        assert run.steps[0].receipt_id is None
        with node.database.read() as tx:
            (row,) = tx.reuse.list_decisions(run_id)
            assert (row.choice, row.codes) == ("overridden", "status_withdrawn")
            assert "已看原件".encode() not in (row.sealed_reason or b"")
