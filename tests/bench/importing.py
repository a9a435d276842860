"""Bulk import of 100,000 pre-hashed rows up to final anchors, in a process of its own.

`python -m tests.bench.importing FOLDER ROWS` imports into a founded city whose chain runs, and
prints one JSON object; `bench_import` starts it, so that memory is that of the import alone.
"""

from __future__ import annotations

import csv
import hashlib
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.edges import open_plain
from tests.bench.harness import REPEATS, ROOT, Result, Side, time_once

ROWS = 100_000
BATCH = 2_000
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def resident_number(which: int) -> str:
    """A number with a right check digit (GB 11643)."""
    day = 1 + which % 28
    month = 1 + which // 28 % 12
    year = 1950 + which // (28 * 12) % 50
    sequence = which // (28 * 12 * 50)
    digits = f"510107{year}{month:02}{day:02}{sequence:03}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


def write_table(path: Path, rows: int) -> None:
    """Rows with a subject, a document number and a digest each."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("type_code", "grade", "subject_scheme", "subject_number", "subject_name", "number",
             "issued_on", "digest")
        )  # fmt: skip
        for which in range(rows):
            digest = hashlib.sha256(b"%d" % which).hexdigest()
            writer.writerow(
                ("marriage-cert", "A", "cn-resident-id", resident_number(which), f"张三{which}",
                 f"J510107-2020-{which:06}", "2020-05-20", digest)
            )  # fmt: skip


def read_memory_mib(name: str) -> float:
    """`VmRSS` or `VmHWM` of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def import_and_anchor(folder: Path, rows: int) -> dict[str, object]:
    """Import, give indexes, anchor until final; seconds by stage, memory, anchors."""
    from ledger_node.flows.anchoring import resume_anchoring
    from ledger_node.flows.following import resume_following
    from ledger_node.flows.importing import import_table
    from ledger_node.flows.outbox import resume_outbox
    from ledger_node.flows.sequencing import open_log, run_sequencing_round
    from ledger_node.wiring import open_runtime

    write_table(folder / "table.csv", rows)
    runtime = open_runtime(folder)
    node = runtime.node
    open_log(node)
    resume_following(node)
    memory: list[float] = []
    reports = []

    def note(stage: str, _done: int) -> None:
        if stage == "store":
            memory.append(read_memory_mib("VmRSS"))

    stored_s = time_once(
        lambda: reports.append(import_table(node, folder / "table.csv", progress=note))
    )

    def sequence() -> None:
        while run_sequencing_round(node).assigned:
            pass

    def anchored() -> int:
        with node.database.read() as tx:
            head = tx.chain.find_latest_head(node.city)
        return head.tree_head.size if head else 0

    def anchor() -> None:
        while anchored() < rows:
            resume_outbox(node)
            resume_anchoring(node)
            resume_following(node)

    sequenced_s = time_once(sequence)
    anchored_s = time_once(anchor)
    with node.database.read() as tx:
        anchors = tx.chain.find_latest_head(node.city)
        assert anchors is not None
        accounts = dict(tx.outbox.list_accounts())
    stages = {name: round(seconds, 2) for name, seconds in reports[0].stage_s.items()}
    result = {
        "rows": reports[0].registered,
        "stored_s": stored_s,
        "stages_s": stages | {"sequence": round(sequenced_s, 2), "anchor": round(anchored_s, 2)},
        "anchor_transactions": sum(accounts.values()),
        "rss_mib": {
            "first batch": round(memory[0], 1),
            "half": round(statistics.median(memory), 1),
            "last batch": round(memory[-1], 1),
            "peak, sequencing included": round(read_memory_mib("VmHWM"), 1),
        },
    }
    runtime.close()
    return result


def bench_import(scratch: Path, rows: int = ROWS) -> Iterator[Result]:
    """One import; the yardstick keeps its repeats, taken before and after it."""
    from tests.support.consortium import found_template, running_chain

    template = found_template(scratch / "template", 2)
    plain, number, bare = open_plain(scratch / "plain.db"), iter(range(10**9)), []

    def insert() -> None:
        for _ in range(rows // BATCH):
            plain.execute("BEGIN IMMEDIATE")
            batch = ((f"{next(number)}", bytes(400)) for _ in range(BATCH))
            plain.executemany("INSERT INTO row VALUES (?, ?)", batch)
            plain.execute("COMMIT")

    bare += [time_once(insert) for _ in range(REPEATS // 2)]
    city = template.path / template.cities[0].slug
    with running_chain(template.path / "chain", port=template.rpc_port):
        command = [sys.executable, "-m", "tests.bench.importing", str(city), str(rows)]
        run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600)
    bare += [time_once(insert) for _ in range(REPEATS - len(bare))]
    plain.close()
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["rows"] == rows
    facts = {name: found[name] for name in ("stages_s", "anchor_transactions", "rss_mib")}
    yield Result(
        "import",
        Side("pre-hashed CSV rows checked, committed to, stored durably", "rows", rows,
             [found["stored_s"]]),
        Side(f"bare SQLite insert of as many rows, {BATCH:,} to a commit", "rows", rows, bare),
        facts | {"repeats": "the import ran once"},
    )  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(import_and_anchor(Path(sys.argv[1]), int(sys.argv[2]))) + "\n")
