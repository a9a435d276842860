"""Tables of step 3 (group `log`) and the halts. Private; heads can be checked against tiles."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from ledger_node.edges.database.columns import METADATA, Hash32, RowId, UtcTime

log_heads = Table(
    "log_heads",
    METADATA,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("size", RowId, nullable=False),
    Column("root", Hash32, nullable=False),
    Column("writer_term", RowId, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    METADATA,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("size", RowId, primary_key=True, autoincrement=False),
    Column("root", Hash32, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("published_at", UtcTime, nullable=False),
)

halts = Table(
    "halts",
    METADATA,
    Column("halt_id", RowId, primary_key=True, autoincrement=True),
    Column("reason", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("latched_at", UtcTime, nullable=False),
    Column("cleared_at", UtcTime),
    Column("cleared_by", Text),
)

# At most one standing halt per reason: latching again changes nothing.
standing_halts = Index(
    "uq_halts_standing",
    halts.c.reason,
    unique=True,
    sqlite_where=halts.c.cleared_at.is_(None),
    postgresql_where=halts.c.cleared_at.is_(None),
)
