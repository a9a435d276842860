"""The store: one SQLite file, one writer, many readers.

Promises:
    * `commit_block` writes a whole block (trie nodes, header, bodies, log rows, removal of its
      transactions from the pending table) in one transaction, durable when it returns.
    * `add_pending` is durable when it returns; concurrent callers share one commit.
    * One process per directory (an advisory lock on `lock`).

Not here: what is in a block (chain.py), which chain the file holds (genesis.py).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ledger_node.localchain.errors import StoreLockedError, StoreMismatchError
from ledger_node.localchain.schema import APPLICATION_ID, FORMAT_VERSION, SCHEMA

CACHED_NODES = 100_000
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class LogRow:
    """One log of one block; `topics` are at most four times 32 bytes."""

    block_number: int
    log_index: int
    tx_index: int
    tx_hash: bytes
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes

    def as_row(self) -> tuple[object, ...]:
        """Columns of table `log`, in order."""
        padded = (*self.topics, None, None, None, None)[:4]
        return (
            self.block_number,
            self.log_index,
            self.tx_index,
            self.tx_hash,
            self.address,
            *padded,
            self.data,
        )


@dataclass(frozen=True, slots=True)
class BlockWrite:
    """All that one block adds to the store."""

    number: int
    hash: bytes
    timestamp_s: int
    nodes: Mapping[bytes, bytes]
    logs: Sequence[LogRow]
    settled: Sequence[bytes]
    """Hashes of transactions that leave the pending table with this block."""


class Store:
    """Open store of one chain."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock_file = _acquire_lock(directory / "lock")
        self._path = directory / "chain.sqlite3"
        self._write_lock = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Arrival] = []
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()
        self._writer = self._connect()
        self._prepare()
        self._cached = lru_cache(maxsize=CACHED_NODES)(self._read_node)

    # -- opening and closing -------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 10000")
        return connection

    def _prepare(self) -> None:
        found = self._writer.execute("PRAGMA application_id").fetchone()[0]
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if (found, version) == (APPLICATION_ID, FORMAT_VERSION):
            return
        if (found, version) != (0, 0) or self._writer.execute(
            "SELECT count(*) FROM sqlite_master"
        ).fetchone() != (0,):
            self.close()
            raise StoreMismatchError(f"{self._path.name} is not a store of format {FORMAT_VERSION}")
        self._writer.executescript(
            f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {FORMAT_VERSION}; COMMIT;"
        )

    def close(self) -> None:
        """Close every connection and give the directory free."""
        with self._write_lock, self._readers_lock:
            for connection in (*self._readers, self._writer):
                connection.close()
            self._readers.clear()
        os.close(self._lock_file)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Borrow a read connection; readers never wait for the writer (WAL)."""
        with self._readers_lock:
            connection = self._readers.pop() if self._readers else None
        connection = connection or self._connect()
        try:
            yield connection
        finally:
            with self._readers_lock:
                self._readers.append(connection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    # -- key and value, as py-evm wants them ---------------------------------------------------

    def get_node(self, key: bytes) -> bytes:
        """Value of a key.

        Keys of 32 bytes are hashes of their values (trie nodes, headers, code): they never change
        and are cached. The few named keys (head, number to hash) are read every time.

        Raises:
            KeyError: Nothing is stored under this key.
        """
        return self._cached(key) if len(key) == HASH_BYTES else self._read_node(key)

    def _read_node(self, key: bytes) -> bytes:
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM node WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return bytes(row[0])

    # -- named values --------------------------------------------------------------------------

    def load_meta(self) -> dict[str, str]:
        """All named values."""
        with self.reading() as connection:
            return dict(connection.execute("SELECT name, value FROM meta").fetchall())

    def save_meta(self, values: Mapping[str, str]) -> None:
        """Set named values; durable when it returns."""
        with self._writing() as connection:
            _put_meta(connection, values)

    # -- blocks --------------------------------------------------------------------------------

    def commit_block(self, block: BlockWrite, meta: Mapping[str, str] | None = None) -> None:
        """Write a block in one transaction; durable when it returns."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO node (key, value) VALUES (?, ?)", block.nodes.items()
            )
            connection.execute(
                "INSERT INTO block (number, hash, timestamp_s) VALUES (?, ?, ?)",
                (block.number, block.hash, block.timestamp_s),
            )
            connection.executemany(
                "INSERT INTO log (block_number, log_index, tx_index, tx_hash, address,"
                " topic0, topic1, topic2, topic3, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [log.as_row() for log in block.logs],
            )
            connection.executemany(
                "DELETE FROM pending WHERE tx_hash = ?", [(tx_hash,) for tx_hash in block.settled]
            )
            _put_meta(connection, meta or {})

    # -- transactions that wait ----------------------------------------------------------------

    def add_pending(self, tx_hash: bytes, raw: bytes) -> None:
        """Keep a transaction until a block takes it; durable when it returns.

        Group commit: whoever gets the write lock first commits everything that is queued.
        """
        arrival = _Arrival(tx_hash, raw)
        with self._queue_lock:
            self._queue.append(arrival)
        if arrival.stored.is_set():
            return
        with self._write_lock:
            if not arrival.stored.is_set():
                self._flush_queue()

    def _flush_queue(self) -> None:
        with self._queue_lock:
            batch, self._queue = self._queue, []
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            self._writer.executemany(
                "INSERT OR IGNORE INTO pending (tx_hash, raw) VALUES (?, ?)",
                [(arrival.tx_hash, arrival.raw) for arrival in batch],
            )
            self._writer.execute("COMMIT")
        except BaseException:
            self._writer.execute("ROLLBACK")
            with self._queue_lock:
                self._queue = batch + self._queue
            raise
        for arrival in batch:
            arrival.stored.set()

    def load_pending(self) -> list[bytes]:
        """Raw transactions that wait, in order of arrival."""
        with self.reading() as connection:
            rows = connection.execute("SELECT raw FROM pending ORDER BY arrival").fetchall()
        return [bytes(row[0]) for row in rows]

    def drop_pending(self, tx_hashes: Iterable[bytes]) -> None:
        """Forget transactions that can never be taken."""
        with self._writing() as connection:
            connection.executemany(
                "DELETE FROM pending WHERE tx_hash = ?", [(tx_hash,) for tx_hash in tx_hashes]
            )


class _Arrival:
    __slots__ = ("raw", "stored", "tx_hash")

    def __init__(self, tx_hash: bytes, raw: bytes) -> None:
        self.tx_hash = tx_hash
        self.raw = raw
        self.stored = threading.Event()


def _put_meta(connection: sqlite3.Connection, values: Mapping[str, str]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", values.items()
    )


def _acquire_lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreLockedError(f"another process uses {path.parent.name}") from error
    return descriptor
