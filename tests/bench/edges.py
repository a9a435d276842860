"""Documents, keys and registrations: the disk and the bare transaction are the limits."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGQUIT

import psycopg

from ledger_node.edges.clock import system_entropy
from ledger_node.edges.database.migrate import migrate
from ledger_node.edges.documents import AgeSealer, SegmentStore
from ledger_node.edges.keys.key_store import KeyStoreFile
from ledger_node.flows.intake import IntakeQueue, register
from tests.bench.harness import Result, compare
from tests.fixtures import postgres
from tests.integration.city import close_city, open_city, submission

DOCUMENT_BYTES, DOCUMENTS = 200 * 1024, 40
KEYS = 2_000
THREADS, EACH = 8, 25
REGISTRATIONS = THREADS * EACH


def bench_documents(scratch: Path) -> Iterator[Result]:
    """Sealing documents of 200 KiB into segments, one sync for the batch."""
    data = os.urandom(DOCUMENT_BYTES)
    store, sealer = SegmentStore(scratch / "documents"), AgeSealer()
    numbers = itertools.count()

    def seal() -> None:
        for _ in range(DOCUMENTS):
            sealer.seal(store, os.urandom(32), io.BytesIO(data))
        store.sync()

    def write() -> None:
        with (scratch / f"plain{next(numbers)}").open("wb") as file:
            for _ in range(DOCUMENTS):
                file.write(data)
            file.flush()
            os.fsync(file.fileno())

    yield compare(
        "documents",
        ("200 KiB sealed in the age format under an own key each, one sync", "documents",
         DOCUMENTS, seal),
        ("the same bytes written one after the other, one fsync", "documents", DOCUMENTS, write),
    )  # fmt: skip
    store.close()


def bench_keys(scratch: Path) -> Iterator[Result]:
    """`put_all` of the key store, as an import batch calls it."""
    store = KeyStoreFile(scratch / "keystore", system_entropy)
    numbers = itertools.count()

    def put() -> None:
        batch = next(numbers)
        store.put_all({f"{batch}/{n}": os.urandom(32) for n in range(KEYS)})

    bare = open_plain(scratch / "keys.db")

    def insert() -> None:
        batch = next(numbers)
        bare.execute("BEGIN IMMEDIATE")
        rows = ((f"{batch}/{n}", os.urandom(61)) for n in range(KEYS))
        bare.executemany("INSERT INTO row (name, raw) VALUES (?, ?)", rows)
        bare.execute("COMMIT")

    yield compare(
        "keys",
        (f"put_all of {KEYS:,}: wrapped, durable", "keys", KEYS, put),
        ("bare SQLite insert of as many rows, one commit", "keys", KEYS, insert),
    )
    bare.close()
    store.close()


def open_plain(path: Path) -> sqlite3.Connection:
    """A SQLite file with one table and the sync settings of the node."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE row (name TEXT PRIMARY KEY, raw BLOB)")
    return connection


def run_threads(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Run `work(number)` in each thread; an error in one fails the measurement."""
    failed: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=guarded, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failed:
        raise failed[0]


def compare_registrations(scratch: Path, name: str, url: str, bare: Callable[[], None]) -> Result:
    """Eight threads hand in papers with a document of some bytes each."""
    migrate(url)
    node = open_city(scratch / name, url)
    queue, numbers = IntakeQueue(node), itertools.count()

    def run() -> None:
        run_threads(lambda _: [register(node, queue, submission(next(numbers)))
                               for _ in range(EACH)] and None)  # fmt: skip

    try:
        return compare(
            name,
            (f"registered durably with a document, {THREADS} threads, growing tables",
             "registrations", REGISTRATIONS, run),
            ("bare one-row transactions", "commits", REGISTRATIONS, bare),
        )  # fmt: skip
    finally:
        close_city(node)


def bench_registrations(scratch: Path) -> Iterator[Result]:
    """Group commit on SQLite."""
    plain, numbers = open_plain(scratch / "plain.db"), itertools.count()

    def bare() -> None:
        for _ in range(REGISTRATIONS):
            plain.execute("INSERT INTO row VALUES (?, ?)", (f"{next(numbers)}", bytes(200)))

    (scratch / "registrations").mkdir()
    url = f"sqlite:///{scratch / 'registrations' / 'node.db'}"
    yield compare_registrations(scratch, "registrations", url, bare)
    plain.close()


@contextmanager
def durable_postgres() -> Iterator[postgres.PostgresServer]:
    """A server that syncs, as a city's would."""
    folder = Path(tempfile.mkdtemp(prefix="tongban-pg-"))
    server = postgres._start(folder, durable=True)
    try:
        postgres._wait_until_ready(server, folder)
        yield postgres.PostgresServer(folder, server.pid)
    finally:
        server.send_signal(SIGQUIT)
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def bench_registrations_postgres(scratch: Path) -> Iterator[Result]:
    """Group commit on PostgreSQL with fsync on."""
    with durable_postgres() as server:
        bare_url = server.create_database().replace("+psycopg", "")
        with psycopg.connect(bare_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE row (name TEXT PRIMARY KEY, raw BYTEA)")
        connections = [psycopg.connect(bare_url, autocommit=True) for _ in range(THREADS)]
        numbers = itertools.count()

        def insert(number: int) -> None:
            for _ in range(EACH):
                values = (f"{next(numbers)}", bytes(200))
                connections[number].execute("INSERT INTO row VALUES (%s, %s)", values)

        name = "registrations-postgres"
        yield compare_registrations(
            scratch, name, server.create_database(), lambda: run_threads(insert)
        )
        for connection in connections:
            connection.close()
