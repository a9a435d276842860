"""T3: kill -9 at a random moment under eight writers and a sequencer.

Each trial has at least 20 acknowledged writes when the process is killed while others are in
flight. Acknowledged ⊆ stored ⊆ sequenced exactly once after the restart. Zero failures in n
trials means below 3/n at 95 %.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from ledger_node.core.types import MaterialId
from ledger_node.flows.intake import IntakeQueue, register
from ledger_node.flows.materials import load_material
from ledger_node.flows.sequencing import open_log, resume_sequencing, run_sequencing_round
from ledger_node.ports.database import StaleHeadError
from tests.integration.city import LOG, close_city, file_of, open_city, submission
from tests.integration.ledger_oracle import check_ledger
from tests.integration.processes import fork, wait

pytestmark = pytest.mark.integration

WRITERS = 8
ACKNOWLEDGED = 20
UUID_BYTES = 36


def write_until_killed(root: Path, url: str, pipe: int) -> None:
    """Eight writers that acknowledge to the pipe, one sequencer; ends only by a signal."""
    node = open_city(root, url)
    open_log(node)
    queue = IntakeQueue(node)

    def write(writer: int) -> None:
        for number in range(100_000):
            which = writer * 100_000 + number
            done = register(
                node, queue, submission(which % 5000, file_of(b"%d" % which), number=f"J{which}")
            )
            os.write(pipe, done.material_id.encode())  # atomic: shorter than PIPE_BUF

    for writer in range(WRITERS):
        threading.Thread(target=write, args=(writer,), daemon=True).start()
    while True:
        with contextlib.suppress(StaleHeadError):
            run_sequencing_round(node)


def collect(pipe: int, at_least: int, deadline_s: float) -> bytes:
    data = b""
    while len(data) < at_least * UUID_BYTES:
        assert time.monotonic() < deadline_s, "the writers are too slow"
        data += os.read(pipe, 65_536)
    return data


@pytest.mark.parametrize("seed", range(5))
def test_kill_under_eight_writers_loses_and_doubles_nothing(
    tmp_path: Path, database_url: str, seed: int
) -> None:
    reader, writer = os.pipe()
    child = fork(lambda: write_until_killed(tmp_path, database_url, writer))
    os.close(writer)
    acknowledged = collect(reader, ACKNOWLEDGED, time.monotonic() + 60)
    time.sleep(random.Random(seed).uniform(0, 0.15))
    os.kill(child, signal.SIGKILL)
    assert wait(child) == -signal.SIGKILL
    with os.fdopen(reader, "rb") as pipe:
        acknowledged += pipe.read()
    ids = [
        acknowledged[at : at + UUID_BYTES].decode()
        for at in range(0, len(acknowledged), UUID_BYTES)
    ]
    assert len(set(ids)) == len(ids) >= ACKNOWLEDGED
    node = open_city(tmp_path, database_url)
    resume_sequencing(node)
    for material_id in ids:
        opened = load_material(node, MaterialId(material_id))
        address = opened.stored.row.documents[0].address
        assert address is not None
        assert b"".join(node.documents.read(address))
    close_city(node)
    report = check_ledger(database_url, tmp_path / LOG)
    assert set(ids) <= set(report["materials"])
    assert len(report["sequenced"]) == len(set(report["sequenced"])) == len(report["materials"])
    assert (report["pending"], report["halts"]) == (0, [])
