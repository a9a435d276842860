"""Tables of steps 1 and 2 (group `intake`). Private: backed up, never rebuilt from the chain."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from ledger_node.edges.database.columns import METADATA, Hash32, RowId, UtcTime

entries = Table(
    "entries",
    METADATA,
    Column("entry_id", RowId, primary_key=True, autoincrement=True),
    Column("kind", SmallInteger, nullable=False),
    Column("commitment", Hash32, nullable=False),
    Column("generation", Integer),
    Column("leaf_index", RowId),
    Column("committed_at", UtcTime, nullable=False),
    UniqueConstraint("commitment"),
    UniqueConstraint("generation", "leaf_index"),
    CheckConstraint("(generation IS NULL) = (leaf_index IS NULL)", name="indexed_together"),
)

# The sequencer's queue: only entries without an index, in the order they were committed.
pending_entries = Index(
    "ix_entries_pending",
    entries.c.entry_id,
    sqlite_where=entries.c.leaf_index.is_(None),
    postgresql_where=entries.c.leaf_index.is_(None),
)

openings = Table(
    "openings",
    METADATA,
    Column("commitment", Hash32, ForeignKey("entries.commitment"), primary_key=True),
    Column("sealed_opening", LargeBinary, nullable=False),
)

materials = Table(
    "materials",
    METADATA,
    Column("material_id", String(36), primary_key=True),
    Column("type_code", String(64), nullable=False),
    Column("type_version", Integer, nullable=False),
    Column("grade", String(1), nullable=False),
    Column("state", String(16), nullable=False),
    Column("commitment", Hash32, ForeignKey("entries.commitment"), nullable=False),
    Column("number_tag", Hash32),
    Column("index_key_version", Integer, nullable=False),
    Column("sealed_statement", LargeBinary, nullable=False),
    Column("predecessor", String(36), ForeignKey("materials.material_id")),
    Column("successor", String(36), ForeignKey("materials.material_id")),
    Column("registered_at", UtcTime, nullable=False),
    UniqueConstraint("commitment"),
)

subjects = Table(
    "subjects",
    METADATA,
    Column("material_id", String(36), ForeignKey("materials.material_id"), primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("role", String(32), nullable=False),
    Column("tag", Hash32, nullable=False),
    Index("ix_subjects_tag", "tag"),
    sqlite_with_rowid=False,
)

documents = Table(
    "documents",
    METADATA,
    Column("material_id", String(36), ForeignKey("materials.material_id"), primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("address", Hash32),
    Column("digest_tag", Hash32, nullable=False),
    Column("size_bytes", RowId, nullable=False),
    Column("sealed_bytes", RowId, nullable=False),
    Column("media_type", String(127), nullable=False),
    Index("ix_documents_digest_tag", "digest_tag"),
    Index("ix_documents_address", "address"),
    sqlite_with_rowid=False,
)

# Which material currently stands for (subject, type, document number): the duplicate rule.
document_numbers = Table(
    "document_numbers",
    METADATA,
    Column("subject_tag", Hash32, primary_key=True),
    Column("type_code", String(64), primary_key=True),
    Column("number_tag", Hash32, primary_key=True),
    Column("material_id", String(36), ForeignKey("materials.material_id"), nullable=False),
    sqlite_with_rowid=False,
)
