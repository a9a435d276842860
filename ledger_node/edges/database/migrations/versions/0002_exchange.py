"""Steps 6 to 10: officers, grants, finds, releases, receipts, messages, notices."""

import sqlalchemy as sa
from alembic import op

revision = "0002_exchange"
down_revision = "0001_intake_and_log"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH32 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "officers",
        sa.Column("officer", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("public_key", HASH32, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("salt", HASH32, nullable=False),
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("officer", name="pk_officers"),
        sa.UniqueConstraint("public_key", name="uq_officers_public_key"),
        sa.ForeignKeyConstraint(
            ["commitment"], ["entries.commitment"], name="fk_officers_commitment"
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.entry_id"], name="fk_officers_entry_id"),
    )
    op.create_table(
        "grants",
        sa.Column("grant_id", HASH32, nullable=False),
        sa.Column("releasing", sa.String(6), nullable=False),
        sa.Column("receiving", sa.String(6), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_evidence", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_openings", sa.LargeBinary(), nullable=False),
        sa.Column("evidence_salt", HASH32, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("outbox_id", ROW_ID),
        sa.PrimaryKeyConstraint("grant_id", name="pk_grants"),
    )
    op.create_index("ix_grants_created_at", "grants", ["created_at"])
    op.create_table(
        "finds",
        sa.Column("request_digest", HASH32, nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("grant_id", HASH32),
        sa.Column("officer", sa.String(64), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary()),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("entry_id", ROW_ID),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request_digest", "direction", name="pk_finds"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.entry_id"], name="fk_finds_entry_id"),
    )
    op.create_index(
        "ix_finds_direction_city_created_at", "finds", ["direction", "city", "created_at"]
    )
    op.create_table(
        "releases",
        sa.Column("request_digest", HASH32, nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("grant_id", HASH32, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("request_message", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary()),
        sa.Column("answer_message", sa.LargeBinary()),
        sa.Column("release_salt", HASH32),
        sa.Column("release_commitment", HASH32),
        sa.Column("sealed_secrets", sa.LargeBinary()),
        sa.Column("acknowledgement", sa.LargeBinary()),
        sa.Column("outbox_id", ROW_ID),
        sa.Column("problem_code", sa.String(64)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request_digest", "direction", name="pk_releases"),
    )
    op.create_index("ix_releases_direction_state", "releases", ["direction", "state"])
    op.create_index("ix_releases_grant_id", "releases", ["grant_id"])
    op.create_table(
        "released_materials",
        sa.Column("request_digest", HASH32, nullable=False),
        sa.Column("commitment", HASH32, nullable=False),
        sa.PrimaryKeyConstraint("request_digest", "commitment", name="pk_released_materials"),
    )
    op.create_index("ix_released_materials_commitment", "released_materials", ["commitment"])
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.String(64), nullable=False),
        sa.Column("request_digest", HASH32, nullable=False),
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("salt", HASH32, nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("entry_id", ROW_ID, nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("receipt_id", name="pk_receipts"),
        sa.ForeignKeyConstraint(
            ["commitment"], ["entries.commitment"], name="fk_receipts_commitment"
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.entry_id"], name="fk_receipts_entry_id"),
    )
    op.create_index("ix_receipts_request_digest", "receipts", ["request_digest"])
    op.create_table(
        "message_nonces",
        sa.Column("key_id", sa.String(128), nullable=False),
        sa.Column("nonce", sa.String(128), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "nonce", name="pk_message_nonces"),
    )
    op.create_index("ix_message_nonces_expires_at", "message_nonces", ["expires_at"])
    op.create_table(
        "messages",
        sa.Column("message_id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("digest", HASH32, nullable=False),
        sa.Column("logged_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_messages"),
    )
    op.create_index("ix_messages_logged_at", "messages", ["logged_at"])
    op.create_table(
        "notices",
        sa.Column("notice_id", HASH32, nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", "direction", "city", name="pk_notices"),
    )
    op.create_index("ix_notices_commitment", "notices", ["commitment"])
    op.create_index("ix_notices_delivered", "notices", ["direction", "delivered"])


def downgrade() -> None:
    op.drop_table("notices")
    op.drop_table("messages")
    op.drop_table("message_nonces")
    op.drop_table("receipts")
    op.drop_table("released_materials")
    op.drop_table("releases")
    op.drop_table("finds")
    op.drop_table("grants")
    op.drop_table("officers")
