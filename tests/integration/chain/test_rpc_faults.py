"""T7: every fault of an endpoint, in every state of the job it can strike.

The job is anchoring: whatever the endpoint did, afterwards every head is anchored exactly once, no
nonce is left out, every transaction is final, and no halt stands that a person need not see. The
oracle asks the chain itself, past the proxy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger_node.core.anchor import FinalityKind, FinalityPolicy, TxState
from ledger_node.core.errors import UnavailableError
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.edges.chain.client import EvmChain
from ledger_node.flows import anchoring, following, outbox
from ledger_node.flows.chain_node import CHAIN_CONTRADICTION
from ledger_node.flows.deploying import Deployment
from ledger_node.flows.halts import LedgerHaltedError
from ledger_node.ports.chain import ContractRevertError
from tests.contracts.anvil import Anvil
from tests.integration.chain.anvils import running_anvil
from tests.integration.chain.fault_proxy import FAULTS, HOLD_S, FaultProxy, running_proxy
from tests.integration.chain.support import (
    CITIES,
    City,
    PlainKeys,
    WallClock,
    city_on,
    deploy,
    profile_of,
    sqlite_copy,
)
from tests.localchain.support import CHAIN_ID
from tests.results import note_faults

pytestmark = pytest.mark.integration

STATES = ("nothing-stored", "signed", "submitted", "included", "final-unseen", "confirmed")
DEPTH_ONE = FinalityPolicy(FinalityKind.DEPTH, 1)
FAULT_TIMES = 2
TURNS = 25


@dataclass
class Stage:
    """One anvil with a consortium, a proxy before it, and the state to go back to."""

    anvil: Anvil
    proxy_url: str
    proxy: FaultProxy
    deployment: Deployment
    snapshot: str

    def restore(self) -> None:
        self.proxy.heal()
        self.proxy.stale = None
        self.anvil.request("anvil_dropAllTransactions")
        assert self.anvil.request("evm_revert", self.snapshot)
        self.snapshot = self.anvil.request("evm_snapshot")

    def mine(self) -> None:
        self.anvil.request("evm_mine")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("anvil")
    with running_anvil(folder) as url, running_proxy(url) as (proxy_url, proxy):
        anvil = Anvil(url)
        chain = EvmChain(url)
        deployment = deploy(chain, WallClock(), CITIES[:1])
        chain.close()
        anvil.request("evm_setAutomine", False)
        anvil.request("evm_mine")  # the registrations are final under `depth 1`
        yield Stage(anvil, proxy_url, proxy, deployment, anvil.request("evm_snapshot"))


@pytest.fixture
def city(stage: Stage, sqlite_template: Path, tmp_path: Path) -> Iterator[City]:
    stage.restore()
    chain = EvmChain(stage.proxy_url, CHAIN_ID)
    database = sqlite_copy(sqlite_template, tmp_path)
    yield city_on(chain, profile_of(stage.deployment, DEPTH_ONE), database)
    chain.close()
    database.close()


def bring_to(state: str, city: City, stage: Stage) -> None:
    """The job in `state`, with a healthy endpoint."""
    following.resume_following(city)
    city.grow(5)
    if state == "nothing-stored":
        return
    if state == "signed":
        store_without_sending(city)
        return
    anchoring.resume_anchoring(city)
    if state == "submitted":
        return
    stage.mine()
    if state == "included":
        outbox.resume_outbox(city)
        return
    stage.mine()
    if state == "confirmed":
        outbox.resume_outbox(city)


def store_without_sending(city: City) -> None:
    """A crash after the database transaction, before the broadcast."""
    send = city.chain.send_transactions
    city.chain.send_transactions = lambda raw: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        anchoring.resume_anchoring(city)
    city.chain.send_transactions = send


def turn(city: City, stage: Stage) -> None:
    """One turn of every loop; what an endpoint can do to them is no reason to end."""
    for resume in (
        following.resume_following,
        anchoring.resume_anchoring,
        outbox.resume_outbox,
    ):
        with suppress(UnavailableError, LedgerHaltedError, ContractRevertError):
            resume(city)  # type: ignore[operator]
    stage.mine()


def is_done(city: City) -> bool:
    rows = city.rows()
    return (
        bool(rows)
        and all(row.state is TxState.CONFIRMED for row in rows)
        and city.heads()[-1:] == [city.head]
    )


def anchored_on_chain(stage: Stage) -> list[tuple[int, bytes]]:
    """Heads by raw question, past proxy and client."""
    address = stage.deployment.contracts[ContractRole.CITY_LOG]
    question = {"fromBlock": "0x0", "toBlock": "latest", "address": "0x" + address.hex()}
    logs = stage.anvil.request("eth_getLogs", question)
    data = [bytes.fromhex(log["data"][2:]) for log in logs]
    return [(int.from_bytes(item[:32], "big"), item[32:]) for item in data]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("fault", FAULTS)
def test_resume_after_endpoint_fault_anchors_exactly_once(
    fault: str, state: str, city: City, stage: Stage
) -> None:
    bring_to(state, city, stage)
    city.grow(3)  # work that still has to be sent, whatever the state
    patient, hasty = city.chain, EvmChain(stage.proxy_url, CHAIN_ID, timeout_s=HOLD_S / 2)
    city.chain = hasty if fault == "timeout" else patient
    stage.proxy.switch_on(fault, FAULT_TIMES)
    for _ in range(TURNS):
        turn(city, stage)
        city.clock.push(20)  # past the time after which is sent again
        if stage.proxy.fired:
            break
    assert stage.proxy.fired, "the fault never fired"
    note_faults(f"rpc {fault}", stage.proxy.fired)
    turn(city, stage)
    stage.proxy.heal()
    hasty.close()
    city.chain = patient

    assert set(city.halts()) <= ({CHAIN_CONTRADICTION} if fault == "wrong-chain-id" else set())
    if fault == "wrong-chain-id":
        assert city.halts() == [CHAIN_CONTRADICTION], "another chain went unnoticed"
    city.clear_halts()
    for _ in range(TURNS):
        if is_done(city):
            break
        turn(city, stage)
        city.clock.push(20)

    assert is_done(city), [row.state for row in city.rows()]
    assert city.halts() == []
    held = anchored_on_chain(stage)
    assert held == [(head.size, head.root) for head in city.heads()]
    assert len(held) == len(set(held)) == len(city.rows())
    count = stage.anvil.request("eth_getTransactionCount", account(), "latest")
    assert int(count, 16) == len(city.rows()), "a nonce was left out or used twice"
    assert [row.nonce for row in city.rows()] == list(range(len(held)))


def account() -> str:
    return "0x" + PlainKeys(CITIES[0]).account(KeyRole.ANCHOR).hex()


def test_the_trial_has_every_fault_in_every_state() -> None:
    assert len(set(FAULTS)) * len(set(STATES)) >= 84


def test_resume_without_a_fault_anchors_exactly_once(city: City, stage: Stage) -> None:
    """The twin: the same job with nothing wrong."""
    bring_to("nothing-stored", city, stage)
    for _ in range(4):
        turn(city, stage)
    assert is_done(city)
    assert stage.proxy.fired == 0 or stage.proxy.fault is None
    assert anchored_on_chain(stage) == [(5, city.head.root)]
