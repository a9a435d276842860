"""The key store: secret keys by name in an SQLite file of its own, wrapped per epoch.

Step 1 of the data flow (material keys) and release (kept secrets). Spec: docs/spec/keystore.md.
Apart from the main database and its backups, because erasing a key must not be undone by
restoring the database.

Invariants:
    * A row never leaves its name and epoch: both are associated data of its wrapping.
    * New rows are wrapped under the current epoch only, decided inside the writing transaction.
    * An old wrapping key is destroyed only when, inside a writing transaction, no row needs it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag

from ledger_node.core.derivation import MalformedKeyError
from ledger_node.core.errors import CiphertextAuthError
from ledger_node.edges.files import (
    PRIVATE_DIRECTORY,
    PRIVATE_FILE,
    exclusive_lock,
    make_private_directory,
)
from ledger_node.edges.keys.secret_files import demand_private, key_file_errors
from ledger_node.edges.keys.wrapping import Cipher, WrappingKeyFiles, WrappingKeys
from ledger_node.ports.clock import Entropy
from ledger_node.ports.keys import (
    SECRET_BYTES,
    KeyConflictError,
    KeyMissingError,
    KeyStoreUnavailableError,
)

KEY_STORE_NAME = "keystore.db"
MAX_NAME_LENGTH = 200
REWRAP_BATCH = 5_000
_READ_BATCH = 500
_NONCE_BYTES = 12
_VERSION = b"\x01"
_BUSY_S = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS key (
    name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, wrapped BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS epoch (number INTEGER PRIMARY KEY, seen_at_s INTEGER NOT NULL);
PRAGMA user_version = 2;
"""


