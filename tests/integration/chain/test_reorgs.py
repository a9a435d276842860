"""T8: blocks are replaced, above and below finality, with every fate of the anchor in them.

anvil makes the reorganisation; that the hashes changed is asserted each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.core.anchor import FinalityKind, FinalityPolicy, TxState
from ledger_node.core.event_types import ContractRole
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.database.transaction import open_database
from ledger_node.flows import anchoring, following, outbox
from ledger_node.flows.chain_node import FINALITY_VIOLATED
from ledger_node.flows.halts import LedgerHaltedError
from tests.contracts.anvil import Anvil
from tests.integration.chain.anvils import running_anvil
from tests.integration.chain.support import (
    CITIES,
    City,
    WallClock,
    city_on,
    deploy,
    profile_of,
    sqlite_copy,
)
from tests.localchain.support import CHAIN_ID

pytestmark = pytest.mark.integration

DEEP = FinalityPolicy(FinalityKind.DEPTH, 12)
# depth, blocks above the anchor's block before the reorganisation, fate of the anchor
CASES = [
    (1, 0, "dropped"), (1, 0, "again"), (2, 1, "later"), (2, 0, "dropped"), (3, 2, "again"),
    (3, 1, "later"), (4, 3, "dropped"), (5, 2, "again"), (6, 5, "later"), (7, 0, "dropped"),
    (8, 7, "again"), (9, 4, "later"), (10, 9, "dropped"), (10, 9, "again"), (10, 0, "later"),
]  # fmt: skip


class Stage:
    """One anvil with a consortium, and the state to go back to."""

    def __init__(self, url: str) -> None:
        self.url, self.anvil = url, Anvil(url)
        chain = EvmChain(url)
        self.deployment = deploy(chain, WallClock(), CITIES[:1])
        chain.close()
        self.anvil.request("evm_setAutomine", False)
        self.mine(13)  # what was deployed is final
        self.snapshot = self.anvil.request("evm_snapshot")

    def restore(self) -> None:
        self.anvil.request("anvil_dropAllTransactions")
        assert self.anvil.request("evm_revert", self.snapshot)
        self.snapshot = self.anvil.request("evm_snapshot")

    def mine(self, blocks: int = 1) -> None:
        self.anvil.request("anvil_mine", hex(blocks))

    def hashes(self, depth: int) -> list[str]:
        top = int(self.anvil.request("eth_blockNumber"), 16)
        return [
            self.anvil.request("eth_getBlockByNumber", hex(number), False)["hash"]
            for number in range(top - depth + 1, top + 1)
        ]

    def reorg(self, depth: int, fate: str, raw: bytes) -> None:
        before = self.hashes(depth + 1)
        offset = {"again": 0, "later": depth - 1}.get(fate)
        moved = [] if offset is None else [["0x" + raw.hex(), offset]]
        self.anvil.request("anvil_setCoinbase", "0x" + "c0" * 20)  # equal blocks are no reorg
        self.anvil.request("anvil_reorg", depth, moved)
        self.anvil.request("anvil_setCoinbase", "0x" + "00" * 20)
        after = self.hashes(depth + 1)
        assert before[0] == after[0], "the reorganisation went deeper than asked"
        assert not set(before[1:]) & set(after[1:]), "the hashes did not change"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running_anvil(tmp_path_factory.mktemp("anvil")) as url:
        yield Stage(url)


@pytest.fixture
def city(stage: Stage, sqlite_template: Path, tmp_path: Path) -> Iterator[City]:
    stage.restore()
    chain = EvmChain(stage.url, CHAIN_ID)
    database = sqlite_copy(sqlite_template, tmp_path)
    yield city_on(chain, profile_of(stage.deployment, DEEP), database)
    chain.close()
    database.close()


def look(city: City) -> following.FollowRound:
    done = following.resume_following(city)
    outbox.resume_outbox(city)
    return done


def include_anchor(city: City, stage: Stage, above: int) -> bytes:
    """An anchor in a block with `above` blocks on top, taken in; its signed bytes."""
    following.resume_following(city)
    city.grow(6)
    row = anchoring.resume_anchoring(city).row
    assert row is not None
    stage.mine(1 + above)
    look(city)
    assert [row.state for row in city.rows()] == [TxState.INCLUDED]
    assert city.heads() == [city.head]
    return row.raw


@pytest.mark.parametrize(("depth", "above", "fate"), CASES)
def test_follow_reorg_above_finality_rolls_back_and_anchors_once(
    depth: int, above: int, fate: str, city: City, stage: Stage
) -> None:
    raw = include_anchor(city, stage, above)
    if depth > above + 1:
        stage.mine(depth - above - 1)
        look(city)
    stage.reorg(depth, fate, raw)
    assert look(city).rolled_back == depth
    if fate == "dropped":
        assert city.heads() == []
        assert [row.state for row in city.rows()] == [TxState.SUBMITTED]
    city.clock.push(20)
    outbox.resume_outbox(city)  # sent again, as the same bytes
    stage.mine(13)
    look(city)
    assert [row.state for row in city.rows()] == [TxState.CONFIRMED]
    assert [row.raw for row in city.rows()] == [raw]
    assert city.heads() == [city.head]
    assert city.halts() == []
    assert stage_head(stage, city) == city.head.size


def stage_head(stage: Stage, city: City) -> int:
    """Size CityLog holds, by a question of its own."""
    address = stage.deployment.contracts[ContractRole.CITY_LOG]
    return int(city.contracts.fetch_head(address, city.city).tree_head.size)


def test_follow_reorg_below_finality_halts_until_a_person_decides(
    city: City, stage: Stage, tmp_path: Path
) -> None:
    city.profile = profile_of(stage.deployment, FinalityPolicy(FinalityKind.DEPTH, 2))
    raw = include_anchor(city, stage, above=0)
    stage.mine(5)
    look(city)
    assert [row.state for row in city.rows()] == [TxState.CONFIRMED]
    stage.reorg(6, "later", raw)
    with pytest.raises(LedgerHaltedError) as caught:
        following.resume_following(city)
    assert caught.value.reason == FINALITY_VIOLATED
    for resume in (outbox.resume_outbox, anchoring.resume_anchoring, following.resume_following):
        with pytest.raises(LedgerHaltedError):
            resume(city)  # type: ignore[operator]
    city.database.close()
    city.database = open_database(f"sqlite:///{tmp_path / 'city.sqlite'}")  # a restart
    assert city.halts() == [FINALITY_VIOLATED]
    with pytest.raises(LedgerHaltedError):
        following.resume_following(city)
    following.unsafe_accept_fork(city, by="审核员")
    assert city.halts() == []
    look(city)
    assert city.heads() == [city.head]


def test_follow_reorg_at_the_final_block_itself_is_no_violation(city: City, stage: Stage) -> None:
    """The twin: one block less, and nothing halts."""
    city.profile = profile_of(stage.deployment, FinalityPolicy(FinalityKind.DEPTH, 2))
    raw = include_anchor(city, stage, above=1)
    stage.reorg(2, "again", raw)
    assert look(city).rolled_back == 2
    assert city.halts() == []


def test_follow_chain_that_was_rewound_halts_when_it_grows_differently(
    city: City, stage: Stage
) -> None:
    """An engine that lost its last blocks first looks like one that lags."""
    city.profile = profile_of(stage.deployment, FinalityPolicy(FinalityKind.IMMEDIATE))
    stage.mine(4)
    tip = following.resume_following(city).tip
    stage.restore()
    assert following.resume_following(city).tip.number == tip.number
    assert city.halts() == []
    stage.anvil.request("evm_increaseTime", 1000)
    stage.mine(5)
    with pytest.raises(LedgerHaltedError):
        following.resume_following(city)
    assert city.halts() == [FINALITY_VIOLATED]


def test_there_are_fifteen_reorganisations_of_depth_one_to_ten() -> None:
    assert len(set(CASES)) >= 15
    assert {depth for depth, _, _ in CASES} == set(range(1, 11))
