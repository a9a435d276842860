"""T9: logs doubled, reordered, withheld and split into pages give the same derived tables."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import delete, select

from ledger_node.core.types import CityId, GrantId, LeafHash, ReleaseCommitment
from ledger_node.edges.database import tables_chain as t
from ledger_node.edges.database.engine import WRITES, build_engine
from ledger_node.flows import following
from ledger_node.ports.chain import ChainUnavailableError
from tests.fakes.fake_chain import FakeChain
from tests.integration.chain.histories import History, emit_history
from tests.integration.chain.json_endpoint import MessyEndpoint, messy_chain
from tests.integration.chain.support import (
    CITIES,
    City,
    city_on,
    fake_chain,
    fake_profile,
    with_profile,
)
from tests.results import note_faults

pytestmark = pytest.mark.integration

TRIALS = {"sqlite": 175, "postgresql": 25}
BLOCKS = 10
CHAIN_TABLES = (*t.DERIVED, t.chain_events, t.chain_blocks, t.chain_following, t.chain_code_pins)


def clear(engine: Any) -> None:
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for table in CHAIN_TABLES:
            connection.execute(delete(table))


def dump(engine: Any) -> dict[str, list[Any]]:
    """Every derived row and raw log, in order of their keys."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in (*t.DERIVED, t.chain_events, t.chain_blocks)
        }


def follow_to_the_end(city: City) -> int:
    """Rounds until caught up; how many found the endpoint incomplete."""
    refused = 0
    for _ in range(40):
        try:
            if following.resume_following(city).caught_up:
                return refused
        except ChainUnavailableError:
            refused += 1
    raise AssertionError("never caught up")


def expect_history(city: City, history: History) -> None:
    """The tables say what was emitted."""
    with city.database.read() as tx:
        for name in CITIES:
            heads = [
                (head.generation, head.tree_head.size, head.tree_head.root, head.closing)
                for head in tx.chain.list_heads(CityId(name))[::-1]
            ]
            assert heads == history.heads.get(name, [])
        for grant_id, row in history.grants.items():
            grant = tx.chain.find_grant(GrantId(grant_id))
            assert grant is not None
            assert (
                grant.releasing, grant.receiving, grant.recorder, grant.not_before_s,
                grant.not_after_s, grant.uses, grant.basis, grant.evidence,
            ) == row  # fmt: skip
            used = [(item.release_commitment, item.uses_left) for item in grant.consumptions]
            assert used == history.consumed.get(grant_id, [])
            for release, _ in used:
                found = tx.chain.find_consumption(ReleaseCommitment(release))
                assert found is not None
                assert found.grant_id == grant_id
        for grant_id, by in history.revoked.items():
            revocation = tx.chain.find_revocation(GrantId(grant_id))
            assert revocation is not None
            assert revocation.city == by
        for (issuer, leaf), flags in history.flags.items():
            rows = tx.chain.list_statuses(CityId(issuer), LeafHash(leaf))
            assert [row.flag for row in rows] == flags
        for number, (issuer, leaf, raiser, outcome) in history.objections.items():
            rows = tx.chain.list_objections(CityId(issuer), LeafHash(leaf))  # type: ignore[assignment]
            mine = [row for row in rows if row.objection_id == number]  # type: ignore[attr-defined]
            assert [(row.raiser, row.outcome) for row in mine] == [(raiser, outcome)]  # type: ignore[attr-defined]


def test_follow_messy_endpoint_gives_the_tables_of_a_clean_one(
    database: Any, database_url: str
) -> None:
    engine = build_engine(database_url)
    fired: Counter[str] = Counter()
    incomplete = logs = 0
    for seed in range(TRIALS[engine.dialect.name]):
        rng = random.Random(seed)
        chain = fake_chain()
        history = emit_history(chain, rng, BLOCKS)
        clear(engine)
        plain = city_on(chain, fake_profile(chain), database)
        follow_to_the_end(plain)
        clean = dump(engine)
        clear(engine)
        endpoint = MessyEndpoint(chain, rng, largest_range=rng.choice((2, 5, 50)))
        messy = city_on(messy_chain(endpoint, chain.chain_id), fake_profile(chain), database)
        with_profile(messy, log_range_blocks=rng.choice((2, 5, 50)))
        incomplete += follow_to_the_end(messy)
        assert dump(engine) == clean, f"seed {seed}"
        fired.update(endpoint.fired)
        logs += history.logs
        if seed % 10 == 0:
            expect_history(messy, history)
            following.rebuild_derived(messy)
            assert dump(engine) == clean, f"rebuilt, seed {seed}"
    engine.dispose()
    assert all(fired[kind] >= 10 for kind in ("doubled", "reordered", "missing", "split")), fired
    for kind, count in fired.items():
        note_faults(f"events {kind}", count)
    assert logs > 8 * TRIALS[engine.dialect.name]


def test_follow_endpoint_that_keeps_withholding_a_log_never_advances(database: Any) -> None:
    chain = fake_chain()
    emit_history(chain, random.Random(7), BLOCKS)
    endpoint = MessyEndpoint(chain, _AlwaysWithhold())
    endpoint.withhold_left = 10**6
    city = city_on(messy_chain(endpoint, chain.chain_id), fake_profile(chain), database)
    for _ in range(3):
        with pytest.raises(ChainUnavailableError):
            following.resume_following(city)
    with city.database.read() as tx:
        assert tx.chain.load_tip().number == -1
    assert endpoint.fired["missing"] >= 6
    endpoint.withhold_left = 0
    assert following.resume_following(city).caught_up


class _AlwaysWithhold(random.Random):
    def random(self) -> float:
        return 0.4


def test_follow_logs_of_another_block_are_not_taken_in(database: Any) -> None:
    """The two-hash check: a log must name the hash of the block that was fetched."""
    chain = fake_chain()
    emit_history(chain, random.Random(3), BLOCKS)
    city = city_on(_StaleLogs(chain), fake_profile(chain), database)
    with pytest.raises(ChainUnavailableError, match="another block"):
        following.resume_following(city)
    city.chain = chain
    assert following.resume_following(city).caught_up


class _StaleLogs:
    """Logs from before a reorganisation, blocks from after it."""

    def __init__(self, chain: FakeChain) -> None:
        self._chain = chain

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def fetch_logs(self, *arguments: Any) -> Any:
        from dataclasses import replace

        return [replace(log, block_hash=bytes(32)) for log in self._chain.fetch_logs(*arguments)]
