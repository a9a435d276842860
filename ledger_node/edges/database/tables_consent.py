"""Tables of consent: ceremonies, whom grants are about, passkeys, revocation codes. Private."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from ledger_node.edges.database.columns import METADATA, Hash32, UtcTime

ceremonies = Table(
    "ceremonies",
    METADATA,
    Column("ceremony_id", String(36), primary_key=True),
    Column("account_id", String(80), nullable=False),
    Column("officer", String(64)),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("basis", String(16), nullable=False),
    Column("subject_tag", Hash32, nullable=False),
    Column("screen_hash", Hash32),
    Column("screen_until", UtcTime),
    Column("case_id", String(64)),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("sealed_signature", LargeBinary),
    Column("signature_how", String(8)),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_ceremonies_screen_hash", "screen_hash", unique=True),
    Index("ix_ceremonies_subject_tag_created_at", "subject_tag", "created_at"),
    Index("ix_ceremonies_state_expires_at", "state", "expires_at"),
)

grant_subjects = Table(
    "grant_subjects",
    METADATA,
    Column("grant_id", Hash32, primary_key=True),
    Column("subject_tag", Hash32, primary_key=True),
    Column("ceremony_id", String(36)),
    Column("created_at", UtcTime, nullable=False),
    Index("ix_grant_subjects_subject_tag_created_at", "subject_tag", "created_at"),
    Index("ix_grant_subjects_ceremony_id", "ceremony_id"),
)

passkey_challenges = Table(
    "passkey_challenges",
    METADATA,
    Column("challenge_hash", Hash32, primary_key=True),
    Column("subject_tag", Hash32, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_passkey_challenges_expires_at", "expires_at"),
)

passkeys = Table(
    "passkeys",
    METADATA,
    Column("credential_hash", Hash32, primary_key=True),
    Column("subject_tag", Hash32, nullable=False),
    Column("commitment", Hash32, nullable=False),
    Column("entry_id", Integer, nullable=False),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),  # devices count to 2**32
    Column("created_at", UtcTime, nullable=False),
    Index("ix_passkeys_subject_tag", "subject_tag"),
)

identity_providers = Table(
    "identity_providers",
    METADATA,
    Column("commitment", Hash32, primary_key=True),
    Column("issuer", String(256), nullable=False),
    Column("audience", String(256), nullable=False),
    Column("entry_id", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

revocation_codes = Table(
    "revocation_codes",
    METADATA,
    Column("selector", String(8), primary_key=True),
    Column("ceremony_id", String(36), ForeignKey("ceremonies.ceremony_id"), nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("verifier", Hash32, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcTime),
    Column("created_at", UtcTime, nullable=False),
)

revocation_requests = Table(
    "revocation_requests",
    METADATA,
    Column("request_digest", Hash32, primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("city", String(6), nullable=False),
    Column("ceremony_id", String(36)),
    Column("outcome", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_revocation_requests_city_direction_at", "city", "direction", "at"),
    Index("ix_revocation_requests_ceremony_id", "ceremony_id"),
)
