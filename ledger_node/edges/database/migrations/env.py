"""Alembic environment: migrates over the connection it is given; there is no offline mode."""

from __future__ import annotations

from alembic import context

from ledger_node.edges.database.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
