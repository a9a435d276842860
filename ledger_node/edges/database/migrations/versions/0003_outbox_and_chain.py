"""Steps 4 and 5: outbox, anchors, followed chain."""

import sqlalchemy as sa
from alembic import op

revision = "0003_outbox_and_chain"
down_revision = "0001_intake_and_log"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH32 = sa.LargeBinary(32)
ADDRESS20 = sa.LargeBinary(20)


def upgrade() -> None:
    op.create_table(
        "anchors",
        sa.Column("outbox_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("old_size", ROW_ID, nullable=False),
        sa.Column("size", ROW_ID, nullable=False),
        sa.Column("root", HASH32, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("outbox_id", name="pk_anchors"),
    )
    op.create_table(
        "chain_blocks",
        sa.Column("number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("hash", HASH32, nullable=False),
        sa.Column("parent_hash", HASH32, nullable=False),
        sa.Column("block_timestamp_s", ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_chain_blocks"),
    )
    op.create_table(
        "chain_code_pins",
        sa.Column("contract", ADDRESS20, nullable=False),
        sa.Column("code_hash", HASH32, nullable=False),
        sa.PrimaryKeyConstraint("contract", name="pk_chain_code_pins"),
    )
    op.create_table(
        "chain_consumptions",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grant_id", HASH32, nullable=False),
        sa.Column("release_commitment", HASH32, nullable=False),
        sa.Column("uses_left", ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_consumptions"),
    )
    op.create_index("ix_chain_consumptions_grant_id", "chain_consumptions", ["grant_id"])
    op.create_index(
        "ix_chain_consumptions_release_commitment", "chain_consumptions", ["release_commitment"]
    )
    op.create_table(
        "chain_contracts",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("contract", ADDRESS20, nullable=False),
        sa.Column("from_block", ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_contracts"),
    )
    op.create_table(
        "chain_events",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", HASH32, nullable=False),
        sa.Column("contract", ADDRESS20, nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_events"),
    )
    op.create_index(
        "ix_chain_events_contract_block_number", "chain_events", ["contract", "block_number"]
    )
    op.create_table(
        "chain_following",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain_id", ROW_ID, nullable=False),
        sa.Column("genesis_hash", HASH32, nullable=False),
        sa.Column("membership", ADDRESS20, nullable=False),
        sa.Column("first_block", ROW_ID, nullable=False),
        sa.Column("number", ROW_ID, nullable=False),
        sa.Column("hash", HASH32, nullable=False),
        sa.Column("block_timestamp_s", ROW_ID, nullable=False),
        sa.Column("final_number", ROW_ID, nullable=False),
        sa.Column("head_number", ROW_ID, nullable=False),
        sa.Column("head_timestamp_s", ROW_ID, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("pins_checked_at", sa.BigInteger()),
        sa.CheckConstraint("id = 1", name="ck_chain_following_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_chain_following"),
    )
    op.create_table(
        "chain_grants",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grant_id", HASH32, nullable=False),
        sa.Column("releasing", sa.String(6), nullable=False),
        sa.Column("receiving", sa.String(6), nullable=False),
        sa.Column("recorder", sa.String(6), nullable=False),
        sa.Column("not_before_s", ROW_ID, nullable=False),
        sa.Column("not_after_s", ROW_ID, nullable=False),
        sa.Column("uses", ROW_ID, nullable=False),
        sa.Column("basis", sa.SmallInteger(), nullable=False),
        sa.Column("evidence", HASH32, nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_grants"),
    )
    op.create_index("ix_chain_grants_grant_id", "chain_grants", ["grant_id"])
    op.create_table(
        "chain_heads",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("generation", ROW_ID, nullable=False),
        sa.Column("size", ROW_ID, nullable=False),
        sa.Column("root", HASH32, nullable=False),
        sa.Column("closing", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_heads"),
    )
    op.create_index(
        "ix_chain_heads_city_generation_size", "chain_heads", ["city", "generation", "size"]
    )
    op.create_table(
        "chain_objection_ends",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("objection_id", ROW_ID, nullable=False),
        sa.Column("contract", ADDRESS20, nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_objection_ends"),
    )
    op.create_index(
        "ix_chain_objection_ends_objection_id", "chain_objection_ends", ["objection_id"]
    )
    op.create_table(
        "chain_objections",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("objection_id", ROW_ID, nullable=False),
        sa.Column("contract", ADDRESS20, nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("leaf_hash", HASH32, nullable=False),
        sa.Column("raiser", sa.String(6), nullable=False),
        sa.Column("reason", HASH32, nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_objections"),
    )
    op.create_index("ix_chain_objections_leaf_hash", "chain_objections", ["leaf_hash"])
    op.create_table(
        "chain_revocations",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grant_id", HASH32, nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_revocations"),
    )
    op.create_index("ix_chain_revocations_grant_id", "chain_revocations", ["grant_id"])
    op.create_table(
        "chain_statuses",
        sa.Column("block_number", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("leaf_hash", HASH32, nullable=False),
        sa.Column("flag", sa.SmallInteger(), nullable=False),
        sa.Column("successor", HASH32, nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_chain_statuses"),
    )
    op.create_index("ix_chain_statuses_leaf_hash", "chain_statuses", ["leaf_hash"])
    op.create_table(
        "outbox_accounts",
        sa.Column("account", ADDRESS20, nullable=False),
        sa.Column("next_nonce", ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_outbox_accounts"),
    )
    op.create_table(
        "outbox_transactions",
        sa.Column("outbox_id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("account", ADDRESS20, nullable=False),
        sa.Column("nonce", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(200), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("tx_hash", HASH32, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", ROW_ID),
        sa.Column("block_hash", HASH32),
        sa.Column("gas_used", ROW_ID),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("missing_since", sa.BigInteger()),
        sa.Column("problem", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("outbox_id", name="pk_outbox_transactions"),
        sa.UniqueConstraint("account", "nonce", name="uq_outbox_transactions_account_nonce"),
        sa.UniqueConstraint("tx_hash", name="uq_outbox_transactions_tx_hash"),
    )
    op.create_index(
        "ix_outbox_transactions_kind_reference", "outbox_transactions", ["kind", "reference"]
    )
    op.create_index(
        "ix_outbox_transactions_open",
        "outbox_transactions",
        ["account", "nonce"],
        sqlite_where=sa.text("state IN ('signed', 'submitted', 'included')"),
        postgresql_where=sa.text("state IN ('signed', 'submitted', 'included')"),
    )
    op.create_index(
        "uq_outbox_transactions_open_anchor",
        "outbox_transactions",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("kind = 'anchor' AND state IN ('signed', 'submitted', 'included')"),
        postgresql_where=sa.text(
            "kind = 'anchor' AND state IN ('signed', 'submitted', 'included')"
        ),
    )


def downgrade() -> None:
    for table in (
        "outbox_transactions",
        "outbox_accounts",
        "chain_statuses",
        "chain_revocations",
        "chain_objections",
        "chain_objection_ends",
        "chain_heads",
        "chain_grants",
        "chain_following",
        "chain_events",
        "chain_contracts",
        "chain_consumptions",
        "chain_code_pins",
        "chain_blocks",
        "anchors",
    ):
        op.drop_table(table)
