"""Consent: ceremonies, whom grants are about, passkeys, providers, revocation codes."""

import sqlalchemy as sa
from alembic import op

revision = "0007_ceremonies"
down_revision = "0004_accounts"
branch_labels = None
depends_on = None

HASH32 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "ceremonies",
        sa.Column("ceremony_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(80), nullable=False),
        sa.Column("officer", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(16), nullable=False),
        sa.Column("subject_tag", HASH32, nullable=False),
        sa.Column("screen_hash", HASH32),
        sa.Column("screen_until", sa.BigInteger()),
        sa.Column("case_id", sa.String(64)),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_signature", sa.LargeBinary()),
        sa.Column("signature_how", sa.String(8)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ceremony_id", name="pk_ceremonies"),
    )
    op.create_index("ix_ceremonies_screen_hash", "ceremonies", ["screen_hash"], unique=True)
    op.create_index(
        "ix_ceremonies_subject_tag_created_at", "ceremonies", ["subject_tag", "created_at"]
    )
    op.create_index("ix_ceremonies_state_expires_at", "ceremonies", ["state", "expires_at"])
    op.create_table(
        "grant_subjects",
        sa.Column("grant_id", HASH32, nullable=False),
        sa.Column("subject_tag", HASH32, nullable=False),
        sa.Column("ceremony_id", sa.String(36)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", "subject_tag", name="pk_grant_subjects"),
    )
    op.create_index(
        "ix_grant_subjects_subject_tag_created_at", "grant_subjects", ["subject_tag", "created_at"]
    )
    op.create_index("ix_grant_subjects_ceremony_id", "grant_subjects", ["ceremony_id"])
    op.create_table(
        "passkey_challenges",
        sa.Column("challenge_hash", HASH32, nullable=False),
        sa.Column("subject_tag", HASH32, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("challenge_hash", name="pk_passkey_challenges"),
    )
    op.create_table(
        "passkeys",
        sa.Column("credential_hash", HASH32, nullable=False),
        sa.Column("subject_tag", HASH32, nullable=False),
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("credential_hash", name="pk_passkeys"),
    )
    op.create_index("ix_passkeys_subject_tag", "passkeys", ["subject_tag"])
    op.create_table(
        "identity_providers",
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("issuer", sa.String(256), nullable=False),
        sa.Column("audience", sa.String(256), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("commitment", name="pk_identity_providers"),
    )
    op.create_table(
        "revocation_codes",
        sa.Column("selector", sa.String(8), nullable=False),
        sa.Column("ceremony_id", sa.String(36), nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("verifier", HASH32, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("selector", name="pk_revocation_codes"),
        sa.ForeignKeyConstraint(
            ["ceremony_id"], ["ceremonies.ceremony_id"], name="fk_revocation_codes_ceremony_id"
        ),
    )
    op.create_table(
        "revocation_requests",
        sa.Column("request_digest", HASH32, nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("ceremony_id", sa.String(36)),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request_digest", "direction", name="pk_revocation_requests"),
    )
    op.create_index(
        "ix_revocation_requests_city_direction_at",
        "revocation_requests",
        ["city", "direction", "at"],
    )
    op.create_index("ix_revocation_requests_ceremony_id", "revocation_requests", ["ceremony_id"])


def downgrade() -> None:
    for table in (
        "revocation_requests",
        "revocation_codes",
        "identity_providers",
        "passkeys",
        "passkey_challenges",
        "grant_subjects",
        "ceremonies",
    ):
        op.drop_table(table)
