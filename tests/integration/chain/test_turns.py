"""The loop that watches the chain: what a quiet turn costs, and what ends the quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from ledger_node.core.types import CityId
from ledger_node.edges.chain.contracts import ContractCalls
from ledger_node.flows.sequencing import run_sequencing_round
from ledger_node.running import WHOLE_TURN_S, ChainTurns
from tests.integration.chain.support import CITIES, PlainKeys, fake_chain, fake_profile
from tests.support.hall import Hall, open_hall
from tests.support.stock import register_paper

pytestmark = pytest.mark.integration


class Counting:
    """A chain that counts what it is asked."""

    def __init__(self, chain: Any) -> None:
        self.chain, self.asked = chain, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.chain, name)
        if callable(value):
            self.asked[name] += 1
        return value


@dataclass
class Stage:
    hall: Hall
    chain: Counting
    turns: ChainTurns

    def turn(self) -> Counter[str]:
        """What one turn asks."""
        self.chain.asked.clear()
        self.turns.turn()
        return Counter(self.chain.asked)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_hall(tmp_path_factory.mktemp("turns")) as hall:
        chain = fake_chain()
        counting = Counting(chain)
        node = replace(
            hall.runtime.node,
            city=CityId(CITIES[0]),
            chain=counting,
            profile=fake_profile(chain),
            contracts=ContractCalls(counting),
            keys=PlainKeys(CITIES[0]),
        )
        yield Stage(hall, counting, ChainTurns(replace(hall.runtime, node=node)))


@pytest.fixture
def quiet(stage: Stage) -> Stage:
    """A node that has done everything there is to do."""
    for _ in range(6):
        stage.turn()
    return stage


def test_turn_in_quiet_asks_the_chain_for_its_head_only(quiet: Stage) -> None:
    assert quiet.turn() == Counter(fetch_head=1)


def test_turn_on_a_new_block_is_a_whole_one(quiet: Stage) -> None:
    quiet.chain.chain.emit([])
    assert quiet.turn()["fetch_identity"] == 1
    assert quiet.turn() == Counter(fetch_head=1)


def test_turn_after_the_log_grew_anchors_it(quiet: Stage) -> None:
    node = quiet.hall.runtime.node
    register_paper(node, 1)
    run_sequencing_round(node)
    quiet.hall.clock.ahead += timedelta(seconds=2)  # the distance between two anchors
    assert quiet.turn()["send_transactions"] == 1
    assert quiet.turn()["fetch_outcomes"] == 1, "what is under way is looked at in every turn"


def test_turn_after_a_while_is_a_whole_one_all_the_same(quiet: Stage) -> None:
    quiet.hall.clock.ahead += timedelta(seconds=WHOLE_TURN_S)
    assert quiet.turn()["fetch_identity"] == 1