class KeyStoreFile:
    """`KeyStore` over one SQLite file; a destroyed key leaves its name with no bytes."""

    def __init__(
        self, directory: Path, entropy: Entropy, wrapping: WrappingKeys | None = None
    ) -> None:
        """Open (or create) the store and end an interrupted change of epoch.

        Args:
            directory: Holds `keystore.db` and, by default, `wrapping/`; only its owner may enter.
            entropy: Source of nonces and wrapping keys.
            wrapping: Where wrapping keys live, when not in files.

        Raises:
            InsecureKeyFileError: Others could read the directory or the file.
            KeyStoreUnavailableError: It cannot be opened, or its wrapping key is missing.
        """
        self._entropy = entropy
        self._lock = threading.Lock()
        self._ciphers: dict[int, Cipher] = {}
        with key_file_errors():
            make_private_directory(directory)
            demand_private(directory, PRIVATE_DIRECTORY)
        self._wrapping = wrapping or WrappingKeyFiles(directory / "wrapping")
        with _our_errors(), exclusive_lock(directory / "keystore.lock"):
            self._connection = _open(directory / KEY_STORE_NAME)
            self._ensure_epoch()
        if self._wrapping.epochs()[0] < self._current_epoch():
            self._finish_rotation()

    def put_all(self, keys: Mapping[str, bytes]) -> None:
        """Store keys by name; durable and all or nothing."""
        for name, secret in keys.items():
            if len(secret) != SECRET_BYTES or not 0 < len(name) <= MAX_NAME_LENGTH:
                raise MalformedKeyError(
                    f"密钥 {name[:MAX_NAME_LENGTH]} 的名称或长度不合格。",
                    "a stored key has 32 bytes and a name of 1 to 200 characters.",
                )
        with self._writing() as connection:
            epoch = self._current_epoch()
            rows = self._wrap_all(epoch, keys)
            statement = "INSERT INTO key VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING"
            if connection.executemany(statement, rows).rowcount != len(keys):
                self._demand_same(connection, keys)

    def get_all(self, names: Sequence[str]) -> list[bytes]:
        """The keys in the order of `names`."""
        rows: dict[str, tuple[int, bytes]] = {}
        for at in range(0, len(names), _READ_BATCH):
            rows |= self._load_rows(names[at : at + _READ_BATCH])
        return [self._open_row(name, rows.get(name)) for name in names]

    def has(self, name: str) -> bool:
        """Whether the key is there and was not destroyed."""
        return name in self._load_rows([name])

    def destroy(self, name: str) -> None:
        """Overwrite the wrapped key and empty the write-ahead log; the name stays taken."""
        with self._writing() as connection:
            connection.execute("UPDATE key SET wrapped = NULL WHERE name = ?", (name,))
        with _our_errors(), self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def rotate_epoch(self) -> int:
        """Begin a new epoch, re-wrap every key under it, destroy the old wrapping keys."""
        with self._writing() as connection:
            epoch = self._current_epoch() + 1
            self._wrapping.create(epoch, self._entropy)
            connection.execute("UPDATE state SET epoch = ?", (epoch,))
        self._finish_rotation()
        return epoch

    def rotate_epoch_when_due(self, now: datetime, age: timedelta) -> bool:
        """Rotate when the current epoch was first seen `age` ago; returns whether it was."""
        now_s = int(now.timestamp())
        with self._writing() as connection:
            epoch = self._current_epoch()
            connection.execute("INSERT OR IGNORE INTO epoch VALUES (?, ?)", (epoch, now_s))
            query = "SELECT seen_at_s FROM epoch WHERE number = ?"
            seen_at_s: int = connection.execute(query, (epoch,)).fetchone()[0]
        if now_s - seen_at_s < age.total_seconds():
            return False
        self.rotate_epoch()
        self.rotate_epoch_when_due(now, age)  # the new epoch counts from now on
        return True

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _ensure_epoch(self) -> None:
        """Choose the current epoch of a new store, or of one restored from an older backup."""
        with self._writing() as connection:
            row = connection.execute("SELECT epoch FROM state").fetchone()
            epochs = self._wrapping.epochs()
            if row is None:
                epoch = max(epochs, default=1)
                self._wrapping.create(epoch, self._entropy)
                connection.execute("INSERT INTO state VALUES (1, ?)", (epoch,))
            elif row[0] not in epochs:
                if not epochs or epochs[-1] < row[0]:
                    reason = f"the wrapping key of epoch {row[0]} is missing"
                    raise KeyStoreUnavailableError(reason)
                connection.execute("UPDATE state SET epoch = ?", (epochs[-1],))

    def _current_epoch(self) -> int:
        """Epoch new keys are wrapped under."""
        epoch: int = self._connection.execute("SELECT epoch FROM state").fetchone()[0]
        return epoch

    def _cipher(self, epoch: int) -> Cipher:
        cipher = self._ciphers.get(epoch)
        if cipher is None:
            cipher = self._wrapping.load(epoch)
            # Another process may have ended an epoch: its key must not live on in memory here.
            alive = self._wrapping.epochs()
            kept = {old: key for old, key in self._ciphers.items() if old in alive}
            self._ciphers = {**kept, epoch: cipher}
        return cipher

    def _wrap_all(self, epoch: int, keys: Mapping[str, bytes]) -> list[tuple[str, int, bytes]]:
        encrypt = self._cipher(epoch).encrypt
        nonces = self._entropy(_NONCE_BYTES * len(keys)) if keys else b""
        return [
            (name, epoch, _VERSION + nonce + encrypt(nonce, secret, _row_data(name, epoch)))
            for (name, secret), nonce in zip(sorted(keys.items()), _split(nonces), strict=True)
        ]

    def _unwrap(self, name: str, epoch: int, wrapped: bytes) -> bytes:
        nonce, ciphertext = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
        try:
            if wrapped[:1] != _VERSION:
                raise InvalidTag
            return self._cipher(epoch).decrypt(nonce, ciphertext, _row_data(name, epoch))
        except (InvalidTag, ValueError) as error:
            raise CiphertextAuthError(name) from error

    def _open_row(self, name: str, row: tuple[int, bytes] | None) -> bytes:
        """Unwrap a row; it is read again when its epoch ended since it was read."""
        if row is None:
            raise KeyMissingError(name)
        try:
            return self._unwrap(name, *row)
        except KeyMissingError:
            again = self._load_rows([name]).get(name)
            if again is None or again[0] == row[0]:
                raise KeyMissingError(name) from None
            return self._unwrap(name, *again)

    def _load_rows(self, names: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """Epoch and wrapped bytes of those names that have a key."""
        marks = ", ".join("?" * len(names))
        query = (
            f"SELECT name, epoch, wrapped FROM key WHERE name IN ({marks})"  # noqa: S608 - only marks
            " AND wrapped IS NOT NULL"
        )
        with _our_errors(), self._lock:
            rows = self._connection.execute(query, tuple(names)).fetchall()
        return {name: (epoch, wrapped) for name, epoch, wrapped in rows}

    def _demand_same(self, connection: sqlite3.Connection, keys: Mapping[str, bytes]) -> None:
        """Names that were there already must stand for the same keys."""
        query = "SELECT epoch, wrapped FROM key WHERE name = ?"
        for name, secret in keys.items():
            epoch, wrapped = connection.execute(query, (name,)).fetchone()
            if wrapped is None or self._unwrap(name, epoch, wrapped) != secret:
                raise KeyConflictError(name)

    def _finish_rotation(self) -> None:
        """Re-wrap what is left of older epochs, then destroy their wrapping keys.

        Rows whose wrapping key is gone (a backup older than its epoch's end) stay unreadable.
        """
        for old in self._wrapping.epochs():
            while self._rewrap_batch(old):
                continue

    def _rewrap_batch(self, old: int) -> bool:
        """Move some rows of an old epoch to the current one; with none left, destroy its key.

        Returns:
            Whether there may be more.
        """
        with self._writing() as connection:
            epoch = self._current_epoch()
            if old >= epoch:
                return False
            rows = connection.execute(
                "SELECT name, epoch, wrapped FROM key WHERE epoch = ? AND wrapped IS NOT NULL"
                " LIMIT ?",
                (old, REWRAP_BATCH),
            ).fetchall()
            if rows:
                self._rewrap(connection, epoch, rows)
                return True
            self._wrapping.destroy(old)
            self._ciphers.pop(old, None)
            return False

    def _rewrap(
        self, connection: sqlite3.Connection, epoch: int, rows: list[tuple[str, int, bytes]]
    ) -> None:
        secrets = {name: self._unwrap(name, old, wrapped) for name, old, wrapped in rows}
        connection.executemany(
            "UPDATE key SET epoch = ?2, wrapped = ?3 WHERE name = ?1",
            self._wrap_all(epoch, secrets),
        )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A writing transaction: one writer among all processes, durable when the block ends."""
        with _our_errors(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
    demand_private(path, PRIVATE_FILE)
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        if connection.execute("PRAGMA user_version").fetchone() != (2,):
            connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _row_data(name: str, epoch: int) -> bytes:
    """Associated data of one wrapping: what it is, of which epoch, under which name."""
    return b"tongban/wrapped-key/v1\n" + epoch.to_bytes(8, "big") + name.encode()


def _split(nonces: bytes) -> Iterator[bytes]:
    for at in range(0, len(nonces), _NONCE_BYTES):
        yield nonces[at : at + _NONCE_BYTES]


@contextmanager
def _our_errors() -> Iterator[None]:
    """Nothing but this project's errors leaves the edge."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise KeyStoreUnavailableError(str(error)) from error
