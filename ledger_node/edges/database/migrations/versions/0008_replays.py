"""The auditor's pages: replay jobs, and indexes for what is looked up by time, hash or city."""

import sqlalchemy as sa
from alembic import op

revision = "0008_replays"
down_revision = "0004_accounts"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

INDEXES = (
    ("ix_chain_blocks_block_timestamp_s", "chain_blocks", ["block_timestamp_s", "number"]),
    ("ix_chain_blocks_hash", "chain_blocks", ["hash"]),
    ("ix_chain_events_tx_hash", "chain_events", ["tx_hash"]),
    ("ix_chain_heads_city_block", "chain_heads", ["city", "block_number", "log_index"]),
    ("ix_chain_grants_releasing", "chain_grants", ["releasing", "block_number", "log_index"]),
    ("ix_chain_grants_receiving", "chain_grants", ["receiving", "block_number", "log_index"]),
    ("ix_chain_revocations_city", "chain_revocations", ["city", "block_number", "log_index"]),
    ("ix_chain_statuses_city", "chain_statuses", ["city", "block_number", "log_index"]),
    ("ix_chain_objections_city", "chain_objections", ["city", "block_number", "log_index"]),
    ("ix_chain_objections_raiser", "chain_objections", ["raiser", "block_number", "log_index"]),
)


def upgrade() -> None:
    op.create_table(
        "replays",
        sa.Column("replay_id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("open_slot", sa.SmallInteger(), nullable=True),
        sa.Column("requested_by", sa.String(64), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("worker", sa.LargeBinary(16), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(64), nullable=False),
        sa.Column("done", ROW_ID, nullable=False),
        sa.Column("total", ROW_ID, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("beat_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("as_of_block", ROW_ID, nullable=True),
        sa.Column("blocks", ROW_ID, nullable=True),
        sa.Column("events", ROW_ID, nullable=True),
        sa.Column("entries", ROW_ID, nullable=True),
        sa.Column("discrepancies", ROW_ID, nullable=True),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("problem_code", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("replay_id", name="pk_replays"),
        sa.UniqueConstraint("open_slot", name="uq_replays_open_slot"),
    )
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table)
    op.drop_table("replays")
