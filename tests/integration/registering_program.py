"""Registers WRITES papers from THREADS threads in a city on SQLite, for the sync tracer.

`registering_program.py ROOT WRITES THREADS`; prints one JSON object: acknowledged registrations
and the commits they took.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from ledger_node.flows.intake import IntakeQueue, register
from tests.integration.city import close_city, file_of, open_city, submission


class CountingDatabase:
    """Counts the write transactions that ended well."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.commits = 0

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with self._database.transaction() as tx:
            yield tx
        self.commits += 1  # one leader commits at a time

    def read(self) -> Any:
        return self._database.read()

    def close(self) -> None:
        self._database.close()


def main(root: Path, writes: int, threads: int) -> None:
    node = open_city(root, f"sqlite:///{root / 'city.sqlite'}")
    counting = CountingDatabase(node.database)
    node = replace(node, database=cast(Any, counting))
    queue = IntakeQueue(node)
    acknowledged: list[str] = []
    gate = threading.Barrier(threads)

    def work(first: int) -> None:
        gate.wait()
        for which in range(first, writes, threads):
            paper = submission(which, file_of(b"%d" % which))
            acknowledged.append(register(node, queue, paper).material_id)

    running = [threading.Thread(target=work, args=(first,)) for first in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    close_city(node)
    print(json.dumps({"acknowledged": len(set(acknowledged)), "commits": counting.commits}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
