"""Cases: numbers given here, cases sent to review; visits whose case is settled."""

import sqlalchemy as sa
from alembic import op

revision = "0010_own_cases"
down_revision = ("0006_cases", "0009_reuse")
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_serials",
        sa.Column("outlet", sa.String(32), nullable=False),
        sa.Column("day", sa.String(8), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("outlet", "day", name="pk_case_serials"),
    )
    op.create_table(
        "case_reviews",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("run_id", sa.String(36)),
        sa.Column("asked_by", sa.String(36), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_case_reviews"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_reviews_case_id"),
    )
    op.create_index("ix_case_reviews_asked_at", "case_reviews", ["asked_at"])
    op.add_column("reuse_runs", sa.Column("case_settled_at", sa.BigInteger()))
    op.create_index("ix_reuse_runs_case_settled_at", "reuse_runs", ["case_settled_at", "state"])


def downgrade() -> None:
    op.drop_index("ix_reuse_runs_case_settled_at", "reuse_runs")
    op.drop_column("reuse_runs", "case_settled_at")
    for table in ("case_reviews", "case_serials"):
        op.drop_table(table)
