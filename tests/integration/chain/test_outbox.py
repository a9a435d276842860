"""The outbox: nonces from the database, the same bytes again, one open anchor, halts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete

from ledger_node.core.anchor import FinalityKind, FinalityPolicy, TxState
from ledger_node.core.errors import ConflictError
from ledger_node.core.event_types import KeyRole
from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import RootHash, TreeSize
from ledger_node.edges.database import tables_chain as t
from ledger_node.edges.database.engine import WRITES, build_engine
from ledger_node.flows import anchoring, following, outbox
from ledger_node.flows.chain_node import (
    ANCHOR_CONTRADICTED,
    GENERATION_CLOSED,
    LOG_BEHIND_CHAIN,
    NONCE_AHEAD,
    NONCE_FOREIGN,
)
from ledger_node.flows.halts import LedgerHaltedError
from ledger_node.flows.outbox import ContractCall
from ledger_node.ports.chain import ContractRevertError
from ledger_node.ports.keys import TransactionFields
from tests.integration.chain.support import CITY_LOG, GRANTS, City, fake_city, with_profile

pytestmark = pytest.mark.integration


def empty_call(kind: str = "record", reference: str = "r") -> ContractCall:
    """A call to an address without a contract: always mined."""
    return ContractCall(KeyRole.GATE, bytes(20), b"", kind, reference)  # type: ignore[arg-type]


def foreign_send(city: City, nonce: int, role: KeyRole = KeyRole.GATE) -> None:
    """Somebody else uses the key."""
    fields = TransactionFields(city.chain.chain_id, nonce, GRANTS, b"foreign", 100_000)
    city.chain.send_transactions([city.keys.sign_transaction(role, fields).raw])


def test_submit_refused_by_the_contract_stores_nothing(database: Any) -> None:
    city = fake_city(database)
    data = city.contracts.encode_anchor(7, TreeHead(TreeSize(9), RootHash(bytes(32))), ())
    call = ContractCall(KeyRole.ANCHOR, CITY_LOG, data, "anchor", "1/9")
    with pytest.raises(ContractRevertError):
        outbox.submit(city, call)
    with city.database.read() as tx:
        assert tx.outbox.list_open(10) == []
        assert [nonce for _, nonce in tx.outbox.list_accounts()] == [0]
    fitting = city.contracts.encode_anchor(0, TreeHead(TreeSize(9), RootHash(bytes(32))), ())
    row = outbox.submit(city, replace(call, data=fitting))
    assert row.nonce == 0


def test_submit_whose_link_fails_gives_the_nonce_back(database: Any) -> None:
    city = fake_city(database)

    def refuse(tx: Any, row: Any) -> None:
        raise ConflictError("已登记", "recorded already")

    with pytest.raises(ConflictError):
        outbox.submit(city, empty_call(), refuse)
    assert outbox.submit(city, empty_call()).nonce == 0
    assert outbox.submit(city, empty_call()).nonce == 1


def test_store_signed_by_many_threads_hands_out_each_nonce_once(
    database: Any, open_test_database: Callable[[], Any]
) -> None:
    city = fake_city(database)
    outbox.open_account(city, KeyRole.GATE)
    nonces: list[int] = []

    def work(number: int) -> None:
        mine = replace(city, database=open_test_database())
        for item in range(5):
            with mine.database.transaction() as tx:
                row = outbox.store_signed(mine, tx, empty_call(reference=f"{number}/{item}"))
            nonces.append(row.nonce)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(nonces) == list(range(20))
    outbox.resume_outbox(city)
    outbox.resume_outbox(city)
    with city.database.read() as tx:
        assert tx.outbox.list_open(100) == []
    assert city.chain.fetch_nonce(city.keys.account(KeyRole.GATE)) == 20


def test_resume_outbox_dropped_transaction_is_sent_again_as_the_same_bytes(database: Any) -> None:
    city = fake_city(database)
    city.chain.automine = False
    row = outbox.submit(city, empty_call())
    assert city.chain.drop_tx() == 1
    city.chain.mine()
    assert outbox.resume_outbox(city).sent == 0  # not yet overdue
    city.clock.push(16)
    assert outbox.resume_outbox(city).sent == 1
    city.chain.mine()
    outbox.resume_outbox(city)
    done = outbox.load_transaction(city, row.outbox_id)
    assert (done.state, done.raw, done.attempts) == (TxState.CONFIRMED, row.raw, 2)


def test_resume_outbox_accepted_then_failed_send_is_mined_once(database: Any) -> None:
    city = fake_city(database)
    city.chain.accept_then_fail_send()
    row = outbox.submit(city, empty_call())
    assert city.chain.fired == ["accept_then_fail_send"]
    assert outbox.load_transaction(city, row.outbox_id).state is TxState.SIGNED
    assert outbox.load_transaction(city, row.outbox_id).problem is not None
    outbox.resume_outbox(city)
    assert outbox.load_transaction(city, row.outbox_id).state is TxState.CONFIRMED
    assert city.chain.fetch_nonce(row.account) == 1


def test_resume_outbox_final_revert_is_failed_and_anchoring_tries_anew(database: Any) -> None:
    """Between simulation and block the contract's state moved: reverted, final, FAILED."""
    city = fake_city(database)
    city.chain.automine = False
    city.grow(5)
    anchoring.resume_anchoring(city)
    accounts = city.chain.contracts[CITY_LOG]._cities
    city.chain.contracts[CITY_LOG]._cities = {}
    city.chain.mine()
    outbox.resume_outbox(city)
    assert [row.state for row in city.rows()] == [TxState.FAILED]
    city.chain.contracts[CITY_LOG]._cities = accounts
    anchoring.resume_anchoring(city)
    city.chain.mine()
    outbox.resume_outbox(city)
    assert [row.state for row in city.rows()] == [TxState.FAILED, TxState.CONFIRMED]
    assert [row.nonce for row in city.rows()] == [0, 1]


