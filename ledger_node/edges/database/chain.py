"""Group `chain`: blocks, raw logs and the tip, in one transaction with what derives from them.

Queries over the derived rows are in `chain_queries.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ledger_node.core.event_types import ContractRole, Event
from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash
from ledger_node.edges.database import tables_chain as t
from ledger_node.edges.database.bulk import insert_columns
from ledger_node.edges.database.chain_derived import DERIVE
from ledger_node.edges.database.chain_queries import SqlChainQueries
from ledger_node.ports.chain import BlockRef, RawLog
from ledger_node.ports.database_chain import (
    ChainPins,
    FollowedBatch,
    FollowedTip,
    StaleTipError,
)

_WORD: Final = 32
_PAGE: Final = 5000

_PINS: Final = tuple(t.chain_following.c[field.name] for field in fields(ChainPins))
_TIP: Final = tuple(t.chain_following.c[field.name] for field in fields(FollowedTip))
_SWAP_TIP: Final = (
    update(t.chain_following)
    .where(
        t.chain_following.c.number == bindparam("old_number"),
        t.chain_following.c.hash == bindparam("old_hash"),
    )
    .values({field.name: bindparam(f"new_{field.name}") for field in fields(FollowedTip)})
)
_BLOCK: Final = (
    t.chain_blocks.c.number,
    t.chain_blocks.c.hash,
    t.chain_blocks.c.parent_hash,
    t.chain_blocks.c.block_timestamp_s,
)
LOGS: Final = select(
    t.chain_events.c.contract,
    t.chain_events.c.topics,
    t.chain_events.c.data,
    t.chain_events.c.block_number,
    t.chain_blocks.c.hash,
    t.chain_events.c.tx_hash,
    t.chain_events.c.log_index,
    t.chain_blocks.c.block_timestamp_s,
).join(t.chain_blocks, t.chain_blocks.c.number == t.chain_events.c.block_number)
_IN_ORDER: Final = (t.chain_events.c.block_number, t.chain_events.c.log_index)


class SqlChain(SqlChainQueries):
    """`ChainGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._connection = connection

    def _insert_if_absent(self, table: Any) -> Any:
        build: Any = (
            postgres_insert if self._connection.dialect.name == "postgresql" else sqlite_insert
        )
        return build(table).on_conflict_do_nothing()

    def open_following(self, pins: ChainPins, tip: FollowedTip) -> None:
        """The one row, inserted if absent."""
        values = {field.name: getattr(pins, field.name) for field in fields(pins)}
        values |= {field.name: getattr(tip, field.name) for field in fields(tip)}
        self._connection.execute(self._insert_if_absent(t.chain_following), {"id": 1, **values})

    def load_pins(self) -> ChainPins | None:
        """What was pinned at the first start."""
        row = self._connection.execute(select(*_PINS)).one_or_none()
        return None if row is None else ChainPins(*row)

    def load_tip(self) -> FollowedTip | None:
        """How far the chain is taken in."""
        row = self._connection.execute(select(*_TIP)).one_or_none()
        return None if row is None else FollowedTip(*row)

    def observe(self, before: FollowedTip, after: FollowedTip) -> None:
        """Swap the tip row."""
        swapped = self._connection.execute(
            _SWAP_TIP,
            {
                "old_number": before.number,
                "old_hash": before.hash,
                **{f"new_{field.name}": getattr(after, field.name) for field in fields(after)},
            },
        )
        if swapped.rowcount != 1:
            raise StaleTipError(before.number)

    def take_in(self, before: FollowedTip, batch: FollowedBatch) -> None:
        """Tip first: a second follower fails before it inserts."""
        self.observe(before, batch.tip)
        blocks, logs = batch.blocks, batch.logs
        insert_columns(
            self._connection,
            t.chain_blocks,
            {
                "number": [block.number for block in blocks],
                "hash": [block.hash for block in blocks],
                "parent_hash": [block.parent_hash for block in blocks],
                "block_timestamp_s": [block.block_timestamp_s for block in blocks],
            },
        )
        insert_columns(
            self._connection,
            t.chain_events,
            {
                "block_number": [log.block_number for log in logs],
                "log_index": [log.log_index for log in logs],
                "tx_hash": [log.tx_hash for log in logs],
                "contract": [log.address for log in logs],
                "topics": [b"".join(log.topics) for log in logs],
                "data": [log.data for log in logs],
            },
        )
        self._save_validators(blocks)
        self.save_derived(batch.events)

    def _save_validators(self, blocks: Sequence[BlockRef]) -> None:
        """One row wherever a block names another set than the one before."""
        known = self.list_validators()
        held = known[-1][1] if known else ()
        for block in blocks:
            if block.validators != held:
                held = block.validators
                row = {"from_block": block.number, "validators": b"".join(held)}
                self._connection.execute(insert(t.chain_validators).values(row))

    def list_validators(self) -> list[tuple[BlockNumber, tuple[Address, ...]]]:
        """Sets in chain order, each from the block that first names it."""
        c = t.chain_validators.c
        rows = self._connection.execute(
            select(c.from_block, c.validators).order_by(c.from_block)
        ).all()
        return [
            (
                BlockNumber(number),
                tuple(Address(packed[at : at + 20]) for at in range(0, len(packed), 20)),
            )
            for number, packed in rows
        ]

    def roll_back(self, before: FollowedTip, after: FollowedTip) -> None:
        """One DELETE per table."""
        self.observe(before, after)
        for table in (*t.DERIVED, t.chain_events):
            self._connection.execute(
                delete(table).where(table.c.block_number > bindparam("fork")),
                {"fork": after.number},
            )
        self._connection.execute(
            delete(t.chain_blocks).where(t.chain_blocks.c.number > after.number)
        )
        self._connection.execute(
            delete(t.chain_validators).where(t.chain_validators.c.from_block > after.number)
        )

    def list_block_hashes(self, numbers: Sequence[BlockNumber]) -> dict[BlockNumber, BlockHash]:
        """Hashes by number."""
        rows = self._connection.execute(
            select(t.chain_blocks.c.number, t.chain_blocks.c.hash).where(
                t.chain_blocks.c.number.in_(list(numbers))
            )
        )
        return {BlockNumber(row.number): BlockHash(row.hash) for row in rows}

    def find_block(self, number: BlockNumber) -> BlockRef | None:
        """A block taken in."""
        row = self._connection.execute(
            select(*_BLOCK).where(t.chain_blocks.c.number == number)
        ).one_or_none()
        return None if row is None else BlockRef(*row)

    def pin_code(self, contract: Address, code_hash: bytes) -> None:
        """Insert if absent."""
        self._connection.execute(
            self._insert_if_absent(t.chain_code_pins),
            {"contract": contract, "code_hash": code_hash},
        )

    def list_code_pins(self) -> dict[Address, bytes]:
        """Code hashes by contract."""
        rows = self._connection.execute(
            select(t.chain_code_pins.c.contract, t.chain_code_pins.c.code_hash)
        )
        return {Address(row.contract): row.code_hash for row in rows}

    def iterate_logs(self, first: BlockNumber, last: BlockNumber) -> Iterator[tuple[RawLog, int]]:
        """By pages of whole blocks, so that memory stays flat."""
        at, index = first, -1
        while True:
            page = [
                build_log(row)
                for row in self._connection.execute(
                    LOGS.where(
                        (t.chain_events.c.block_number > at)
                        | (
                            (t.chain_events.c.block_number == at)
                            & (t.chain_events.c.log_index > index)
                        ),
                        t.chain_events.c.block_number <= last,
                    )
                    .order_by(*_IN_ORDER)
                    .limit(_PAGE)
                )
            ]
            yield from page
            if len(page) < _PAGE:
                return
            at, index = page[-1][0].block_number, page[-1][0].log_index

    def list_membership_logs(self, *, up_to: BlockNumber | None = None) -> list[tuple[RawLog, int]]:
        """Logs of the pinned Membership."""
        statement = LOGS.where(
            t.chain_events.c.contract == select(t.chain_following.c.membership).scalar_subquery()
        ).order_by(*_IN_ORDER)
        if up_to is not None:
            statement = statement.where(t.chain_events.c.block_number <= up_to)
        return [build_log(row) for row in self._connection.execute(statement)]

    def list_contracts(self) -> dict[Address, ContractRole]:
        """Registered ones and Membership."""
        rows = self._connection.execute(
            select(t.chain_contracts.c.contract, t.chain_contracts.c.role)
        )
        contracts = {Address(row.contract): ContractRole(row.role) for row in rows}
        pins = self.load_pins()
        if pins is not None:
            contracts[pins.membership] = ContractRole.MEMBERSHIP
        return contracts

    def drop_derived(self) -> None:
        """Delete all derived rows; blocks and raw logs stay."""
        for table in t.DERIVED:
            self._connection.execute(delete(table))

    def save_derived(self, events: Iterable[Event]) -> None:
        """Bulk insert, one statement per table that has rows."""
        rows: dict[Any, list[dict[str, Any]]] = {}
        for event in events:
            derive = DERIVE.get(type(event))
            if derive is None:
                continue
            table, values = derive
            place = event.position
            rows.setdefault(table, []).append(
                {
                    "block_number": place.block_number,
                    "log_index": place.log_index,
                    **values(event),
                }
            )
        for table, records in rows.items():
            names = tuple(records[0])
            insert_columns(
                self._connection,
                table,
                {name: [record[name] for record in records] for name in names},
            )


def build_log(row: Any) -> tuple[RawLog, int]:
    """A row of `LOGS`: the log and its block's timestamp in seconds."""
    contract, topics, data, number, block_hash, tx_hash, log_index, timestamp_s = row
    return (
        RawLog(
            Address(contract),
            tuple(topics[start : start + _WORD] for start in range(0, len(topics), _WORD)),
            data,
            BlockNumber(number),
            BlockHash(block_hash),
            TxHash(tx_hash),
            log_index,
        ),
        timestamp_s,
    )
