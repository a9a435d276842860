"""Tables of the window: reuse runs, their steps, and decisions about single materials. Private."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from ledger_node.edges.database.columns import METADATA, Hash32, UtcTime

reuse_runs = Table(
    "reuse_runs",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("account_id", String(64), nullable=False),
    Column("officer", String(64), nullable=False),
    Column("case_id", String(64)),
    Column("ceremony_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("signed_at", UtcTime),
    Column("case_settled_at", UtcTime),
    Index("ix_reuse_runs_account_id_created_at", "account_id", "created_at"),
    Index("ix_reuse_runs_state", "state"),
    Index("ix_reuse_runs_case_id", "case_id"),
    Index("ix_reuse_runs_case_settled_at", "case_settled_at", "state"),
)

reuse_steps = Table(
    "reuse_steps",
    METADATA,
    Column("run_id", String(36), ForeignKey("reuse_runs.run_id"), primary_key=True),
    Column("city", String(6), primary_key=True),
    Column("grant_id", Hash32, nullable=False),
    Column("state", String(16), nullable=False),
    Column("problem_code", String(64)),
    Column("find_digest", Hash32),
    Column("request_digest", Hash32),
    Column("receipt_id", String(64)),
    Column("started_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("settled_at", UtcTime),
    Index("ix_reuse_steps_state_updated_at", "state", "updated_at"),
)

reuse_decisions = Table(
    "reuse_decisions",
    METADATA,
    Column("run_id", String(36), ForeignKey("reuse_runs.run_id"), primary_key=True),
    Column("city", String(6), primary_key=True),
    Column("commitment", Hash32, primary_key=True),
    Column("choice", String(16), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("codes", String(400), nullable=False),
    Column("officer", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("sealed_reason", LargeBinary),
    Column("decided_at", UtcTime, nullable=False),
    Index("ix_reuse_decisions_decided_at", "decided_at"),
)
