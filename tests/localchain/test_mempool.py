"""What is taken into the pool, and in which order blocks take it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from ledger_node.localchain import mempool
from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.clock import ClockMode
from ledger_node.localchain.errors import ChainStoppedError, TransactionRejectedError
from ledger_node.localchain.settings import GenesisSettings
from ledger_node.localchain.store import Store
from tests.localchain.bytecode import CREATION
from tests.localchain.support import CHAIN_ID, Sender

pytestmark = pytest.mark.integration


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data")
    yield store
    store.close()


@pytest.fixture
def chain(store: Store) -> LocalChain:
    chain = LocalChain(store, GenesisSettings(CHAIN_ID), ClockMode.TEST)
    chain.automine = False
    return chain


def _nonce(chain: LocalChain, sender: Sender) -> int:
    address = bytes.fromhex(sender.account.address[2:])
    return chain.state_at(chain.head).get_nonce(address)  # type: ignore[arg-type]


def test_submit_nonce_gap_waits_until_it_is_filled(chain: LocalChain, store: Store) -> None:
    sender = Sender()
    raws = [sender.sign(None, CREATION) for _ in range(4)]
    chain.submit(raws[3])
    chain.make_block()
    assert (_nonce(chain, sender), store.load_pending()) == (0, [raws[3]])
    for position in (1, 0):
        chain.submit(raws[position])
    chain.make_block()
    assert _nonce(chain, sender) == 2
    assert store.load_pending() == [raws[3]]
    assert chain.pending_nonce(bytes.fromhex(sender.account.address[2:])) == 2
    reopened = LocalChain(store, GenesisSettings(CHAIN_ID), ClockMode.TEST)
    reopened.submit(raws[2])
    assert _nonce(reopened, sender) == 4
    assert store.load_pending() == []


def test_iter_ready_two_senders_keep_arrival_order_within_nonces(chain: LocalChain) -> None:
    first, second = Sender(), Sender()
    early = [first.sign(None, CREATION) for _ in range(2)]
    order = [early[1], second.sign(None, CREATION), early[0]]
    hashes = [chain.submit(raw) for raw in order]
    chain.make_block()
    block = chain.chaindb().get_block_transaction_hashes(chain.head)
    assert list(block) == [hashes[1], hashes[2], hashes[0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chainId": CHAIN_ID + 1}, "invalid chain id"),
        ({"gas": 100_000_001}, "exceeds block gas limit"),
        ({"gas": 30_000}, "intrinsic gas too low"),
        ({"gasPrice": 1}, "insufficient funds"),
        ({"value": 1}, "insufficient funds"),
        ({"nonce": 10_001}, "nonce too high"),
        ({"data": bytes(140_000)}, "oversized data"),
    ],
)
def test_submit_one_thing_wrong_is_refused_and_not_stored(
    chain: LocalChain, store: Store, change: dict[str, object], message: str
) -> None:
    sender = Sender()
    with pytest.raises(TransactionRejectedError, match=message):
        chain.submit(sender.sign(None, **{"data": CREATION} | change))  # type: ignore[arg-type]
    assert store.load_pending() == []
    sender.nonce = 0
    assert chain.submit(sender.sign(None, CREATION))


def test_submit_same_nonce_again_is_refused(chain: LocalChain) -> None:
    sender = Sender()
    raw = sender.sign(None, CREATION)
    chain.submit(raw)
    with pytest.raises(TransactionRejectedError, match="already known"):
        chain.submit(raw)
    sender.nonce = 0
    with pytest.raises(TransactionRejectedError, match="replacement transaction underpriced"):
        chain.submit(sender.sign(None, CREATION + b"\x00"))
    chain.make_block()
    with pytest.raises(TransactionRejectedError, match="nonce too low"):
        chain.submit(raw)


def test_submit_without_chain_id_is_refused(chain: LocalChain) -> None:
    account = Account.create()
    fields = {"nonce": 0, "gas": 90_000, "gasPrice": 0, "value": 0, "to": b"", "data": b"\x00"}
    with pytest.raises(TransactionRejectedError, match="replay-protected"):
        chain.submit(bytes(account.sign_transaction(fields).raw_transaction))


def test_submit_every_truncation_of_each_type_is_refused(chain: LocalChain, store: Store) -> None:
    for kind in (0, 1, 2):
        raw = Sender().sign(None, b"\x00", kind)
        for length in range(len(raw)):
            with pytest.raises(TransactionRejectedError):
                chain.submit(raw[:length])
        with pytest.raises(TransactionRejectedError):
            chain.submit(raw + b"\x00")
    for first in range(0x80):
        with pytest.raises(TransactionRejectedError):
            chain.submit(bytes([first]) + b"\xc0")
    assert store.load_pending() == []


def test_submit_deeply_nested_list_is_refused(chain: LocalChain) -> None:
    nested = b"\xc0"
    while len(nested) < 100_000:
        size = len(nested).to_bytes(4, "big").lstrip(b"\x00")
        short = len(nested) < 56
        nested = (
            bytes([0xC0 + len(nested)]) if short else bytes([0xF7 + len(size)]) + size
        ) + nested
    for raw in (nested, b"\x01" + nested, b"\x02" + nested):
        began_s = time.process_time()
        with pytest.raises(TransactionRejectedError, match="malformed"):
            chain.submit(raw)
        assert time.process_time() - began_s < 0.5
    slots = [{"address": "0x" + "11" * 20, "storageKeys": ["0x" + "22" * 32] * 3}] * 2
    assert chain.submit(Sender().sign(None, CREATION, 1, accessList=slots))


def test_submit_full_pool_is_refused(chain: LocalChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mempool, "MAX_TRANSACTIONS", 1)
    sender = Sender()
    chain.submit(sender.sign(None, CREATION))
    with pytest.raises(TransactionRejectedError, match="txpool is full"):
        chain.submit(sender.sign(None, CREATION))


def test_make_block_over_gas_limit_leaves_the_rest_waiting(chain: LocalChain) -> None:
    sender = Sender()
    for _ in range(3):
        chain.submit(sender.sign(None, CREATION, gas=40_000_000))
    chain.make_block()
    assert _nonce(chain, sender) == 3  # gas used counts, not the limits of those before
    for _ in range(3):
        chain.submit(sender.sign(None, b"\xfe", gas=40_000_000))  # INVALID burns all of it
    chain.make_block()
    assert _nonce(chain, sender) == 5
    chain.make_block()
    assert _nonce(chain, sender) == 6


def test_make_block_over_half_full_keeps_gas_free(chain: LocalChain) -> None:
    sender = Sender()
    chain.submit(sender.sign(None, b"\xfe", gas=90_000_000))
    chain.make_block()
    assert chain.head.gas_used == 90_000_000
    chain.submit(sender.sign(None, CREATION))
    chain.make_block()
    assert (chain.head.base_fee_per_gas, chain.head.gas_limit) == (0, 100_000_000)
    assert _nonce(chain, sender) == 2


def test_make_block_spent_balance_drops_the_second_spender(store: Store) -> None:
    sender = Sender()
    rich = bytes.fromhex(sender.account.address[2:])
    settings = GenesisSettings(CHAIN_ID, balances_wei={rich: 10})
    chain = LocalChain(store, settings, ClockMode.TEST)
    chain.automine = False
    for _ in range(2):
        chain.submit(sender.sign("0x" + "33" * 20, b"", value=7))
    chain.make_block()
    assert _nonce(chain, sender) == 1
    assert store.load_pending() == []
    assert chain.pending_nonce(rich) == 1


def test_make_block_after_failed_commit_refuses_until_restart(
    chain: LocalChain, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store, "commit_block", fail)
    with pytest.raises(OSError, match="disk full"):
        chain.make_block()
    monkeypatch.undo()
    with pytest.raises(ChainStoppedError):
        chain.make_block()
    assert chain.head.block_number == 0
