"""Schema migrations from within the package: to the newest revision, and whether code agrees.

All groups' revisions hang on `0001_intake_and_log`; several heads are allowed, so that groups
can grow side by side. The whole upgrade is one transaction; concurrent upgrades wait in line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from ledger_node.edges.database.engine import WRITES, build_engine
from ledger_node.edges.database.tables import METADATA
from ledger_node.edges.database.transaction import translated_errors

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 0x746F6E67  # any fixed number: one upgrade at a time on PostgreSQL


def migrate(url: str) -> None:
    """Bring the schema of `url` to the newest revision; idempotent.

    Raises:
        DatabaseUrlError: The URL names neither SQLite nor PostgreSQL.
        DatabaseUnavailableError: The database does not answer.
    """
    engine = build_engine(url)
    try:
        with (
            translated_errors(),
            engine.connect().execution_options(**{WRITES: True}) as connection,
            connection.begin(),
        ):
            _upgrade(connection)
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")


def list_schema_differences(url: str) -> list[Any]:
    """What the tables in code and the migrated schema of `url` disagree about; empty when equal."""
    engine = build_engine(url)
    try:
        with translated_errors(), engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "target_metadata": METADATA}
            )
            return list(compare_metadata(context, METADATA))
    finally:
        engine.dispose()
