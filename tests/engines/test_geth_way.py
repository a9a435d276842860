"""The whole way of a material on four real signers: one killed and restarted in it, and reorgs."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ledger_node.core.errors import UnavailableError
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.receipt import parse_receipt
from ledger_node.core.trust_format import parse_trust
from ledger_node.core.types import CityId
from ledger_node.core.verdict import LineState
from ledger_node.core.verify import verify_receipt
from ledger_node.edges.chain.endpoints import EndpointsChain
from ledger_node.flows.following import resume_following
from ledger_node.flows.halts import list_halts
from ledger_node.flows.relying import complete_receipt, rely
from ledger_node.flows.sequencing import open_log, resume_sequencing
from ledger_node.flows.trusting import build_trust_file
from ledger_node.founding import FIVE_CITIES, CityPlan, found_consortium
from ledger_node.wiring import open_runtime
from tests.engines.geth_network import Signer, running_network
from tests.engines.servers import take_port
from tests.integration.way.story import ENDED, FIELDS, Way
from tests.support.consortium import DOMAIN, Consortium, serving

pytestmark = pytest.mark.timeout(600)
DEPTH_BLOCKS = 6
SETTLE_S = 150.0
ROTATION_S = 180.0


@dataclass
class PatientConsortium(Consortium):
    """Turns on a chain whose endpoints come and go: a turn that finds nobody is taken again."""

    unanswered: list[UnavailableError] = field(default_factory=list)

    def settle(
        self, done: Callable[[], object], slugs: Sequence[str] = (), limit_s: float = SETTLE_S
    ) -> None:
        deadline = time.monotonic() + limit_s
        while not done():
            assert time.monotonic() < deadline, self.unanswered[-3:]
            try:
                self.turn(slugs)
            except UnavailableError as error:
                self.unanswered.append(error)
            time.sleep(0.2)


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Signer]]:
    with running_network(tmp_path_factory.mktemp("geth")) as running:
        yield running


@pytest.fixture(scope="module")
def way(signers: list[Signer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    path = tmp_path_factory.mktemp("cities")
    plans = tuple(
        CityPlan(CityId(code), zh, en, slug, f"http://127.0.0.1:{take_port()}")
        for code, zh, en, slug in FIVE_CITIES[:2]
    )
    found_consortium(path, signers[0].url, DOMAIN, plans, key_change_delay_s=60)
    others = ", ".join(f'"{each.url}"' for each in signers[1:])
    with ExitStack() as stack:
        consortium = PatientConsortium(path, signers[0].url, plans)
        for plan in plans:
            settings = path / plan.slug / "node.toml"
            settings.write_text(
                f"{settings.read_text('utf-8')}more_rpc_urls = [{others}]\n"
                f'[chain.finality]\nkind = "depth"\ndepth_blocks = {DEPTH_BLOCKS}\n',
                "utf-8",
            )
            runtime = open_runtime(path / plan.slug)
            stack.callback(runtime.close)
            open_log(runtime.node)
            resume_following(runtime.node)
            resume_sequencing(runtime.node)
            stack.enter_context(serving(runtime))
            consortium.runtimes[plan.slug] = runtime
        yield Way(consortium)


def endpoint_of(way: Way) -> int:
    chain = way.relier.chain
    assert isinstance(chain, EndpointsChain)
    return chain.current


def test_whole_way_with_a_signer_killed_and_restarted_in_it(
    way: Way, signers: list[Signer]
) -> None:
    enrolled = [
        way.enrol("my-registrar-01", OfficerRole.REGISTRAR),
        way.enrol("my-supervisor-01", OfficerRole.SUPERVISOR),
    ]
    material = way.register("J510107-2020-000000")
    way.settle(
        lambda: (
            way.is_anchored(way.relier, enrolled)
            and way.is_anchored(way.issuer, [material.commitment])
        )
    )

    signers[0].kill()  # the endpoint both cities ask
    head = signers[1].head()
    way.settle(lambda: endpoint_of(way) != 0 and signers[1].head() > head + 2)
    grant_id = way.consent("MY-geth")
    way.settle(lambda: way.sees_grant(grant_id))
    digest = way.request(grant_id, material, FIELDS)

    signers[0].start()
    signers[0].wait(head=head)
    way.settle(lambda: way.state_of(digest) in ENDED)
    assert way.state_of(digest) == "acknowledged"
    assert list(way.consortium.unanswered), "nothing was ever away"  # type: ignore[attr-defined]

    receipt_id = rely(way.relier, digest, "my-supervisor-01", OfficerRole.SUPERVISOR, "granted")
    way.settle(lambda: parse_receipt(complete_receipt(way.relier, receipt_id)).seal is not None)
    trust = parse_trust(build_trust_file(way.relier))
    verdict = verify_receipt(
        complete_receipt(way.relier, receipt_id),
        trust,
        sensitive_types=way.relier.sensitive_types,
    )
    assert [line.state for line in verdict.lines] == [LineState.HOLDS] * 4, verdict.codes
    assert [list_halts(node) for node in (way.issuer, way.relier)] == [[], []]
    assert signers[0].head() > head


def test_following_through_reorganisations_made_by_pausing_signers(
    way: Way, signers: list[Signer]
) -> None:
    rolled_back = 0
    deadline = time.monotonic() + ROTATION_S
    at = 0
    while rolled_back == 0:
        assert time.monotonic() < deadline, "no reorganisation came about"
        paused = signers[1 + at % 3]
        at += 1
        paused.send(signal.SIGSTOP)
        try:
            rolled_back += follow_for(way, 2.5)
        finally:
            paused.send(signal.SIGCONT)
        rolled_back += follow_for(way, 1.5)
    material = way.register(f"J510107-2020-{at:06}")
    way.settle(lambda: way.is_anchored(way.issuer, [material.commitment]))
    assert [list_halts(node) for node in (way.issuer, way.relier)] == [[], []]
    demand_same_history(way, signers)


def follow_for(way: Way, seconds: float) -> int:
    """Follow in quick rounds; how many blocks were given up."""
    ends, rolled_back = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        try:
            rolled_back += resume_following(way.issuer).rolled_back
        except UnavailableError:
            continue
        time.sleep(0.05)
    return rolled_back


def demand_same_history(way: Way, signers: list[Signer]) -> None:
    """What both cities took as final is what every signer has."""
    for node in (way.issuer, way.relier):
        with node.database.read() as tx:
            tip = tx.chain.load_tip()
            assert tip is not None
            block = tx.chain.find_block(tip.final_number)
        assert block is not None
        for each in signers:
            found = each.ask("eth_getBlockByNumber", hex(block.number), False)
            assert found["hash"] == "0x" + block.hash.hex()


def test_signers_bind_the_loopback_alone(signers: list[Signer]) -> None:
    ports = {port for each in signers for port in (each.peer_port, each.rpc_port, each.auth_port)}
    listening = {}
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, port = local.rsplit(":", 1)
            if state == "0A" and int(port, 16) in ports:
                listening[int(port, 16)] = address
    assert listening.keys() == ports
    assert set(listening.values()) == {"0100007F"}
