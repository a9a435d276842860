"""Transactions: one connection, all groups on it, library errors turned into ours.

A group is one class over a connection; it is added by one line in `SqlTransaction`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ledger_node.core.errors import LedgerError
from ledger_node.edges.database.accounts import SqlAccounts, SqlTrail
from ledger_node.edges.database.cases import SqlCases
from ledger_node.edges.database.chain import SqlChain
from ledger_node.edges.database.consent import SqlConsent
from ledger_node.edges.database.engine import WRITES, build_engine
from ledger_node.edges.database.exploring import SqlExplore
from ledger_node.edges.database.finds import SqlFinds
from ledger_node.edges.database.grants import SqlGrants
from ledger_node.edges.database.idempotency import SqlIdempotency
from ledger_node.edges.database.intake import SqlIntake
from ledger_node.edges.database.keeping import SqlKeeping
from ledger_node.edges.database.log import SqlLog
from ledger_node.edges.database.messages import SqlMessages
from ledger_node.edges.database.mirrors import SqlMirrors
from ledger_node.edges.database.officers import SqlOfficers
from ledger_node.edges.database.outbox import SqlOutbox
from ledger_node.edges.database.paging import SqlPaging
from ledger_node.edges.database.proofs import SqlProofs
from ledger_node.edges.database.questions import SqlQuestions
from ledger_node.edges.database.receipts import SqlReceipts
from ledger_node.edges.database.releases import SqlReleases
from ledger_node.edges.database.replays import SqlReplays
from ledger_node.edges.database.reuse import SqlReuse
from ledger_node.edges.database.uploads import SqlUploads
from ledger_node.ports.database import (
    DatabaseCorruptError,
    DatabaseUnavailableError,
    RowConflictError,
    Transaction,
)


class SqlTransaction:
    """The groups of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.intake = SqlIntake(connection)
        self.log = SqlLog(connection)
        self.outbox = SqlOutbox(connection)
        self.chain = SqlChain(connection)
        self.officers = SqlOfficers(connection)
        self.grants = SqlGrants(connection)
        self.finds = SqlFinds(connection)
        self.releases = SqlReleases(connection)
        self.receipts = SqlReceipts(connection)
        self.messages = SqlMessages(connection)
        self.accounts = SqlAccounts(connection)
        self.trail = SqlTrail(connection)
        self.cases = SqlCases(connection)
        self.explore = SqlExplore(connection)
        self.replays = SqlReplays(connection)
        self.questions = SqlQuestions(connection)
        self.reuse = SqlReuse(connection)
        self.consent = SqlConsent(connection)
        self.idempotency = SqlIdempotency(connection)
        self.uploads = SqlUploads(connection)
        self.paging = SqlPaging(connection)
        self.mirrors = SqlMirrors(connection)
        self.keeping = SqlKeeping(connection)
        self.proofs = SqlProofs(connection)


class SqlDatabase:
    """`ports.database.Database` over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = (
            {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            if engine.dialect.name == "postgresql"
            else {}
        )

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A write transaction: commits when the context ends, rolls back on any exception."""
        with (
            translated_errors(),
            self._engine.connect().execution_options(**{WRITES: True}) as connection,
            connection.begin(),
        ):
            yield SqlTransaction(connection)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One snapshot; rolled back at the end."""
        with (
            translated_errors(),
            self._engine.connect().execution_options(**self._reading) as connection,
            connection.begin() as snapshot,
        ):
            yield SqlTransaction(connection)
            snapshot.rollback()

    def close(self) -> None:
        self._engine.dispose()


def open_database(url: str) -> SqlDatabase:
    """Open a migrated database (`migrate` first).

    Raises:
        DatabaseUrlError: The URL names neither SQLite nor PostgreSQL.
    """
    return SqlDatabase(build_engine(url))


@contextmanager
def translated_errors() -> Iterator[None]:
    """Let only this project's errors out; values bound to statements never reach a message."""
    try:
        yield
    except SQLAlchemyError as error:
        raise translate(error) from error


def translate(error: SQLAlchemyError) -> LedgerError:
    """Sort a library error by whose fault it is; bound values are left out."""
    if isinstance(error, IntegrityError):
        return RowConflictError(_constraint(error))
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        return DatabaseUnavailableError(_first_line(error))
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return DatabaseUnavailableError(_first_line(error))
    return DatabaseCorruptError(_first_line(error))


def _first_line(error: SQLAlchemyError) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(original).__name__}: {str(original).splitlines()[0] if str(original) else ''}"


def _constraint(error: IntegrityError) -> str:
    """Name of the broken constraint or its columns; never the values (PostgreSQL puts those in
    the second line, SQLite nowhere)."""
    named = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return str(named) if named else _first_line(error)
