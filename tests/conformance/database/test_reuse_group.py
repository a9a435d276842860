"""Group `reuse` on both databases: rows move only from what they were read as."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_node.core.errors import NotFoundError
from ledger_node.core.types import CityId, Commitment, GrantId
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_reuse import DecisionRow, RunRow, StepRow

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
RUN = RunRow("r1", "a1", "my-01", "c1", None, "open", 0, b"sealed", NOW, NOW)
STEP = StepRow("r1", CityId("510107"), GrantId(b"g" * 32), "consented", *[None] * 4, NOW, NOW)
DECISION = DecisionRow(
    "r1", STEP.city, Commitment(b"m" * 32), "relied", "holds", "", "my-01", "reviewer", None, NOW
)


def test_advance_run_from_an_older_revision_changes_nothing(database: Any) -> None:
    asked = replace(RUN, state="asked", updated_at=LATER)
    with database.transaction() as tx:
        tx.reuse.save_run(RUN)
        assert tx.reuse.advance_run(RUN, asked)
        assert not tx.reuse.advance_run(RUN, replace(RUN, state="abandoned"))
    with database.read() as tx:
        assert tx.reuse.load_run("r1") == replace(asked, revision=1)
        assert tx.reuse.list_runs_in("asked") == [replace(asked, revision=1)]
        assert tx.reuse.list_runs("a1", ("open",)) == []
        assert tx.reuse.list_runs("a2", ("asked",)) == []
        assert tx.reuse.find_run_of_case("c1") == replace(asked, revision=1)
        assert tx.reuse.find_run_of_case("c2") is None
        with pytest.raises(NotFoundError):
            tx.reuse.load_run("r2")


def test_advance_step_from_a_state_it_left_changes_nothing(database: Any) -> None:
    asking = replace(STEP, state="asking", find_digest=b"f" * 32, updated_at=LATER)
    with database.transaction() as tx:
        tx.reuse.save_run(RUN)
        tx.reuse.save_steps([STEP, replace(STEP, city=CityId("133100"))])
        assert tx.reuse.advance_step(STEP, asking)
        assert not tx.reuse.advance_step(STEP, replace(STEP, state="refused"))
        assert not tx.reuse.advance_step(replace(asking, updated_at=NOW), STEP)
    with database.read() as tx:
        assert tx.reuse.load_step("r1", STEP.city) == asking
        assert [each.city for each in tx.reuse.list_steps("r1")] == ["133100", "510107"]
        assert tx.reuse.list_steps_in(("asking",)) == [asking]
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.reuse.save_steps([STEP])


def test_save_decisions_twice_conflicts_until_they_are_dropped(database: Any) -> None:
    with database.transaction() as tx:
        tx.reuse.save_run(RUN)
        tx.reuse.save_decisions([DECISION])
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.reuse.save_decisions([replace(DECISION, choice="overridden")])
    with database.transaction() as tx:
        assert tx.reuse.count_decisions(NOW) == {"relied": 1}
        assert tx.reuse.count_decisions(LATER) == {}
        tx.reuse.drop_decisions("r1", CityId("133100"))
        assert tx.reuse.list_decisions("r1") == [DECISION]
        tx.reuse.drop_decisions("r1", STEP.city)
        tx.reuse.save_decisions([replace(DECISION, choice="overridden")])
        assert tx.reuse.count_decisions(NOW) == {"overridden": 1}


def test_list_unsettled_runs_names_ended_ones_with_a_case(database: Any) -> None:
    rows = [
        replace(RUN, run_id="r1", state="closed", updated_at=LATER),
        replace(RUN, run_id="r2", state="closed"),
        replace(RUN, run_id="r3", state="closed", case_id=None),
        replace(RUN, run_id="r4", state="closed", case_settled_at=NOW),
        replace(RUN, run_id="r5"),
    ]
    with database.transaction() as tx:
        for row in rows:
            tx.reuse.save_run(row)
        assert tx.reuse.list_unsettled_runs("closed") == [rows[1], rows[0]]
        assert tx.reuse.list_unsettled_runs("closed", 1) == [rows[1]]
