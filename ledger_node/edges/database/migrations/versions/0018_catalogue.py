"""Editions of the service catalogue's lists as the chain has them; derived, can be rebuilt."""

import sqlalchemy as sa
from alembic import op

revision = "0018_catalogue"
down_revision = "0003_outbox_and_chain"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH32 = sa.LargeBinary(32)
ADDRESS20 = sa.LargeBinary(20)
TABLES = ("chain_lists", "chain_edition_votes", "chain_edition_choices", "chain_editions")


def _log_columns() -> tuple[sa.Column, ...]:
    return (
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contract", ADDRESS20, nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "chain_lists",
        *_log_columns(),
        sa.Column("list_id", HASH32, nullable=False),
        sa.Column("rule", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("parties", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_lists"),
    )
    op.create_index("ix_chain_lists_code", "chain_lists", ["code"])
    op.create_table(
        "chain_edition_votes",
        *_log_columns(),
        sa.Column("vote_id", ROW_ID, nullable=False),
        sa.Column("list_id", HASH32, nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("edition", ROW_ID, nullable=False),
        sa.Column("digest", HASH32, nullable=False),
        sa.Column("effective_from_s", ROW_ID, nullable=False),
        sa.Column("paper", HASH32, nullable=False),
        sa.Column("expires_at_s", ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_edition_votes"),
    )
    op.create_index("ix_chain_edition_votes_list_id", "chain_edition_votes", ["list_id"])
    op.create_table(
        "chain_edition_choices",
        *_log_columns(),
        sa.Column("vote_id", ROW_ID, nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("support", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_edition_choices"),
    )
    op.create_index("ix_chain_edition_choices_vote_id", "chain_edition_choices", ["vote_id"])
    op.create_table(
        "chain_editions",
        *_log_columns(),
        sa.Column("vote_id", ROW_ID, nullable=False),
        sa.Column("list_id", HASH32, nullable=False),
        sa.Column("edition", ROW_ID, nullable=False),
        sa.Column("digest", HASH32, nullable=False),
        sa.Column("effective_from_s", ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_editions"),
    )
    op.create_index("ix_chain_editions_list_id", "chain_editions", ["list_id", "edition"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
