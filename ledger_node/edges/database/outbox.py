"""Group `outbox`: accounts and their nonces, signed transactions, anchors (steps 4 and 5)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ledger_node.core.anchor import FINAL_STATES, TxState
from ledger_node.core.errors import NotFoundError
from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import Address, RootHash, TreeSize, TxHash
from ledger_node.edges.database.tables_chain import (
    anchors,
    outbox_accounts,
    outbox_transactions,
)
from ledger_node.ports.database_chain import AnchorRow, OutboxRow


class OutboxNotFoundError(NotFoundError):
    """The outbox has no such account or transaction."""

    code = "outbox_not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"发件箱中没有{what}。", f"The outbox has no {what}.", what=what)


_COLUMNS: Final = tuple(outbox_transactions.c[field.name] for field in fields(OutboxRow))
_OPEN: Final = outbox_transactions.c.state.not_in([state.value for state in FINAL_STATES])
_LIST_OPEN: Final = (
    select(*_COLUMNS)
    .where(_OPEN)
    .order_by(outbox_transactions.c.account, outbox_transactions.c.nonce)
    .limit(bindparam("limit"))
)
_MUTABLE: Final = (
    "state",
    "block_number",
    "block_hash",
    "gas_used",
    "attempts",
    "sent_at",
    "missing_since",
    "problem",
)


class SqlOutbox:
    """`OutboxGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_account(self, account: Address, first_nonce: int) -> int:
        """The account row, inserted if absent."""
        build: Any = (
            postgres_insert if self._connection.dialect.name == "postgresql" else sqlite_insert
        )
        self._connection.execute(
            build(outbox_accounts).on_conflict_do_nothing(),
            {"account": account, "next_nonce": first_nonce},
        )
        return int(
            self._connection.execute(
                select(outbox_accounts.c.next_nonce).where(outbox_accounts.c.account == account)
            ).scalar_one()
        )

    def list_accounts(self) -> list[tuple[Address, int]]:
        """All accounts."""
        rows = self._connection.execute(
            select(outbox_accounts.c.account, outbox_accounts.c.next_nonce).order_by(
                outbox_accounts.c.account
            )
        )
        return [(Address(row.account), row.next_nonce) for row in rows]

    def take_nonce(self, account: Address) -> int:
        """Raise and return; the row stays locked until the transaction ends."""
        taken = self._connection.execute(
            update(outbox_accounts)
            .where(outbox_accounts.c.account == account)
            .values(next_nonce=outbox_accounts.c.next_nonce + 1)
            .returning(outbox_accounts.c.next_nonce)
        ).scalar_one_or_none()
        if taken is None:
            raise OutboxNotFoundError(f"account {account.hex()}")
        return int(taken) - 1

    def adopt_nonce(self, account: Address, before: int, next_nonce: int) -> bool:
        """A person's decision after a restore."""
        swapped = self._connection.execute(
            update(outbox_accounts)
            .where(outbox_accounts.c.account == account, outbox_accounts.c.next_nonce == before)
            .values(next_nonce=next_nonce)
        )
        return swapped.rowcount == 1

    def save_transaction(self, row: OutboxRow) -> int:
        """Insert; the database refuses a second open anchor."""
        values = {
            field.name: getattr(row, field.name)
            for field in fields(OutboxRow)
            if field.name != "outbox_id"
        }
        values["state"] = row.state.value
        return int(
            self._connection.execute(
                insert(outbox_transactions)
                .values(values)
                .returning(outbox_transactions.c.outbox_id)
            ).scalar_one()
        )

    def load_transaction(self, outbox_id: int) -> OutboxRow:
        """One row."""
        row = self._connection.execute(
            select(*_COLUMNS).where(outbox_transactions.c.outbox_id == outbox_id)
        ).one_or_none()
        if row is None:
            raise OutboxNotFoundError(f"transaction {outbox_id}")
        return _outbox_row(row)

    def find_transaction(self, tx_hash: TxHash) -> OutboxRow | None:
        """By transaction hash."""
        row = self._connection.execute(
            select(*_COLUMNS).where(outbox_transactions.c.tx_hash == tx_hash)
        ).one_or_none()
        return None if row is None else _outbox_row(row)

    def find_latest(self, kind: str, reference: str) -> OutboxRow | None:
        """The newest attempt."""
        row = self._connection.execute(
            select(*_COLUMNS)
            .where(outbox_transactions.c.kind == kind, outbox_transactions.c.reference == reference)
            .order_by(outbox_transactions.c.outbox_id.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else _outbox_row(row)

    def list_open(self, limit: int, *, kind: str | None = None) -> list[OutboxRow]:
        """Not final, by account and nonce."""
        statement = (
            _LIST_OPEN if kind is None else _LIST_OPEN.where(outbox_transactions.c.kind == kind)
        )
        return [_outbox_row(row) for row in self._connection.execute(statement, {"limit": limit})]

    def list_nonces(self, account: Address, first: int) -> list[int]:
        """Nonces that have a row."""
        return list(
            self._connection.execute(
                select(outbox_transactions.c.nonce)
                .where(
                    outbox_transactions.c.account == account, outbox_transactions.c.nonce >= first
                )
                .order_by(outbox_transactions.c.nonce)
            ).scalars()
        )

    def advance_transaction(self, before: OutboxRow, after: OutboxRow) -> bool:
        """Compare-and-swap on state and attempts."""
        values = {name: getattr(after, name) for name in _MUTABLE}
        values["state"] = after.state.value
        swapped = self._connection.execute(
            update(outbox_transactions)
            .where(
                outbox_transactions.c.outbox_id == before.outbox_id,
                outbox_transactions.c.state == before.state.value,
                outbox_transactions.c.attempts == before.attempts,
                _OPEN,
            )
            .values(values)
        )
        return swapped.rowcount == 1

    def save_anchor(self, row: AnchorRow) -> None:
        """The tree head beside its transaction."""
        self._connection.execute(
            insert(anchors).values(
                outbox_id=row.outbox_id,
                generation=row.generation,
                old_size=row.old_size,
                size=row.tree_head.size,
                root=row.tree_head.root,
                created_at=row.created_at,
            )
        )

    def list_anchors(self, limit: int = 100) -> list[AnchorRow]:
        """Newest first."""
        rows = self._connection.execute(
            select(
                anchors.c.generation,
                anchors.c.old_size,
                anchors.c.size,
                anchors.c.root,
                anchors.c.outbox_id,
                anchors.c.created_at,
            )
            .order_by(anchors.c.outbox_id.desc())
            .limit(limit)
        )
        return [
            AnchorRow(
                row.generation,
                row.old_size,
                TreeHead(TreeSize(row.size), RootHash(row.root)),
                row.outbox_id,
                row.created_at,
            )
            for row in rows
        ]


def _outbox_row(record: Any) -> OutboxRow:
    row = OutboxRow(*record)
    return replace(row, state=TxState(row.state))
