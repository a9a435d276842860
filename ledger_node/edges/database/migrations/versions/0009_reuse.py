"""The window: reuse runs, their steps with each city, decisions about single materials."""

import sqlalchemy as sa
from alembic import op

revision = "0009_reuse"
down_revision = "0008_replays"
branch_labels = None
depends_on = None

HASH32 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "reuse_runs",
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("officer", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(64)),
        sa.Column("ceremony_id", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("run_id", name="pk_reuse_runs"),
    )
    op.create_index(
        "ix_reuse_runs_account_id_created_at", "reuse_runs", ["account_id", "created_at"]
    )
    op.create_index("ix_reuse_runs_state", "reuse_runs", ["state"])
    op.create_index("ix_reuse_runs_case_id", "reuse_runs", ["case_id"])
    op.create_table(
        "reuse_steps",
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("grant_id", HASH32, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("problem_code", sa.String(64)),
        sa.Column("find_digest", HASH32),
        sa.Column("request_digest", HASH32),
        sa.Column("receipt_id", sa.String(64)),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("run_id", "city", name="pk_reuse_steps"),
        sa.ForeignKeyConstraint(["run_id"], ["reuse_runs.run_id"], name="fk_reuse_steps_run_id"),
    )
    op.create_index("ix_reuse_steps_state_updated_at", "reuse_steps", ["state", "updated_at"])
    op.create_table(
        "reuse_decisions",
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("choice", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("codes", sa.String(400), nullable=False),
        sa.Column("officer", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary()),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "city", "commitment", name="pk_reuse_decisions"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["reuse_runs.run_id"], name="fk_reuse_decisions_run_id"
        ),
    )
    op.create_index("ix_reuse_decisions_decided_at", "reuse_decisions", ["decided_at"])


def downgrade() -> None:
    for table in ("reuse_decisions", "reuse_steps", "reuse_runs"):
        op.drop_table(table)
