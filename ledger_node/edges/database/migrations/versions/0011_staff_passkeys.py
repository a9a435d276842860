"""Passkeys of staff as a second factor."""

import sqlalchemy as sa
from alembic import op

revision = "0011_staff_passkeys"
down_revision = "0007_ceremonies"
branch_labels = None
depends_on = None

HASH32 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "staff_passkeys",
        sa.Column("credential_hash", HASH32, nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("credential_hash", name="pk_staff_passkeys"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name="fk_staff_passkeys_account_id"
        ),
    )
    op.create_index("ix_staff_passkeys_account_id", "staff_passkeys", ["account_id"])


def downgrade() -> None:
    op.drop_table("staff_passkeys")
