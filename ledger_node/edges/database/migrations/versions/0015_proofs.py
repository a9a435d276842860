"""Proofs taken of the chain while it keeps them, and the validators its headers name."""

import sqlalchemy as sa
from alembic import op

revision = "0015_proofs"
down_revision = "0003_outbox_and_chain"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "chain_proofs",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", "kind", name="pk_chain_proofs"),
    )
    op.create_table(
        "chain_validators",
        sa.Column("from_block", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("validators", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("from_block", name="pk_chain_validators"),
    )


def downgrade() -> None:
    op.drop_table("chain_validators")
    op.drop_table("chain_proofs")
