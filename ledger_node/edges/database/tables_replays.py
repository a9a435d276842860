"""Table of the auditor's replays (group `replays`). Private: who asked, and what came of it."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from ledger_node.edges.database.columns import METADATA, RowId, UtcTime

replays = Table(
    "replays",
    METADATA,
    Column("replay_id", RowId, primary_key=True, autoincrement=True),
    Column("open_slot", SmallInteger),  # 1 while open, else NULL: at most one row has it
    Column("requested_by", String(64), nullable=False),
    Column("requested_at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("sample", Integer),
    Column("cancel_asked", Boolean, nullable=False),
    Column("worker", LargeBinary(16)),
    Column("attempts", Integer, nullable=False),
    Column("stage", String(64), nullable=False),
    Column("done", RowId, nullable=False),
    Column("total", RowId, nullable=False),
    Column("started_at", UtcTime),
    Column("beat_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("as_of_block", RowId),
    Column("blocks", RowId),
    Column("events", RowId),
    Column("entries", RowId),
    Column("discrepancies", RowId),
    Column("report", LargeBinary),
    Column("problem_code", String(64)),
    UniqueConstraint("open_slot"),
)
