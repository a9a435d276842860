"""Tables of mirrors, cosignatures, findings and recoveries (group `mirrors`, step 10)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from ledger_node.edges.database.columns import METADATA, Hash32, RowId, UtcTime

City = String(6)

mirrors = Table(
    "mirrors",
    METADATA,
    Column("city", City, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("size", RowId, nullable=False),
    Column("root", Hash32, nullable=False),
    Column("note", LargeBinary),
    Column("seen_size", RowId, nullable=False),
    Column("seen_root", Hash32, nullable=False),
    Column("seen_note", LargeBinary),
    Column("seen_at_s", RowId, nullable=False),
    Column("looked_at", UtcTime, nullable=False),
    Column("silent_since", UtcTime),
)

cosignatures = Table(
    "cosignatures",
    METADATA,
    Column("city", City, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("size", RowId, primary_key=True, autoincrement=False),
    Column("witness", City, primary_key=True),
    Column("root", Hash32, nullable=False),
    Column("cosigned_at_s", RowId, nullable=False),
    Column("note", LargeBinary, nullable=False),
)

log_findings = Table(
    "log_findings",
    METADATA,
    Column("finding_id", RowId, primary_key=True, autoincrement=True),
    Column("city", City, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("evidence", LargeBinary),
    Column("found_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", Text),
)

# At most one standing finding of a kind per log: finding it again changes nothing.
standing_findings = Index(
    "uq_log_findings_standing",
    log_findings.c.city,
    log_findings.c.generation,
    log_findings.c.kind,
    unique=True,
    sqlite_where=log_findings.c.ended_at.is_(None),
    postgresql_where=log_findings.c.ended_at.is_(None),
)

log_recoveries = Table(
    "log_recoveries",
    METADATA,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("old_size", RowId, primary_key=True, autoincrement=False),
    Column("size", RowId, primary_key=True, autoincrement=False),
    Column("source", City, nullable=False),
    Column("lost", RowId, nullable=False),
    Column("recovered_at", UtcTime, nullable=False),
)
