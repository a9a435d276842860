"""Consent: challenges found by their end; counters of passkeys up to 2**32."""

import sqlalchemy as sa
from alembic import op

revision = "0012_consent_sweep"
down_revision = "0011_staff_passkeys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_passkey_challenges_expires_at", "passkey_challenges", ["expires_at"])
    with op.batch_alter_table("passkeys") as table:
        table.alter_column("sign_count", existing_type=sa.Integer(), type_=sa.BigInteger())


def downgrade() -> None:
    with op.batch_alter_table("passkeys") as table:
        table.alter_column("sign_count", existing_type=sa.BigInteger(), type_=sa.Integer())
    op.drop_index("ix_passkey_challenges_expires_at", "passkey_challenges")