def test_resume_outbox_nonce_ahead_of_database_halts_until_adopted(database: Any) -> None:
    """A database restored from before transactions that are on chain."""
    city = fake_city(database)
    outbox.open_account(city, KeyRole.GATE)
    assert outbox.resume_outbox(city).open == 0
    foreign_send(city, 0)
    with pytest.raises(LedgerHaltedError) as caught:
        outbox.resume_outbox(city)
    assert caught.value.reason == NONCE_AHEAD
    with pytest.raises(LedgerHaltedError):
        outbox.submit(city, empty_call())
    assert outbox.adopt_chain_nonce(city, KeyRole.GATE, by="审核员") == 1
    assert city.halts() == []
    assert outbox.submit(city, empty_call()).nonce == 1


def test_resume_outbox_nonce_used_by_others_fails_the_row_and_halts(database: Any) -> None:
    city = fake_city(database)
    city.chain.automine = False
    row = outbox.submit(city, empty_call())
    city.chain.drop_tx()
    foreign_send(city, 0)
    city.chain.mine()
    outbox.resume_outbox(city)  # noticed; receipts may only be late
    assert city.halts() == []
    city.clock.push(61)
    with pytest.raises(LedgerHaltedError) as caught:
        outbox.resume_outbox(city)
    assert caught.value.reason == NONCE_FOREIGN
    assert outbox.load_transaction(city, row.outbox_id).state is TxState.FAILED


def test_resume_outbox_lost_row_is_filled_so_that_later_ones_are_mined(
    database: Any, database_url: str
) -> None:
    city = fake_city(database)
    city.chain.automine = False
    lost = outbox.submit(city, empty_call(reference="lost"))
    kept = outbox.submit(city, empty_call(reference="kept"))
    engine = build_engine(database_url)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        table = t.outbox_transactions
        connection.execute(delete(table).where(table.c.outbox_id == lost.outbox_id))
    engine.dispose()
    city.chain.drop_tx()
    for _ in range(3):
        city.clock.push(16)
        outbox.resume_outbox(city)
        city.chain.mine()
    outbox.resume_outbox(city)
    assert outbox.load_transaction(city, kept.outbox_id).state is TxState.CONFIRMED
    with city.database.read() as tx:
        filler = tx.outbox.find_latest(outbox.GAP_KIND, "0")
    assert filler is not None
    assert filler.state is TxState.CONFIRMED


def test_advance_transaction_out_of_a_final_state_changes_nothing(database: Any) -> None:
    city = fake_city(database)
    row = outbox.submit(city, empty_call())
    outbox.resume_outbox(city)
    final = outbox.load_transaction(city, row.outbox_id)
    assert final.state is TxState.CONFIRMED
    with city.database.transaction() as tx:
        assert not tx.outbox.advance_transaction(final, replace(final, state=TxState.SIGNED))
        assert not tx.outbox.advance_transaction(row, replace(row, state=TxState.FAILED))
    assert outbox.load_transaction(city, row.outbox_id) == final


