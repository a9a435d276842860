"""Tables of the HTTP API (groups `idempotency` and `uploads`). Private; tags and ids only."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from ledger_node.edges.database.columns import METADATA, Hash32, RowId, UtcTime

idempotency_keys = Table(
    "idempotency_keys",
    METADATA,
    Column("key_tag", Hash32, primary_key=True),
    Column("account_id", String(64), nullable=False),
    Column("route", String(64), nullable=False),
    Column("request_tag", Hash32, nullable=False),
    Column("effect_id", LargeBinary(16), nullable=False),
    Column("effects", LargeBinary, nullable=False),
    Column("worker", LargeBinary(16)),
    Column("leased_until", UtcTime, nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_idempotency_keys_expires_at", "expires_at"),
)

uploads = Table(
    "uploads",
    METADATA,
    Column("upload_id", String(36), primary_key=True),
    Column("account_id", String(64), nullable=False),
    Column("media_type", String(127), nullable=False),
    Column("state", String(8), nullable=False),
    Column("digest_tag", Hash32),
    Column("size_bytes", RowId, nullable=False),
    Column("material_id", String(36)),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_uploads_expires_at", "expires_at"),
    Index("ix_uploads_account_id", "account_id"),
)
