"""T10 over real nodes: the same model, with grants and releases going through the flows.

Two node processes, a real chain, real HTTP. What every request must end in is said by the model;
what left the issuing city is read from the receiving city's database file and raw chain logs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger_node.core.types import GrantId
from ledger_node.flows.granting import record_grant, revoke_grant
from tests.model.oracle import Model
from tests.support.cities import Cities, running_cities
from tests.support.stock import ISSUER, RELIER, consent, make_stock, prepare

pytestmark = [pytest.mark.integration]

CODES = {
    None: ("acknowledged", None),
    "GrantsUnknown": ("refused", "grant_missing"),
    "GrantsRevoked": ("refused", "grant_revoked"),
    "GrantsExpired": ("refused", "grant_expired"),
    "GrantsUsedUp": ("refused", "grant_used_up"),
}
SHORT_S, LONG_S, JUMP_S = 1_000, 100_000, 2_000


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cities]:
    with running_cities(make_stock(), tmp_path_factory.mktemp("way")) as running:
        for slug in (ISSUER, RELIER):
            running.start(slug)
        yield running


class Way(RuleBasedStateMachine):
    """Grants of one example among the same two running cities."""

    cities: ClassVar[Cities]
    outcomes: ClassVar[set[str | None]] = set()

    @initialize(material=st.integers(0, 3))
    def start(self, material: int) -> None:
        """One grant is used up, one is revoked before anything, one is left."""
        self.model = Model(0)
        self.ids: list[GrantId] = []
        self.requests: list[tuple[int, bytes]] = []
        for _ in range(3):
            self.grant(1, LONG_S, True)
        self.revoke_one(1, RELIER)
        self.request_under(0, material)
        self.request_under(1, material)

    @rule(
        uses=st.integers(1, 2), window_s=st.sampled_from((SHORT_S, LONG_S)), recorded=st.booleans()
    )
    def grant(self, uses: int, window_s: int, recorded: bool) -> None:
        with self.cities.opened(RELIER) as node:
            grant_id = consent(node, self.cities.stock, uses=uses, window_s=window_s)
            if recorded:
                record_grant(node, grant_id)
                end_s = self.model.now_s + window_s
                assert self.model.record(len(self.ids), self.model.now_s, end_s, uses) is None
        if recorded:
            for slug in (ISSUER, RELIER):
                self.cities.wait_grant(slug, grant_id)
        self.ids.append(grant_id)

    @precondition(lambda self: set(self.model.grants) - self.revoked())
    @rule(data=st.data(), by=st.sampled_from((ISSUER, RELIER)))
    def revoke(self, data: st.DataObject, by: str) -> None:
        known = sorted(set(self.model.grants) - self.revoked())
        self.revoke_one(data.draw(st.sampled_from(known)), by)

    def revoke_one(self, grant: int, by: str) -> None:
        with self.cities.opened(by) as node:
            revoke_grant(node, self.ids[grant])
        assert self.model.revoke(grant) is None
        self.cities.wait_for(
            lambda: self.cities.logs("revoked", self.ids[grant]), "the revocation on chain"
        )

    @precondition(lambda self: len(self.requests) > 2)
    @rule()
    def pass_time(self) -> None:
        self.cities.pass_time(JUMP_S)
        self.model.now_s += JUMP_S

    @rule(data=st.data(), material=st.integers(0, 3))
    def request(self, data: st.DataObject, material: int) -> None:
        self.request_under(data.draw(st.integers(0, len(self.ids) - 1)), material)

    def request_under(self, grant: int, material: int) -> None:
        with self.cities.opened(RELIER) as node:
            digest = prepare(node, self.ids[grant], self.cities.stock.materials[material])
        ended = self.cities.wait_ended(RELIER, digest)
        refusal = self.model.consume(grant, len(self.requests))
        self.requests.append((grant, digest))
        self.outcomes.add(refusal)
        assert ended == CODES[refusal]

    @precondition(lambda self: bool(self.requests))
    @invariant()
    def what_left_has_its_own_consumption_and_nothing_else_left(self) -> None:
        number = len(self.requests) - 1
        grant, digest = self.requests[number]
        logs = self.cities.logs("consumed", self.ids[grant])
        assert len(logs) == list(self.model.consumed.values()).count(grant)
        columns = "answer, sealed_secrets, release_commitment"
        (row,) = self.cities.rows(
            RELIER, f"select {columns} from releases where request_digest = ?", digest
        )
        if number in self.model.consumed:
            assert any(log["topics"][2] == "0x" + row[2].hex() for log in logs)
        else:
            assert row == (None, None, None)

    def revoked(self) -> set[int]:
        return {name for name, grant in self.model.grants.items() if grant.revoked}


def run(cities: Cities, examples: int, steps: int) -> set[str | None]:
    Way.cities, Way.outcomes = cities, set()
    run_state_machine_as_test(
        Way,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),  # a failure is reported as found: its steps are few
        ),
    )
    return Way.outcomes


@pytest.mark.slow
def test_way_model_short_run_agrees_with_real_nodes(cities: Cities) -> None:
    outcomes = run(cities, 3, 10)
    assert {None, "GrantsRevoked", "GrantsUsedUp"} <= outcomes


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_way_model_full_run_agrees_with_real_nodes(cities: Cities) -> None:
    assert run(cities, 100, 30) == set(CODES)