def test_store_second_open_anchor_is_refused_by_the_database(database: Any) -> None:
    city = fake_city(database)
    city.chain.automine = False
    city.grow(3)
    anchoring.resume_anchoring(city)
    call = ContractCall(KeyRole.ANCHOR, CITY_LOG, b"", "anchor", "1/3")
    with pytest.raises(ConflictError), city.database.transaction() as tx:
        outbox.store_signed(city, tx, call)
    city.chain.mine()
    outbox.resume_outbox(city)
    with city.database.transaction() as tx:
        assert outbox.store_signed(city, tx, call).nonce == 1


def test_resume_anchoring_waits_while_an_anchor_is_not_final(database: Any) -> None:
    city = fake_city(database, FinalityPolicy(FinalityKind.DEPTH, 3))
    city.chain.mine(4)
    city.grow(3)
    anchoring.resume_anchoring(city)
    city.grow(4)
    outbox.resume_outbox(city)
    assert [row.state for row in city.rows()] == [TxState.INCLUDED]
    assert anchoring.resume_anchoring(city).row is None
    city.chain.mine(3)
    outbox.resume_outbox(city)
    assert anchoring.resume_anchoring(city).row is not None
    city.chain.mine(3)
    outbox.resume_outbox(city)
    following.resume_following(city)
    assert [head.size for head in city.heads()] == [3, 7]


@pytest.mark.parametrize("policy", ["immediate", "depth", "finalized"])
def test_resume_outbox_confirms_by_the_engine_policy(policy: str, database: Any) -> None:
    kind = FinalityKind(policy)
    city = fake_city(database, FinalityPolicy(kind, 2 if policy == "depth" else 0))
    city.chain.mine(2)
    row = outbox.submit(city, empty_call())
    outbox.resume_outbox(city)
    included = TxState.CONFIRMED if policy == "immediate" else TxState.INCLUDED
    assert outbox.load_transaction(city, row.outbox_id).state is included
    city.chain.mine(2)
    city.chain.finalized = city.chain.fetch_head().number - 1
    outbox.resume_outbox(city)
    assert outbox.load_transaction(city, row.outbox_id).state is TxState.CONFIRMED


def anchored(city: City) -> City:
    city.grow(5)
    anchoring.resume_anchoring(city)
    outbox.resume_outbox(city)
    return city


def test_resume_anchoring_behind_the_chain_halts(database: Any) -> None:
    """A restored log that is shorter than what is anchored."""
    city = anchored(fake_city(database))
    city.head = TreeHead(TreeSize(5), city.head.root)
    other = fake_city(database, chain=city.chain)
    with database.transaction() as tx:
        for table in ("checkpoints",):
            tx.log._connection.exec_driver_sql(f"DELETE FROM {table}")
    other.grow(3)
    for resume in (anchoring.verify_log_head, anchoring.resume_anchoring):
        with pytest.raises(LedgerHaltedError) as caught:
            resume(other)  # type: ignore[operator]
        assert caught.value.reason == LOG_BEHIND_CHAIN


def test_resume_anchoring_contradicted_by_the_chain_halts(database: Any) -> None:
    """A log with another history than the anchored one."""
    city = anchored(fake_city(database))
    assert anchoring.verify_log_head(city).held == city.head
    with database.transaction() as tx:
        tx.log._connection.exec_driver_sql("DELETE FROM checkpoints")
    forked = fake_city(database, chain=city.chain)
    forked.grow(9, seed="another history")
    with pytest.raises(LedgerHaltedError) as caught:
        anchoring.resume_anchoring(forked)
    assert caught.value.reason == ANCHOR_CONTRADICTED
    assert city.halts() == [ANCHOR_CONTRADICTED]


def test_resume_anchoring_in_another_generation_halts(database: Any) -> None:
    city = anchored(fake_city(database))
    city.generation = 2
    with pytest.raises(LedgerHaltedError) as caught:
        anchoring.resume_anchoring(city)
    assert caught.value.reason == GENERATION_CLOSED


def test_wait_until_final_returns_the_confirmed_row(database: Any) -> None:
    city = with_profile(fake_city(database), resend_after_s=1.0)
    city.chain.fail_next(0)
    row = outbox.submit(city, empty_call())
    city.chain.fail_next(2)
    assert outbox.wait_until_final(city, row.outbox_id, 10).state is TxState.CONFIRMED
    city.chain.automine = False
    waiting = outbox.submit(city, empty_call())
    assert outbox.wait_until_final(city, waiting.outbox_id, 2).state is TxState.SUBMITTED
