"""Blobs of the document store that nobody needs; documents found by their address."""

import sqlalchemy as sa
from alembic import op

revision = "0017_keeping"
down_revision = "0001_intake_and_log"
branch_labels = None
depends_on = None

HASH32 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "document_orphans",
        sa.Column("address", HASH32, nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_document_orphans"),
    )
    op.create_index("ix_document_orphans_first_seen_at", "document_orphans", ["first_seen_at"])
    op.create_index("ix_documents_address", "documents", ["address"])


def downgrade() -> None:
    op.drop_index("ix_documents_address", "documents")
    op.drop_index("ix_document_orphans_first_seen_at", "document_orphans")
    op.drop_table("document_orphans")
