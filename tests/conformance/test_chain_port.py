"""One suite for `ports.chain.Chain`: the fake in memory, the local chain, and anvil."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from eth_hash.auto import keccak

from ledger_node.core.block_header import parse_block_header
from ledger_node.core.bloom import compute_bloom
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.log_proof import verify_log
from ledger_node.core.merkle import TreeHead
from ledger_node.core.qbft import compute_block_hash
from ledger_node.core.storage_layout import compute_head_slots
from ledger_node.core.storage_proof import verify_account, verify_slot
from ledger_node.core.types import Address, BlockNumber, CityId, RootHash, TreeSize, TxHash
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.chain.contracts import ContractCalls
from ledger_node.ports.chain import (
    ChainContradictionError,
    ChainUnavailableError,
    ContractRevertError,
    TransactionRefusedError,
    TxOutcome,
)
from ledger_node.ports.keys import SignedTransaction, TransactionFields
from tests.integration.chain.support import (
    CITY_LOG,
    MEMBERSHIP,
    PlainKeys,
    WallClock,
    deploy,
    fake_chain,
)
from tests.localchain.support import CHAIN_ID, running_anvil, running_chain

pytestmark = pytest.mark.integration
UNUSED = Address(b"\x99" * 20)


@dataclass
class Setup:
    """A chain with a consortium, and accounts that may anchor one after the other."""

    chain: Any
    membership: Address
    city_log: Address
    first_block: int
    fresh_cities: list[str]
    open_other: Callable[[int], Any] | None = None

    def sign(self, city: str, nonce: int, size: int, old_size: int = 0) -> SignedTransaction:
        data = ContractCalls(self.chain).encode_anchor(old_size, head(size), ())
        fields = TransactionFields(CHAIN_ID, nonce, self.city_log, data, 1_000_000)
        return PlainKeys(city).sign_transaction(KeyRole.ANCHOR, fields)

    def account(self, city: str) -> Address:
        return PlainKeys(city).account(KeyRole.ANCHOR)

    def wait(self, tx_hash: TxHash) -> TxOutcome:
        deadline = time.monotonic() + 20
        while True:
            (outcome,) = self.chain.fetch_outcomes([tx_hash])
            if outcome is not None:
                return outcome
            assert time.monotonic() < deadline, "not mined"
            time.sleep(0.02)


def head(size: int) -> TreeHead:
    return TreeHead(TreeSize(size), RootHash(bytes([size]) * 32))


def _real(url: str) -> Setup:
    cities = [f"51{number:04d}" for number in range(101, 109)]
    deployment = deploy(EvmChain(url), WallClock(), cities)
    return Setup(
        EvmChain(url, CHAIN_ID),
        deployment.membership,
        deployment.contracts[ContractRole.CITY_LOG],
        deployment.first_block,
        cities,
        lambda chain_id: EvmChain(url, chain_id),
    )


@pytest.fixture(scope="module", params=["fake", "anvil", "localchain"])
def setup(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Setup]:
    if request.param == "fake":
        chain = fake_chain()
        anchors = chain.contracts[CITY_LOG]
        cities = [f"51{number:04d}" for number in range(101, 109)]
        anchors._cities = {PlainKeys(city).account(KeyRole.ANCHOR): int(city) for city in cities}
        yield Setup(chain, MEMBERSHIP, CITY_LOG, 0, cities)
    elif request.param == "anvil":
        with running_anvil() as url:
            yield _real(url)
    else:
        data = tmp_path_factory.mktemp("chain") / "data"
        with running_chain(data, "--clock", "test") as process:
            yield _real(process.url)


def test_fetch_identity_of_a_chain_is_its_id_and_block_zero(setup: Setup) -> None:
    identity = setup.chain.fetch_identity()
    assert identity.chain_id == CHAIN_ID
    assert identity.genesis_hash == setup.chain.fetch_blocks([BlockNumber(0)])[0].hash


def test_fetch_head_of_another_chain_raises_contradiction(setup: Setup) -> None:
    if setup.open_other is None:
        return  # the fake is its own chain: nothing to mistake
    with pytest.raises(ChainContradictionError):
        setup.open_other(CHAIN_ID + 1).fetch_head()
    assert setup.open_other(CHAIN_ID).fetch_head().number > 0


def test_fetch_blocks_are_linked_and_none_beyond_the_head(setup: Setup) -> None:
    top = setup.chain.fetch_head()
    numbers = [BlockNumber(number) for number in range(top.number + 2)]
    *blocks, beyond = setup.chain.fetch_blocks(numbers)
    assert beyond is None
    assert [block.number for block in blocks] == numbers[:-1]
    assert all(later.parent_hash == earlier.hash for earlier, later in pairwise(blocks))
    assert blocks[-1] == top


def test_send_transactions_twice_is_mined_once(setup: Setup) -> None:
    city = setup.fresh_cities.pop()
    signed = setup.sign(city, 0, 3)
    assert setup.chain.fetch_outcomes([signed.tx_hash]) == [None]
    assert setup.chain.send_transactions([signed.raw]) == [keccak(signed.raw)] == [signed.tx_hash]
    outcome = setup.wait(signed.tx_hash)
    assert outcome.succeeded
    assert setup.chain.send_transactions([signed.raw]) == [signed.tx_hash]
    assert setup.chain.fetch_nonce(setup.account(city)) == 1
    assert (
        setup.chain.fetch_nonce(setup.account(city), block=BlockNumber(outcome.block_number - 1))
        == 0
    )
    assert setup.wait(signed.tx_hash) == outcome


def test_send_transactions_with_a_nonce_gap_waits_for_the_gap(setup: Setup) -> None:
    city = setup.fresh_cities.pop()
    first, second = setup.sign(city, 0, 2), setup.sign(city, 1, 4, old_size=9)
    setup.chain.send_transactions([second.raw])
    assert setup.chain.fetch_outcomes([second.tx_hash]) == [None]
    setup.chain.send_transactions([first.raw])
    assert setup.wait(first.tx_hash).succeeded
    late = setup.wait(second.tx_hash)
    assert not late.succeeded  # old size 9 is refused: mined, reverted
    assert setup.chain.fetch_nonce(setup.account(city)) == 2


def test_send_transactions_of_garbage_is_refused(setup: Setup) -> None:
    with pytest.raises(TransactionRefusedError):
        setup.chain.send_transactions([b"\x01\x02\x03"])


def test_call_that_reverts_raises_the_typed_error(setup: Setup) -> None:
    city = setup.fresh_cities.pop()
    calls = ContractCalls(setup.chain)
    data = calls.encode_anchor(7, head(9), ())
    with pytest.raises(ContractRevertError) as caught:
        setup.chain.call(setup.city_log, data, sender=setup.account(city))
    assert caught.value.name == "CityLogWrongOldSize"
    assert caught.value.arguments == {"heldSize": 0, "oldSize": 7}
    assert caught.value.code == "city_log_wrong_old_size"
    with pytest.raises(ContractRevertError):
        setup.chain.estimate_gas(setup.city_log, data, sender=setup.account(city))
    fitting = calls.encode_anchor(0, head(9), ())
    assert setup.chain.call(setup.city_log, fitting, sender=setup.account(city)) == b""
    assert setup.chain.estimate_gas(setup.city_log, fitting, sender=setup.account(city)) > 21_000


def test_call_from_a_foreign_account_names_the_missing_right(setup: Setup) -> None:
    data = ContractCalls(setup.chain).encode_anchor(0, head(9), ())
    with pytest.raises(ContractRevertError) as caught:
        setup.chain.call(setup.city_log, data, sender=UNUSED)
    assert caught.value.name == "MembershipNotAuthorised"


def test_call_at_a_past_block_sees_what_was_held_then(setup: Setup) -> None:
    city = setup.fresh_cities.pop()
    calls = ContractCalls(setup.chain)
    signed = setup.sign(city, 0, 5)
    setup.chain.send_transactions([signed.raw])
    outcome = setup.wait(signed.tx_hash)
    held = calls.fetch_head(setup.city_log, city, block=outcome.block_number)  # type: ignore[arg-type]
    assert (held.generation, held.tree_head, held.block_number) == (
        1,
        head(5),
        outcome.block_number,
    )
    before = BlockNumber(outcome.block_number - 1)
    assert calls.fetch_head(setup.city_log, city, block=before).tree_head.size == 0  # type: ignore[arg-type]
    assert calls.fetch_current_contract(setup.membership, 0) == setup.city_log


def test_fetch_logs_are_complete_ordered_and_of_the_asked_contracts(setup: Setup) -> None:
    city = setup.fresh_cities.pop()
    signed = setup.sign(city, 0, 6)
    setup.chain.send_transactions([signed.raw])
    number = setup.wait(signed.tx_hash).block_number
    (block,) = setup.chain.fetch_blocks([number])
    whole = setup.chain.fetch_logs(number, number, [])
    assert [log.log_index for log in whole] == list(range(len(whole)))
    assert {log.block_hash for log in whole} == {block.hash}
    items = (item for log in whole for item in (log.address, *log.topics))
    assert compute_bloom(items) == block.logs_bloom
    (anchored,) = setup.chain.fetch_logs(number, number, [setup.city_log])
    assert anchored.tx_hash == signed.tx_hash
    assert block.tx_hashes == (signed.tx_hash,)
    assert setup.wait(signed.tx_hash).log_count == len(whole) == 1
    assert int.from_bytes(anchored.topics[1], "big") == int(city)
    assert setup.chain.fetch_logs(number, number, [UNUSED]) == []
    top = setup.chain.fetch_head().number
    everything = setup.chain.fetch_logs(BlockNumber(0), top, [setup.city_log, setup.membership])
    places = [(log.block_number, log.log_index) for log in everything]
    assert places == sorted(set(places))
    assert anchored in everything


def test_fetch_log_proof_of_an_anchor_leads_to_the_header_of_its_block(setup: Setup) -> None:
    if setup.open_other is None:
        return  # the fake has no headers
    city = setup.fresh_cities.pop()
    signed = setup.sign(city, 0, 6)
    setup.chain.send_transactions([signed.raw])
    number = setup.wait(signed.tx_hash).block_number
    (block,) = setup.chain.fetch_blocks([number])
    header = parse_block_header(setup.chain.fetch_header(number))
    assert compute_block_hash(header) == block.hash
    (anchored,) = setup.chain.fetch_logs(number, number, [setup.city_log])
    found = setup.chain.fetch_log_proof(number, anchored.log_index)
    log = verify_log(header.receipts_root, found.transaction, found.log, found.proof)
    assert (log.address, log.topics, log.data) == (
        anchored.address,
        anchored.topics,
        anchored.data,
    )
    with pytest.raises(ChainUnavailableError):
        setup.chain.fetch_log_proof(number, anchored.log_index + 1)


def test_fetch_account_proof_at_a_past_block_leads_to_its_header(setup: Setup) -> None:
    if setup.open_other is None:
        return  # the fake has no headers
    city = setup.fresh_cities.pop()
    signed = setup.sign(city, 0, 6)
    setup.chain.send_transactions([signed.raw])
    number = setup.wait(signed.tx_hash).block_number
    root_slot, _ = compute_head_slots(CityId(city))
    words = []
    for at in (number - 1, number):
        header = parse_block_header(setup.chain.fetch_header(BlockNumber(at)))
        found = setup.chain.fetch_account_proof(BlockNumber(at), setup.city_log, [root_slot])
        account = verify_account(header.state_root, setup.city_log, found.proof)
        assert account is not None
        assert account.code_hash == setup.chain.fetch_code_hash(setup.city_log)
        words.append(verify_slot(account.storage_root, root_slot, found.slots[0].proof))
    assert words == [0, int.from_bytes(head(6).root)]
    empty = setup.chain.fetch_account_proof(number, setup.membership, [bytes(32)])
    assert empty.slots[0].slot == bytes(32)


def test_fetch_header_beyond_the_head_is_no_answer(setup: Setup) -> None:
    beyond = BlockNumber(setup.chain.fetch_head().number + 5)
    with pytest.raises(ChainUnavailableError):
        setup.chain.fetch_header(beyond)


def test_fetch_code_hash_of_an_empty_address_is_the_hash_of_nothing(setup: Setup) -> None:
    assert setup.chain.fetch_code_hash(UNUSED) == keccak(b"")
    assert setup.chain.fetch_code_hash(setup.city_log) not in (
        keccak(b""),
        setup.chain.fetch_code_hash(setup.membership),
    )
