"""Tables of who uses the node (accounts, sessions, access trail). Private."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from ledger_node.edges.database.columns import METADATA, Hash32, RowId, UtcTime

outlets = Table(
    "outlets",
    METADATA,
    Column("outlet", String(32), primary_key=True),
    Column("name_zh", String(100), nullable=False),
    Column("name_en", String(100), nullable=False),
)

accounts = Table(
    "accounts",
    METADATA,
    Column("account_id", String(36), primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("roles", String(100), nullable=False),
    Column("officer", String(64)),
    Column("outlet", String(32), ForeignKey("outlets.outlet")),
    Column("window", String(16)),
    Column("system", String(32)),
    Column("password_hash", String(200)),
    Column("key_hash", Hash32, unique=True),
    Column("external_tag", Hash32, unique=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcTime),
    Column("totp_step", RowId, nullable=False),
    Column("sealed_profile", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("session_hash", Hash32, primary_key=True),
    Column("account_id", String(80), nullable=False, index=True),
    Column("second_factor", Boolean, nullable=False),
    Column("provider", String(32)),
    Column("scope", String(80)),
    Column("sealed_person", LargeBinary),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
    Column("sealed_refresh", LargeBinary),
    Column("checked_at", UtcTime),
)

staff_passkeys = Table(
    "staff_passkeys",
    METADATA,
    Column("credential_hash", Hash32, primary_key=True),
    Column("account_id", String(36), ForeignKey("accounts.account_id"), nullable=False, index=True),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),  # devices count to 2**32
    Column("created_at", UtcTime, nullable=False),
)

login_states = Table(
    "login_states",
    METADATA,
    Column("state_hash", Hash32, primary_key=True),
    Column("browser_hash", Hash32, nullable=False),
    Column("provider", String(32), nullable=False),
    Column("sealed_state", LargeBinary, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
)

access_log = Table(
    "access_log",
    METADATA,
    Column("access_id", RowId, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("account_id", String(80), nullable=False),
    Column("action", String(32), nullable=False),
    Column("object_kind", String(32), nullable=False),
    Column("object_id", String(80), nullable=False),
    Index("ix_access_log_object", "object_kind", "object_id"),
    Index("ix_access_log_account_id", "account_id"),
)
