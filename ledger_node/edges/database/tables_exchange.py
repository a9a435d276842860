"""Tables of steps 6 to 10 (officers, grants, finds, releases, receipts, messages). Private.

Columns that could say something about a person are sealed under a record key of the key store;
terms, requests and answers hold commitments and ciphertext only (docs/spec/database.md).
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
)

from ledger_node.edges.database.columns import METADATA, Hash32, RowId, UtcTime

officers = Table(
    "officers",
    METADATA,
    Column("officer", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("public_key", Hash32, nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
    Column("salt", Hash32, nullable=False),
    Column("commitment", Hash32, ForeignKey("entries.commitment"), nullable=False),
    Column("entry_id", RowId, ForeignKey("entries.entry_id"), nullable=False),
)

grants = Table(
    "grants",
    METADATA,
    Column("grant_id", Hash32, primary_key=True),
    Column("releasing", String(6), nullable=False),
    Column("receiving", String(6), nullable=False),
    Column("terms", LargeBinary, nullable=False),
    Column("bundle", LargeBinary, nullable=False),
    Column("sealed_evidence", LargeBinary, nullable=False),
    Column("sealed_openings", LargeBinary, nullable=False),
    Column("evidence_salt", Hash32, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("outbox_id", RowId),
    Index("ix_grants_created_at", "created_at"),
)

finds = Table(
    "finds",
    METADATA,
    Column("request_digest", Hash32, primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("city", String(6), nullable=False),
    Column("grant_id", Hash32),
    Column("officer", String(64), nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("outcome", String(32), nullable=False),
    Column("entry_id", RowId, ForeignKey("entries.entry_id")),
    Column("created_at", UtcTime, nullable=False),
    Index("ix_finds_direction_city_created_at", "direction", "city", "created_at"),
    Index("ix_finds_direction_created_at", "direction", "created_at"),
)

releases = Table(
    "releases",
    METADATA,
    Column("request_digest", Hash32, primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("city", String(6), nullable=False),
    Column("grant_id", Hash32, nullable=False),
    Column("state", String(16), nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("request_message", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("answer_message", LargeBinary),
    Column("release_salt", Hash32),
    Column("release_commitment", Hash32),
    Column("sealed_secrets", LargeBinary),
    Column("acknowledgement", LargeBinary),
    Column("outbox_id", RowId),
    Column("problem_code", String(64)),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Index("ix_releases_direction_created_at", "direction", "created_at"),
    Index("ix_releases_direction_state", "direction", "state"),
    Index("ix_releases_grant_id", "grant_id"),
)

released_materials = Table(
    "released_materials",
    METADATA,
    Column("request_digest", Hash32, primary_key=True),
    Column("commitment", Hash32, primary_key=True),
    Index("ix_released_materials_commitment", "commitment"),
)

receipts = Table(
    "receipts",
    METADATA,
    Column("receipt_id", String(64), primary_key=True),
    Column("request_digest", Hash32, nullable=False),
    Column("commitment", Hash32, ForeignKey("entries.commitment"), nullable=False),
    Column("salt", Hash32, nullable=False),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("entry_id", RowId, ForeignKey("entries.entry_id"), nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index("ix_receipts_request_digest", "request_digest"),
)

message_nonces = Table(
    "message_nonces",
    METADATA,
    Column("key_id", String(128), primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_message_nonces_expires_at", "expires_at"),
)

messages = Table(
    "messages",
    METADATA,
    Column("message_id", RowId, primary_key=True, autoincrement=True),
    Column("direction", String(8), nullable=False),
    Column("city", String(6), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("digest", Hash32, nullable=False),
    Column("logged_at", UtcTime, nullable=False),
    Index("ix_messages_logged_at", "logged_at"),
)

notices = Table(
    "notices",
    METADATA,
    Column("notice_id", Hash32, primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("city", String(6), primary_key=True),
    Column("commitment", Hash32, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index("ix_notices_commitment", "commitment"),
    Index("ix_notices_delivered", "direction", "delivered"),
)
