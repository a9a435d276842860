"""Connections: SQLite with WAL and full sync, or PostgreSQL with bounded waits.

Invariants:
    * A commit is on disk when it returns (SQLite `synchronous=FULL`; PostgreSQL
      `synchronous_commit=on`).
    * A write transaction on SQLite takes the write lock when it begins (`BEGIN IMMEDIATE`), so
      that it never fails half-way because a reader became a writer.
    * Every wait is bounded: busy timeout, lock and statement timeouts.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ledger_node.core.errors import MalformedInputError

BUSY_TIMEOUT_S: Final = 30
LOCK_TIMEOUT_MS: Final = 10_000
STATEMENT_TIMEOUT_MS: Final = 60_000
CONNECT_TIMEOUT_S: Final = 5

WRITES: Final = "tongban_writes"  # execution option: this connection begins a write transaction

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA cache_size=-32768",  # KiB per connection: the random pages of the indexes stay in
    "PRAGMA wal_autocheckpoint=4000",  # pages; a bulk commit is not checkpointed half-way
)


class DatabaseUrlError(MalformedInputError):
    """The database URL names neither SQLite nor PostgreSQL."""

    code = "database_url_malformed"

    def __init__(self, backend: str) -> None:
        super().__init__(
            f"数据库地址不受支持：{backend}。请使用 sqlite:// 或 postgresql://。",
            f"Database URL not supported: {backend}; use sqlite:// or postgresql://.",
            backend=backend,
        )


def build_engine(url: str) -> Engine:
    """Build the engine for `sqlite:///<path>` or `postgresql://…`.

    Raises:
        DatabaseUrlError: Any other URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUrlError("?") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return _build_sqlite(parsed)
    if backend == "postgresql":
        return _build_postgres(parsed.set(drivername="postgresql+psycopg"))
    raise DatabaseUrlError(backend)


def _build_sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def prepare_connection(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # this module, not the driver, says when to begin
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma).close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("PRAGMA query_only=" + ("OFF" if writes else "ON"))
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _build_postgres(url: URL) -> Engine:
    options = (
        f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={STATEMENT_TIMEOUT_MS} -c synchronous_commit=on"
    )
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": CONNECT_TIMEOUT_S},
    )
