"""Table of what was taken of the chain while it could be had (group `proofs`, step 9)."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from ledger_node.edges.database.columns import METADATA, Hash32, RowId

chain_proofs = Table(
    "chain_proofs",
    METADATA,
    Column("block_number", RowId, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("block_hash", Hash32, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
)
