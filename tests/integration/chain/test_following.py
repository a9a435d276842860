"""Following: pins, halts that survive restarts, freshness, two followers, registered contracts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger_node.core.anchor import FinalityKind, FinalityPolicy
from ledger_node.core.event_types import ContractRole
from ledger_node.core.types import Address, BlockHash
from ledger_node.flows import following
from ledger_node.flows.chain_node import CHAIN_CONTRADICTION, FINALITY_VIOLATED, MALFORMED_EVENT
from ledger_node.flows.halts import LedgerHaltedError
from ledger_node.ports.chain import ChainUnavailableError
from ledger_node.ports.database_chain import StaleTipError
from tests.integration.chain.histories import build_log, emit_history
from tests.integration.chain.support import (
    CITY_LOG,
    GRANTS,
    MEMBERSHIP,
    City,
    Emitter,
    fake_chain,
    fake_city,
    registration,
    with_profile,
)

pytestmark = pytest.mark.integration
SECOND_LOG = Address(b"\x0a" * 20)


def demand_halt(city: City, reason: str) -> None:
    """The round latches, and every later one refuses, in a new process too."""
    for _ in range(2):
        with pytest.raises(LedgerHaltedError) as caught:
            following.resume_following(city)
        assert caught.value.reason == reason
    assert city.halts() == [reason]


def test_follow_another_genesis_halts(database: Any) -> None:
    city = fake_city(database)
    following.resume_following(city)
    city.chain._blocks[0].ref = replace(city.chain._blocks[0].ref, hash=BlockHash(b"\x66" * 32))
    demand_halt(city, CHAIN_CONTRADICTION)


def test_follow_settings_that_differ_from_the_pins_halts(database: Any) -> None:
    city = fake_city(database)
    following.resume_following(city)
    with_profile(city, membership=Address(b"\x55" * 20))
    demand_halt(city, CHAIN_CONTRADICTION)


def test_follow_changed_contract_code_halts_when_pins_are_due(database: Any) -> None:
    city = fake_city(database)
    following.resume_following(city)
    following.resume_following(city)
    city.chain.contracts[CITY_LOG].code = b"something else"
    following.resume_following(city)  # not due yet
    city.clock.push(61)
    demand_halt(city, CHAIN_CONTRADICTION)


def test_follow_event_with_another_layout_halts(database: Any) -> None:
    city = fake_city(database)
    topics, data = build_log("CheckpointAnchored", 510107, 1, 5, b"\x01" * 32)
    city.chain.emit([(CITY_LOG, (topics, data + b"\x00"))])
    demand_halt(city, MALFORMED_EVENT)


def test_follow_unknown_topic_is_kept_raw_and_changes_nothing(database: Any) -> None:
    city = fake_city(database)
    city.chain.emit([(CITY_LOG, ((b"\x42" * 32,), b"later version"))])
    tip = following.resume_following(city).tip
    with database.read() as tx:
        logs = [log for log, _ in tx.chain.iterate_logs(0, tip.number)]
    assert logs[-1].data == b"later version"
    assert city.heads() == []


def test_follow_reorg_within_immediate_finality_halts(database: Any) -> None:
    city = fake_city(database)
    city.chain.mine(3)
    following.resume_following(city)
    city.chain.reorg(1)
    demand_halt(city, FINALITY_VIOLATED)


class ReorgBetween:
    """A chain that reorganises after its head was asked and before its new blocks are."""

    def __init__(self, chain: Any, tip: int) -> None:
        self._chain, self._tip, self.fired = chain, tip, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def fetch_blocks(self, numbers: Any) -> Any:
        if numbers[0] > self._tip and not self.fired:
            self.fired = True
            self._chain.reorg(4)
        return self._chain.fetch_blocks(numbers)


def test_follow_blocks_that_do_not_follow_the_tip_are_not_taken_in(database: Any) -> None:
    city = fake_city(database, FinalityPolicy(FinalityKind.DEPTH, 10))
    city.chain.mine(5)
    tip = following.resume_following(city).tip
    city.chain.mine(2)
    city.chain = ReorgBetween(city.chain, tip.number)
    with pytest.raises(ChainUnavailableError, match="does not follow"):
        following.resume_following(city)
    with database.read() as tx:
        assert tx.chain.load_tip() == tip
    done = following.resume_following(city)
    assert (done.caught_up, done.rolled_back) == (True, 2)


def test_follow_endpoint_that_lags_keeps_what_is_known(database: Any) -> None:
    city = fake_city(database)
    city.chain.mine(5)
    tip = following.resume_following(city).tip
    newest = city.chain._blocks[3:]
    del city.chain._blocks[3:]
    done = following.resume_following(city)
    assert (done.tip.number, done.rolled_back) == (tip.number, 0)
    assert following.load_freshness(city).head_number == 2
    city.chain._blocks += newest
    assert following.resume_following(city).tip.number == tip.number
    assert city.halts() == []


def test_load_freshness_of_a_stopped_chain_grows_old(database: Any) -> None:
    city = fake_city(database)
    with pytest.raises(ChainUnavailableError):
        following.load_freshness(city)
    following.resume_following(city)
    city.clock.push(300)
    city.chain.fail_next(1)
    with pytest.raises(ChainUnavailableError):
        following.resume_following(city)
    stale = following.load_freshness(city)
    assert stale.observed_age_s == 300
    assert stale.head_age_s == pytest.approx(299, abs=2)
    following.resume_following(city)
    assert following.load_freshness(city).observed_age_s == 0


def test_take_in_with_a_moved_tip_is_refused(database: Any) -> None:
    city = fake_city(database)
    before = following.resume_following(city).tip
    city.chain.mine()
    after = following.resume_following(city).tip
    with pytest.raises(StaleTipError), database.transaction() as tx:
        tx.chain.observe(before, after)
    with database.transaction() as tx:
        tx.chain.observe(after, after)


def test_two_followers_take_each_block_in_once(
    database: Any, open_test_database: Callable[[], Any]
) -> None:
    city = fake_city(database)
    import random

    emit_history(city.chain, random.Random(5), 40)
    with_profile(city, log_range_blocks=2)
    errors: list[BaseException] = []

    def follow() -> None:
        mine = replace(city, database=open_test_database())
        try:
            following.resume_following(mine)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    top = city.chain.fetch_head().number
    with database.read() as tx:
        assert tx.chain.load_tip().number == top
        assert len(tx.chain.list_block_hashes(range(top + 1))) == top + 1


@pytest.mark.parametrize("range_blocks", [1, 2, 50])
def test_follow_contract_registered_inside_a_range_counts_from_its_block_on(
    range_blocks: int, database: Any
) -> None:
    chain = fake_chain()
    chain.contracts[SECOND_LOG] = Emitter(b"second city log")
    early = build_log("CheckpointAnchored", 510107, 1, 5, b"\x01" * 32)
    late = build_log("CheckpointAnchored", 510107, 1, 8, b"\x02" * 32)
    chain.emit([(SECOND_LOG, early)])
    chain.emit([(MEMBERSHIP, registration(ContractRole.CITY_LOG, SECOND_LOG))])
    chain.emit([(SECOND_LOG, late)])
    city = with_profile(fake_city(database, chain=chain), log_range_blocks=range_blocks)
    following.resume_following(city)
    assert [head.size for head in city.heads()] == [8]
    with database.read() as tx:
        assert tx.chain.list_contracts()[SECOND_LOG] is ContractRole.CITY_LOG
        assert SECOND_LOG in tx.chain.list_code_pins()
    following.rebuild_derived(city)
    assert [head.size for head in city.heads()] == [8]


def test_queries_final_only_leave_out_what_may_be_reorganised(database: Any) -> None:
    city = fake_city(database, FinalityPolicy(FinalityKind.DEPTH, 3))
    city.chain.mine(3)
    grant_id = b"\x31" * 32
    values = (510107, 510700, 510107, 1, 2, 1, 2, b"\x05" * 32)
    city.chain.emit([(GRANTS, build_log("GrantRecorded", grant_id, *values))])
    following.resume_following(city)
    with database.read() as tx:
        assert tx.chain.find_grant(grant_id) is None
        assert tx.chain.find_grant(grant_id, final_only=False) is not None
    city.chain.mine(3)
    following.resume_following(city)
    with database.read() as tx:
        assert tx.chain.find_grant(grant_id) is not None
    city.chain.reorg(2, "dropped")
    following.resume_following(city)
    with database.read() as tx:
        assert tx.chain.find_grant(grant_id) is not None


def test_covering_head_is_the_first_that_holds_the_leaf(database: Any) -> None:
    city = fake_city(database)
    for size in (5, 9, 20):
        log = build_log("CheckpointAnchored", 510107, 1, size, bytes([size]) * 32)
        city.chain.emit([(CITY_LOG, log)])
    following.resume_following(city)
    with database.read() as tx:
        sizes = [
            found.tree_head.size if found else None
            for found in (
                tx.chain.find_covering_head(city.city, 1, size) for size in (1, 5, 6, 20, 21)
            )
        ]
        assert sizes == [5, 5, 9, 20, None]
        latest = tx.chain.find_latest_head(city.city)
        assert latest is not None
        assert latest.place.block_hash == city.chain.fetch_head().hash
        assert latest.place.contract == CITY_LOG
        assert tx.chain.find_anchored_head(city.city, 1, latest.tree_head) == latest
        assert tx.chain.find_anchored_head(city.city, 2, latest.tree_head) is None
