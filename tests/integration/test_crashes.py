"""T1: the process dies or fails at every step boundary of intake and sequencing; then restart.

For each boundary: died before it, died after it, and "failed but persisted" (the effect happened
and the caller was told it failed). After the restart the ledger is whole: what was receipted is
there and sequenced once, what was not receipted is there once or not at all, and handing it in
again ends with exactly one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ledger_node.core.errors import UnavailableError
from ledger_node.flows.intake import DocumentAlreadyRegisteredError, IntakeQueue, register
from ledger_node.flows.materials import load_material
from ledger_node.flows.sequencing import open_log, resume_sequencing, run_sequencing_round
from tests.integration.city import LOG, close_city, file_of, open_city, submission
from tests.integration.ledger_oracle import check_ledger
from tests.integration.processes import AFTER, BEFORE, DIED, MODES, FailPoint, fork, wait
from tests.results import note_faults

pytestmark = pytest.mark.integration

INTAKE_POINTS = ("documents.put_from", "documents.sync", "key_store.put_all", "database.commit")
SEQUENCING_POINTS = (
    ("database.commit", 1),  # indexes assigned
    ("tiles.put_all", 1),
    ("keys.sign", 1),
    ("tiles.replace_checkpoint", 1),
    ("database.commit", 2),  # checkpoint row
)
FAILED_VISIBLY = 3

# Every boundary on SQLite; on PostgreSQL those whose effect is the database's.
EVERY_INTAKE = [("sqlite", name) for name in INTAKE_POINTS] + [("postgres", "database.commit")]
EVERY_SEQUENCING = [
    (engine, name, nth)
    for engine in ("sqlite", "postgres")
    for name, nth in SEQUENCING_POINTS
    if engine == "sqlite" or name == "database.commit"
]


def prepare(root: Path, url: str) -> list[str]:
    """A city with three receipted materials, two of them published."""
    node = open_city(root, url)
    open_log(node)
    queue = IntakeQueue(node)
    ids = [register(node, queue, submission(n)).material_id for n in range(2)]
    run_sequencing_round(node)
    ids.append(register(node, queue, submission(2)).material_id)
    close_city(node)
    return ids


def recover_and_check(root: Path, url: str, receipted: list[str], expected: range) -> None:
    """Restart as the node does; every receipted material opens and stands in the log once."""
    node = open_city(root, url)
    try:
        resume_sequencing(node)
        queue = IntakeQueue(node)
        try:
            again = register(node, queue, submission(9, file_of(b"the one in flight")))
            receipted = [*receipted, again.material_id]
        except DocumentAlreadyRegisteredError as error:
            receipted = [*receipted, error.material_id]
        resume_sequencing(node)
        for material_id in receipted:
            opened = load_material(node, material_id)  # type: ignore[arg-type]
            for row in opened.stored.row.documents:
                assert row.address is not None
                assert b"".join(node.documents.read(row.address))
    finally:
        close_city(node)
    report = check_ledger(url, root / LOG)
    assert set(receipted) <= set(report["materials"])
    assert len(report["materials"]) in expected
    assert len(report["sequenced"]) == len(set(report["sequenced"])) == len(report["materials"])
    assert (report["pending"], report["halts"]) == (0, [])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("database_url", "name"), EVERY_INTAKE, indirect=["database_url"])
def test_register_fails_at_a_boundary_restart_leaves_one_or_none(
    tmp_path: Path, database_url: str, name: str, mode: str
) -> None:
    receipted = prepare(tmp_path, database_url)
    reader, writer = os.pipe()

    def work() -> None:
        point = FailPoint(name, mode)
        node = open_city(tmp_path, database_url, point)
        try:
            done = register(node, IntakeQueue(node), submission(9, file_of(b"the one in flight")))
            os.write(writer, json.dumps(["receipted", done.material_id]).encode())
        except UnavailableError:
            os.write(writer, json.dumps(["failed", None]).encode())
        assert point.calls >= 1

    status = wait(fork(work))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    if mode in (BEFORE, AFTER):
        assert (status, said) == (DIED, b"")  # the fault fired
        note_faults(f"intake {mode}")
    else:
        assert status == 0
        outcome, material_id = json.loads(said)
        # A commit that took place although it was reported failed is found and receipted.
        assert outcome == ("receipted" if name == "database.commit" else "failed")
        receipted += [material_id] if material_id else []
    recover_and_check(tmp_path, database_url, receipted, range(4, 5))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("database_url", "name", "nth"), EVERY_SEQUENCING, indirect=["database_url"]
)
def test_run_sequencing_round_fails_at_a_boundary_restart_finishes_it(
    tmp_path: Path, database_url: str, name: str, nth: int, mode: str
) -> None:
    receipted = prepare(tmp_path, database_url)

    def work() -> None:
        node = open_city(tmp_path, database_url, FailPoint(name, mode, nth))
        try:
            run_sequencing_round(node)
        except UnavailableError:
            os._exit(FAILED_VISIBLY)

    status = wait(fork(work))
    assert status == (DIED if mode in (BEFORE, AFTER) else FAILED_VISIBLY)
    recover_and_check(tmp_path, database_url, receipted, range(4, 5))
