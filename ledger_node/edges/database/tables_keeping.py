"""Table of the document store's housekeeping (group `keeping`). Private; may be emptied."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from ledger_node.edges.database.columns import METADATA, Hash32, UtcTime

document_orphans = Table(
    "document_orphans",
    METADATA,
    Column("address", Hash32, primary_key=True),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Index("ix_document_orphans_first_seen_at", "first_seen_at"),
)
