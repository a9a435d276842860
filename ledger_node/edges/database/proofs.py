"""Group `proofs`: what was taken of the chain while it could be had (step 9)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ledger_node.core.types import BlockNumber, GrantId
from ledger_node.edges.database.chain_queries import GRANTS, HEADS, PLACE_WIDTH, build_place
from ledger_node.edges.database.rows import row_values
from ledger_node.edges.database.tables_chain import chain_following, chain_grants, chain_heads
from ledger_node.edges.database.tables_exchange import grants
from ledger_node.edges.database.tables_proofs import chain_proofs
from ledger_node.ports.database_chain import Place
from ledger_node.ports.database_proofs import ProofKind, ProofRow

_FINAL = select(chain_following.c.final_number).scalar_subquery()


class SqlProofs:
    """`ports.database_proofs.ProofGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_proof(self, row: ProofRow) -> None:
        postgres = self._connection.dialect.name == "postgresql"
        build: Any = postgres_insert if postgres else sqlite_insert
        insert = build(chain_proofs).values({**row_values(row), "kind": row.kind.value})
        self._connection.execute(insert.on_conflict_do_nothing())

    def find_proof(self, place: Place, kind: ProofKind) -> bytes | None:
        c = chain_proofs.c
        found = self._connection.execute(
            select(c.evidence).where(
                c.block_number == place.block_number,
                c.log_index == place.log_index,
                c.kind == kind.value,
                c.block_hash == place.block_hash,
            )
        ).scalar()
        return None if found is None else bytes(found)

    def list_unproven_anchors(self, limit: int) -> list[Place]:
        rows = self._connection.execute(_unproven(HEADS, chain_heads, ProofKind.LOG).limit(limit))
        return [build_place(row) for row in rows]

    def list_unproven_grants(
        self, first_block: BlockNumber, limit: int
    ) -> list[tuple[GrantId, Place]]:
        held = exists().where(grants.c.grant_id == chain_grants.c.grant_id)
        rows = self._connection.execute(
            _unproven(GRANTS, chain_grants, ProofKind.CREDENTIALS)
            .where(held, chain_grants.c.block_number >= first_block)
            .limit(limit)
        )
        return [(GrantId(row[PLACE_WIDTH]), build_place(row)) for row in rows]


def _unproven(rows: Any, table: Table, kind: ProofKind) -> Any:
    """Final rows of a derived table whose place has no proof of a kind, oldest first."""
    proven: ColumnElement[bool] = exists().where(
        and_(
            chain_proofs.c.block_number == table.c.block_number,
            chain_proofs.c.log_index == table.c.log_index,
            chain_proofs.c.kind == kind.value,
        )
    )
    return rows.where(table.c.block_number <= _FINAL, ~proven).order_by(
        table.c.block_number, table.c.log_index
    )
