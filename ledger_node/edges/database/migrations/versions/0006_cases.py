"""Cases, their history and receipts, one-time links, events for the systems they came from."""

import sqlalchemy as sa
from alembic import op

revision = "0006_cases"
down_revision = "0004_accounts"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH32 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(36)),
        sa.Column("outlet", sa.String(32)),
        sa.Column("window", sa.String(16)),
        sa.Column("queue_number", sa.String(32)),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("their_state", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_digest", HASH32, nullable=False),
        sa.Column("applicant_tag", HASH32, nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_cases"),
        sa.UniqueConstraint("system", "number", name="uq_cases_system_number"),
    )
    op.create_index("ix_cases_outlet_updated_at", "cases", ["outlet", "updated_at"])
    op.create_index("ix_cases_account_id_updated_at", "cases", ["account_id", "updated_at"])
    op.create_index("ix_cases_applicant_tag", "cases", ["applicant_tag"])
    op.create_table(
        "case_steps",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("case_id", "revision", name="pk_case_steps"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_steps_case_id"),
    )
    op.create_table(
        "case_receipts",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("receipt_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "receipt_id", name="pk_case_receipts"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_receipts_case_id"),
    )
    op.create_table(
        "case_links",
        sa.Column("token_hash", HASH32, nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_case_links"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_links_case_id"),
    )
    op.create_table(
        "case_events",
        sa.Column("event_id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.Column("problem", sa.Text()),
        sa.PrimaryKeyConstraint("event_id", name="pk_case_events"),
    )
    op.create_index("ix_case_events_next_at", "case_events", ["next_at"])
    op.create_index("ix_case_events_system_event_id", "case_events", ["system", "event_id"])


def downgrade() -> None:
    for table in ("case_events", "case_links", "case_receipts", "case_steps", "cases"):
        op.drop_table(table)
