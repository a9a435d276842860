"""Several endpoints of one chain: left when silent or stopped, never two histories mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger_node.core.anchor import FinalityKind, FinalityPolicy
from ledger_node.core.types import BlockHash, BlockNumber
from ledger_node.edges.chain.endpoints import COMPARE_EVERY_S, LAG_S, EndpointsChain
from ledger_node.flows import following
from ledger_node.flows.chain_node import CHAIN_CONTRADICTION
from ledger_node.flows.halts import LedgerHaltedError
from ledger_node.ports.chain import ChainContradictionError, ChainUnavailableError
from tests.fakes.fake_chain import FakeChain
from tests.integration.chain.support import City, fake_chain, fake_city, sqlite_copy

pytestmark = pytest.mark.integration


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Any]:
    """The rules are the edge's and the follower's; which database keeps them does not matter."""
    opened = sqlite_copy(sqlite_template, tmp_path)
    yield opened
    opened.close()


class Endpoints:
    """Two endpoints of one chain, and a city that follows it through them."""

    def __init__(self, database: Any, finality: Any = None) -> None:
        self.first, self.second = fake_chain(), fake_chain()
        self.mine(20)
        assert self.first.fetch_head() == self.second.fetch_head()
        options = {} if finality is None else {"finality": finality}
        self.city: City = fake_city(database, chain=self.first, **options)
        self.clock = self.city.clock
        self.chain = EndpointsChain(
            [self.first, self.second],
            self.first.fetch_identity(),
            self.load_final,
            self.clock.monotonic_s,
        )
        self.city.chain = self.chain  # type: ignore[assignment]
        following.resume_following(self.city)

    def load_final(self) -> tuple[BlockNumber, BlockHash] | None:
        with self.city.database.read() as tx:
            tip = tx.chain.load_tip()
            block = None if tip is None else tx.chain.find_block(tip.final_number)
        return None if block is None else (block.number, block.hash)

    def mine(self, blocks: int, *chains: FakeChain) -> None:
        for chain in chains or (self.first, self.second):
            chain.mine(blocks)

    def pass_time(self) -> None:
        self.clock.push(COMPARE_EVERY_S + 1)


def cut_off(chain: FakeChain) -> None:
    chain.fail_next(10_000)


def fork(chain: FakeChain, depth: int, longer: int = 0) -> None:
    chain.reorg(depth)
    chain.mine(longer)


def test_call_endpoint_silent_fails_and_the_next_goes_to_the_other(database: Any) -> None:
    both = Endpoints(database)
    both.mine(3)
    cut_off(both.first)
    with pytest.raises(ChainUnavailableError):
        following.resume_following(both.city)
    assert both.chain.current == 0, "within the round nothing changes"
    assert following.resume_following(both.city).tip.number == both.second.fetch_head().number
    assert both.chain.current == 1
    assert both.city.halts() == []


def test_fail_over_endpoint_below_our_final_block_is_passed_over_until_it_has_it(
    database: Any,
) -> None:
    both = Endpoints(database)
    both.mine(5, both.first)
    following.resume_following(both.city)
    cut_off(both.first)
    for _ in range(3):
        with pytest.raises(ChainUnavailableError):
            following.resume_following(both.city)
    assert both.city.halts() == []
    both.mine(6, both.second)
    assert following.resume_following(both.city).taken == 1
    assert both.chain.current == 1


def test_fail_over_to_another_history_is_refused_and_latches_a_halt(database: Any) -> None:
    both = Endpoints(database)
    fork(both.second, 3)
    cut_off(both.first)
    with pytest.raises(ChainUnavailableError):
        following.resume_following(both.city)
    with pytest.raises(LedgerHaltedError) as caught:
        following.resume_following(both.city)
    assert caught.value.reason == CHAIN_CONTRADICTION
    assert both.city.halts() == [CHAIN_CONTRADICTION]
    assert both.chain.current == 0


@pytest.mark.parametrize("difference", ["history", "genesis", "chain id"])
def test_compare_standing_by_contradicts_latches_while_the_first_is_well(
    database: Any, difference: str
) -> None:
    both = Endpoints(database)
    if difference == "history":
        fork(both.second, 1)
    elif difference == "genesis":
        block = both.second._blocks[0]
        block.ref = replace(block.ref, hash=BlockHash(b"\x66" * 32))
    else:
        both.second.chain_id += 1
    following.resume_following(both.city)
    both.pass_time()
    for _ in range(2):
        with pytest.raises(LedgerHaltedError) as caught:
            following.resume_following(both.city)
        assert caught.value.reason == CHAIN_CONTRADICTION


def test_compare_first_has_stopped_the_other_is_asked(database: Any) -> None:
    both = Endpoints(database)
    both.mine(LAG_S, both.second)
    both.pass_time()
    following.resume_following(both.city)
    assert both.chain.current == 0, "a short lag is no reason"
    both.mine(1, both.second)
    both.pass_time()
    done = following.resume_following(both.city)
    assert both.chain.current == 1
    assert done.tip.number == both.second.fetch_head().number
    assert both.city.halts() == []


def test_compare_standing_by_silent_or_lagging_changes_nothing(database: Any) -> None:
    both = Endpoints(database)
    both.mine(50, both.first)
    both.pass_time()
    following.resume_following(both.city)
    cut_off(both.second)
    both.pass_time()
    assert following.resume_following(both.city).tip.number == both.first.fetch_head().number
    assert both.chain.current == 0


def test_fail_over_above_the_final_block_rolls_back_as_after_any_reorganisation(
    database: Any,
) -> None:
    both = Endpoints(database, FinalityPolicy(FinalityKind.DEPTH, 6))
    fork(both.second, 4, longer=2)
    cut_off(both.first)
    with pytest.raises(ChainUnavailableError):
        following.resume_following(both.city)
    done = following.resume_following(both.city)
    assert (done.rolled_back, both.city.halts()) == (4, [])
    assert done.tip.hash == both.second.fetch_head().hash


def test_call_first_back_after_all_were_silent_is_asked_again(database: Any) -> None:
    both = Endpoints(database)
    both.first.fail_next(1)
    both.second.fail_next(1)
    for _ in range(2):
        try:
            both.chain.fetch_head()
        except ChainUnavailableError:
            continue
    assert both.chain.fetch_head() == both.first.fetch_head()


def test_call_contradiction_reaches_whoever_asks(database: Any) -> None:
    both = Endpoints(database)
    fork(both.second, 2)
    both.first.fail_next(1)
    with pytest.raises(ChainUnavailableError):
        both.chain.fetch_head()
    with pytest.raises(ChainContradictionError):
        both.chain.fetch_head()


def test_follow_receipt_of_another_history_is_not_believed(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Endpoints(database)
    last = both.first._blocks[-1]
    both.first._append([b"silent"], [True], [], last.nonces, last.state)
    honest = both.first.fetch_outcomes

    def other_history(hashes: Any) -> Any:
        found = [each for each in honest(hashes) if each is not None]
        return [replace(each, block_hash=BlockHash(b"\x66" * 32)) for each in found]

    monkeypatch.setattr(both.first, "fetch_outcomes", other_history)
    with pytest.raises(ChainUnavailableError, match="missing"):
        following.resume_following(both.city)
    monkeypatch.undo()
    assert following.resume_following(both.city).taken == 1
