"""Steps 1 to 3: materials, entries, log heads, checkpoints, halts."""

import sqlalchemy as sa
from alembic import op

revision = "0001_intake_and_log"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HASH32 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("entry_id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("generation", sa.Integer()),
        sa.Column("leaf_index", ROW_ID),
        sa.Column("committed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(generation IS NULL) = (leaf_index IS NULL)", name="ck_entries_indexed_together"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_entries"),
        sa.UniqueConstraint("commitment", name="uq_entries_commitment"),
        sa.UniqueConstraint("generation", "leaf_index", name="uq_entries_generation_leaf_index"),
    )
    op.create_index(
        "ix_entries_pending",
        "entries",
        ["entry_id"],
        sqlite_where=sa.text("leaf_index IS NULL"),
        postgresql_where=sa.text("leaf_index IS NULL"),
    )
    op.create_table(
        "openings",
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("sealed_opening", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("commitment", name="pk_openings"),
        sa.ForeignKeyConstraint(
            ["commitment"], ["entries.commitment"], name="fk_openings_commitment"
        ),
    )
    op.create_table(
        "materials",
        sa.Column("material_id", sa.String(36), nullable=False),
        sa.Column("type_code", sa.String(64), nullable=False),
        sa.Column("type_version", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(1), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("commitment", HASH32, nullable=False),
        sa.Column("number_tag", HASH32),
        sa.Column("index_key_version", sa.Integer(), nullable=False),
        sa.Column("sealed_statement", sa.LargeBinary(), nullable=False),
        sa.Column("predecessor", sa.String(36)),
        sa.Column("successor", sa.String(36)),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("material_id", name="pk_materials"),
        sa.UniqueConstraint("commitment", name="uq_materials_commitment"),
        sa.ForeignKeyConstraint(
            ["commitment"], ["entries.commitment"], name="fk_materials_commitment"
        ),
        sa.ForeignKeyConstraint(
            ["predecessor"], ["materials.material_id"], name="fk_materials_predecessor"
        ),
        sa.ForeignKeyConstraint(
            ["successor"], ["materials.material_id"], name="fk_materials_successor"
        ),
    )
    op.create_table(
        "subjects",
        sa.Column("material_id", sa.String(36), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("tag", HASH32, nullable=False),
        sa.PrimaryKeyConstraint("material_id", "position", name="pk_subjects"),
        sa.ForeignKeyConstraint(
            ["material_id"], ["materials.material_id"], name="fk_subjects_material_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_subjects_tag", "subjects", ["tag"])
    op.create_table(
        "documents",
        sa.Column("material_id", sa.String(36), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("address", HASH32),
        sa.Column("digest_tag", HASH32, nullable=False),
        sa.Column("size_bytes", ROW_ID, nullable=False),
        sa.Column("sealed_bytes", ROW_ID, nullable=False),
        sa.Column("media_type", sa.String(127), nullable=False),
        sa.PrimaryKeyConstraint("material_id", "position", name="pk_documents"),
        sa.ForeignKeyConstraint(
            ["material_id"], ["materials.material_id"], name="fk_documents_material_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_documents_digest_tag", "documents", ["digest_tag"])
    op.create_table(
        "document_numbers",
        sa.Column("subject_tag", HASH32, nullable=False),
        sa.Column("type_code", sa.String(64), nullable=False),
        sa.Column("number_tag", HASH32, nullable=False),
        sa.Column("material_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint(
            "subject_tag", "type_code", "number_tag", name="pk_document_numbers"
        ),
        sa.ForeignKeyConstraint(
            ["material_id"], ["materials.material_id"], name="fk_document_numbers_material_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_heads",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", ROW_ID, nullable=False),
        sa.Column("root", HASH32, nullable=False),
        sa.Column("writer_term", ROW_ID, nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("generation", name="pk_log_heads"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("root", HASH32, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "size", name="pk_checkpoints"),
    )
    op.create_table(
        "halts",
        sa.Column("halt_id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("latched_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger()),
        sa.Column("cleared_by", sa.Text()),
        sa.PrimaryKeyConstraint("halt_id", name="pk_halts"),
    )
    op.create_index(
        "uq_halts_standing",
        "halts",
        ["reason"],
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )


def downgrade() -> None:
    for table in (
        "halts",
        "checkpoints",
        "log_heads",
        "document_numbers",
        "documents",
        "subjects",
        "materials",
        "openings",
        "entries",
    ):
        op.drop_table(table)
