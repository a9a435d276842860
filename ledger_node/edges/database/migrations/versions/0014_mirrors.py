"""Mirrors of other cities' logs, cosignatures, findings, recoveries of the own log."""

import sqlalchemy as sa
from alembic import op

revision = "0014_mirrors"
down_revision = "0003_outbox_and_chain"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH32 = sa.LargeBinary(32)
STANDING = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "mirrors",
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", ROW_ID, nullable=False),
        sa.Column("root", HASH32, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("seen_size", ROW_ID, nullable=False),
        sa.Column("seen_root", HASH32, nullable=False),
        sa.Column("seen_note", sa.LargeBinary(), nullable=True),
        sa.Column("seen_at_s", ROW_ID, nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("silent_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("city", "generation", name="pk_mirrors"),
    )
    op.create_table(
        "cosignatures",
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("witness", sa.String(6), nullable=False),
        sa.Column("root", HASH32, nullable=False),
        sa.Column("cosigned_at_s", ROW_ID, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", "generation", "size", "witness", name="pk_cosignatures"),
    )
    op.create_table(
        "log_findings",
        sa.Column("finding_id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("city", sa.String(6), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("finding_id", name="pk_log_findings"),
    )
    op.create_index(
        "uq_log_findings_standing",
        "log_findings",
        ["city", "generation", "kind"],
        unique=True,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    op.create_table(
        "log_recoveries",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("old_size", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("size", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("source", sa.String(6), nullable=False),
        sa.Column("lost", ROW_ID, nullable=False),
        sa.Column("recovered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "old_size", "size", name="pk_log_recoveries"),
    )


def downgrade() -> None:
    op.drop_table("log_recoveries")
    op.drop_index("uq_log_findings_standing", "log_findings")
    op.drop_table("log_findings")
    op.drop_table("cosignatures")
    op.drop_table("mirrors")
