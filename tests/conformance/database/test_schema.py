"""Migrations and tables in code agree; migrating is idempotent; the engine is as promised."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger_node.edges.database.engine import WRITES, DatabaseUrlError, build_engine
from ledger_node.edges.database.migrate import list_schema_differences, migrate
from ledger_node.edges.database.tables import METADATA
from ledger_node.edges.database.transaction import open_database
from ledger_node.ports.database import DatabaseCorruptError, DatabaseUnavailableError

pytestmark = pytest.mark.integration


def test_migrate_new_database_agrees_with_the_tables_in_code(database_url: str) -> None:
    assert list_schema_differences(database_url) == []


def test_list_schema_differences_missing_column_is_named(database_url: str) -> None:
    engine = build_engine(database_url)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.execute(sa.text("ALTER TABLE halts DROP COLUMN cleared_by"))
    engine.dispose()
    differences = list_schema_differences(database_url)
    assert [(d[0], d[2], d[3].name) for d in differences] == [("add_column", "halts", "cleared_by")]


def test_migrate_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    assert list_schema_differences(database_url) == []


def test_tables_every_table_of_the_metadata_is_in_the_database(database_url: str) -> None:
    engine = build_engine(database_url)
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    assert names == set(METADATA.tables) | {"alembic_version"}
    assert len(METADATA.tables) >= 9


def test_tables_every_table_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "spec" / "database.md").read_text()
    assert [name for name in METADATA.tables if f"`{name}`" not in text] == []


def test_build_engine_sqlite_syncs_every_commit_and_checks_references(tmp_path: Path) -> None:
    engine = build_engine(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with engine.connect() as connection:
        read = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert read == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_build_engine_postgres_bounds_waits_and_commits_durably(postgres_url: str) -> None:
    engine = build_engine(postgres_url)
    with engine.connect() as connection:
        read = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("lock_timeout", "statement_timeout", "synchronous_commit")
        }
    engine.dispose()
    assert read == {
        "lock_timeout": "10s",
        "statement_timeout": "1min",
        "synchronous_commit": "on",
    }


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_build_engine_other_url_raises_typed_error(url: str) -> None:
    with pytest.raises(DatabaseUrlError):
        build_engine(url)


def test_open_database_server_gone_raises_unavailable(tmp_path: Path) -> None:
    database = open_database(f"postgresql://postgres@/none?host={tmp_path}")
    with pytest.raises(DatabaseUnavailableError), database.read():
        pass
    database.close()


def test_open_database_file_is_not_a_database_raises_typed_error(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"no database at all " * 100)
    database = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with pytest.raises(DatabaseCorruptError), database.read() as tx:
        tx.intake.count_materials()
    database.close()


def test_transaction_page_of_the_file_damaged_raises_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    migrate(f"sqlite:///{path}")
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    database = open_database(f"sqlite:///{path}")
    with pytest.raises(DatabaseCorruptError), database.read() as tx:
        tx.intake.count_materials()
    database.close()
