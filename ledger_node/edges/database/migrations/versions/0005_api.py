"""The HTTP API: idempotency keys, upload slots, indexes that lists are paged by."""

import sqlalchemy as sa
from alembic import op

revision = "0005_api"
down_revision = "0004_accounts"
branch_labels = None
depends_on = "0002_exchange"  # whose tables get indexes here

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH32 = sa.LargeBinary(32)
PAGED = ("finds", "releases")


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("key_tag", HASH32, nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("request_tag", HASH32, nullable=False),
        sa.Column("effect_id", sa.LargeBinary(16), nullable=False),
        sa.Column("effects", sa.LargeBinary(), nullable=False),
        sa.Column("worker", sa.LargeBinary(16)),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_tag", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])
    op.create_table(
        "uploads",
        sa.Column("upload_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(127), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("digest_tag", HASH32),
        sa.Column("size_bytes", ROW_ID, nullable=False),
        sa.Column("material_id", sa.String(36)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    op.create_index("ix_uploads_account_id", "uploads", ["account_id"])
    for table in PAGED:
        op.create_index(f"ix_{table}_direction_created_at", table, ["direction", "created_at"])


def downgrade() -> None:
    for table in PAGED:
        op.drop_index(f"ix_{table}_direction_created_at", table)
    for table in ("uploads", "idempotency_keys"):
        op.drop_table(table)
