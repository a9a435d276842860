"""An edition from its proposal to the day it counts, by real votes on the local chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger_node.core.catalogue_format import read_catalogue
from ledger_node.core.catalogue_list import compute_list_digest, compute_list_id, list_parties
from ledger_node.core.events import decode_event
from ledger_node.core.replay import replay
from ledger_node.core.replay_state import ReplayState
from ledger_node.edges.chain.client import EvmChain
from ledger_node.flows import following
from ledger_node.flows.publishing import (
    EditionVoteUnknownError,
    encode_standing,
    list_standings,
    propose_edition,
    publish_edition,
    vote_edition,
)
from ledger_node.ports.chain import ContractRevertError
from tests.integration.chain.support import (
    WallClock,
    city_on,
    deploy,
    profile_of,
    sqlite_copy,
)
from tests.localchain.support import running_chain
from tests.reference import catalogues

pytestmark = [pytest.mark.integration, pytest.mark.slow]
PAIR = ("510107", "510700")
DAY_S = 86_400


@pytest.fixture(scope="module")
def chain(tmp_path_factory: Any) -> Iterator[EvmChain]:
    folder = tmp_path_factory.mktemp("publishing")
    with running_chain(folder / "data", "--clock", "test") as process:
        client = EvmChain(process.url)
        yield client
        client.close()


def standings(city: Any) -> Any:
    following.catch_up(city)
    with city.database.read() as tx:
        return list_standings(tx)


def test_edition_of_a_pair_is_voted_published_followed_and_replayed(
    chain: EvmChain, sqlite_template: Path, tmp_path: Path
) -> None:
    deployment = deploy(chain, WallClock())
    catalogue = read_catalogue(catalogues.catalogue())
    cities = []
    for code in PAIR:
        (tmp_path / code).mkdir()
        database = sqlite_copy(sqlite_template, tmp_path / code)
        cities.append(city_on(chain, profile_of(deployment), database, code))
    one, two = cities
    assert standings(one) == standings(two) == ()
    with pytest.raises(EditionVoteUnknownError):
        vote_edition(one, 1, True)

    effective_s = int(chain.fetch_head().block_timestamp_s) + DAY_S
    propose_edition(one, catalogue, "pair-1", effective_s)
    (listed,) = standings(two)
    assert listed.row.list_id == compute_list_id(*_named(catalogue, "pair-1"))
    assert (listed.row.code, listed.parties) == ("pair-1", PAIR)
    standings(one)
    with pytest.raises(ContractRevertError) as caught:
        publish_edition(one, 1)
    assert caught.value.code == "catalogue_votes_missing"
    vote_edition(one, 1, True)
    vote_edition(two, 1, True)
    (listed,) = standings(one)
    assert (listed.votes[0].count.yes, listed.votes[0].count.needed) == (2, 2)
    assert listed.find_edition(effective_s) is None
    publish_edition(one, 1)

    for city in cities:
        (listed,) = standings(city)
        edition = listed.find_edition(effective_s)
        assert edition is not None
        assert edition.digest == compute_list_digest(catalogue, "pair-1")
        assert listed.find_edition(effective_s - 1) is None
        encoded = encode_standing(listed, effective_s)
        assert (encoded["in_force"], encoded["list"]) == (1, "pair-1")
    state = _replay(one, deployment)
    assert state.discrepancies == []
    (replayed,) = state.lists.values()
    assert [each.digest for each in replayed.editions] == [edition.digest]
    for city in cities:
        city.database.close()


def _named(catalogue: Any, code: str) -> Any:
    rule, parties = list_parties(catalogue, code)
    return rule, code, parties


def _replay(city: Any, deployment: Any) -> ReplayState:
    """From the raw logs that were followed, not from the rows derived from them."""
    from ledger_node.core.event_types import Position

    with city.database.read() as tx:
        tip = tx.chain.load_tip()
        roles = tx.chain.list_contracts()
        logs = list(tx.chain.iterate_logs(deployment.first_block, tip.number))
    events = [
        decode_event(
            roles[log.address],
            log.topics,
            log.data,
            Position(
                log.block_number,
                log.log_index,
                log.tx_hash,
                log.block_hash,
                timestamp_s,
                log.address,
            ),
        )
        for log, timestamp_s in logs
    ]
    return replay(ReplayState(membership=deployment.membership), events)
