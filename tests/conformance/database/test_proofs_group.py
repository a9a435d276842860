"""Group `proofs` and the validators of followed headers, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger_node.core.event_types import CheckpointAnchored, Position
from ledger_node.core.types import (
    Address,
    BlockHash,
    BlockNumber,
    CityId,
    RootHash,
    TreeSize,
    TxHash,
)
from ledger_node.ports.chain import BlockRef, RawLog
from ledger_node.ports.database import Database
from ledger_node.ports.database_chain import ChainPins, FollowedBatch, FollowedTip, Place
from ledger_node.ports.database_proofs import ProofKind, ProofRow

pytestmark = pytest.mark.integration
LOG = Address(b"\x0c" * 20)
TX = TxHash(b"\x01" * 32)
FIRST, SECOND = (Address(b"\x01" * 20),), (Address(b"\x01" * 20), Address(b"\x02" * 20))
START = FollowedTip(
    number=BlockNumber(0),
    hash=BlockHash(bytes(32)),
    block_timestamp_s=1000,
    final_number=BlockNumber(0),
    head_number=BlockNumber(9),
    head_timestamp_s=1009,
    observed_at=datetime(2026, 11, 22, tzinfo=UTC),
    pins_checked_at=None,
)


def block(number: int, validators: tuple[Address, ...] = ()) -> BlockRef:
    parent, own = BlockHash(bytes([number - 1]) * 32), BlockHash(bytes([number]) * 32)
    return BlockRef(BlockNumber(number), own, parent, 1000 + number, validators=validators)


def anchor(number: int) -> tuple[RawLog, CheckpointAnchored]:
    log = RawLog(LOG, (), b"", BlockNumber(number), block(number).hash, TX, 0)
    position = Position(log.block_number, 0, TX, log.block_hash, 1000 + number, LOG)
    event = CheckpointAnchored(
        position, CityId("510107"), 0, TreeSize(number), RootHash(bytes([number]) * 32)
    )
    return log, event


def take_in(database: Database, blocks: list[BlockRef], final: int) -> FollowedTip:
    """Blocks from the first on, each with an anchor."""
    last = blocks[-1]
    after = replace(
        START,
        number=last.number,
        hash=last.hash,
        block_timestamp_s=last.block_timestamp_s,
        final_number=BlockNumber(final),
    )
    logs, events = zip(*(anchor(each.number) for each in blocks), strict=True)
    with database.transaction() as tx:
        tx.chain.open_following(ChainPins(1, START.hash, LOG, BlockNumber(1)), START)
        tx.chain.take_in(START, FollowedBatch(blocks, logs, events, after))
    return after


def test_list_unproven_anchors_are_the_final_ones_without_a_proof(database: Database) -> None:
    take_in(database, [block(1), block(2), block(3)], final=2)
    with database.read() as tx:
        places = tx.proofs.list_unproven_anchors(10)
        assert [place.block_number for place in places] == [1, 2]
        assert tx.proofs.list_unproven_anchors(1) == places[:1]
        assert tx.proofs.list_unproven_grants(BlockNumber(0), 10) == []
    row = ProofRow(BlockNumber(1), 0, ProofKind.LOG, block(1).hash, b"first")
    with database.transaction() as tx:
        tx.proofs.save_proof(row)
        tx.proofs.save_proof(replace(row, evidence=b"second"))
    with database.read() as tx:
        assert tx.proofs.list_unproven_anchors(10) == places[1:]
        assert tx.proofs.find_proof(places[0], ProofKind.LOG) == b"first"
        assert tx.proofs.find_proof(places[0], ProofKind.CREDENTIALS) is None
        other: Place = replace(places[0], block_hash=BlockHash(b"\x09" * 32))
        assert tx.proofs.find_proof(other, ProofKind.LOG) is None


def test_list_validators_has_a_row_where_the_set_changes_and_rolls_back(
    database: Database,
) -> None:
    sets = [(), FIRST, FIRST, SECOND, FIRST]
    blocks = [block(number, named) for number, named in enumerate(sets, start=1)]
    after = take_in(database, blocks, final=3)
    with database.read() as tx:
        assert tx.chain.list_validators() == [(2, FIRST), (4, SECOND), (5, FIRST)]
    with database.transaction() as tx:
        tx.chain.roll_back(after, replace(after, number=BlockNumber(4), hash=block(4).hash))
    with database.read() as tx:
        assert tx.chain.list_validators() == [(2, FIRST), (4, SECOND)]
