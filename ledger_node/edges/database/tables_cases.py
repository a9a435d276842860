"""Tables of cases and what goes back to the systems they came from. Private."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from ledger_node.edges.database.columns import METADATA, Hash32, RowId, UtcTime

cases = Table(
    "cases",
    METADATA,
    Column("case_id", String(36), primary_key=True),
    Column("system", String(32), nullable=False),
    Column("number", String(64), nullable=False),
    Column("account_id", String(36)),
    Column("outlet", String(32)),
    Column("window", String(16)),
    Column("queue_number", String(32)),
    Column("stage", String(20), nullable=False),
    Column("their_state", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("content_digest", Hash32, nullable=False),
    Column("applicant_tag", Hash32, nullable=False),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Unique("system", "number", name="uq_cases_system_number"),
    Index("ix_cases_outlet_updated_at", "outlet", "updated_at"),
    Index("ix_cases_account_id_updated_at", "account_id", "updated_at"),
    Index("ix_cases_applicant_tag", "applicant_tag"),
)

case_steps = Table(
    "case_steps",
    METADATA,
    Column("case_id", String(36), ForeignKey("cases.case_id"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("event", String(20), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("sealed_reason", LargeBinary),
)

case_receipts = Table(
    "case_receipts",
    METADATA,
    Column("case_id", String(36), ForeignKey("cases.case_id"), primary_key=True),
    Column("receipt_id", String(64), primary_key=True),
)

case_links = Table(
    "case_links",
    METADATA,
    Column("token_hash", Hash32, primary_key=True),
    Column("case_id", String(36), ForeignKey("cases.case_id"), nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

case_events = Table(
    "case_events",
    METADATA,
    Column("event_id", RowId, primary_key=True, autoincrement=True),
    Column("system", String(32), nullable=False),
    Column("case_id", String(36), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("next_at", UtcTime),
    Column("attempts", Integer, nullable=False),
    Column("delivered_at", UtcTime),
    Column("problem", Text),
    Index("ix_case_events_next_at", "next_at"),
    Index("ix_case_events_system_event_id", "system", "event_id"),
)

case_serials = Table(
    "case_serials",
    METADATA,
    Column("outlet", String(32), primary_key=True),
    Column("day", String(8), primary_key=True),
    Column("last", Integer, nullable=False),
)

case_reviews = Table(
    "case_reviews",
    METADATA,
    Column("case_id", String(36), ForeignKey("cases.case_id"), primary_key=True),
    Column("run_id", String(36)),
    Column("asked_by", String(36), nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Index("ix_case_reviews_asked_at", "asked_at"),
)
