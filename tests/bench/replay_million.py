"""`python -m tests.bench.replay_million`: an audit of a million materials, stage by stage.

A ledger is made (many events to a block, tests/support/made_ledger.py) as a chain copy and a
mirror directory; a process of its own replays it, so that making it leaves nothing in its memory.
Storage is not read: there is no endpoint.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ledger_node.core.replay_compare import compute_state_digest
from ledger_node.edges.audit import AuditDirectory, DirectoryLogFiles
from ledger_node.flows.audit_chain import open_copy
from ledger_node.flows.audit_resuming import AuditKeeper
from ledger_node.flows.auditing import compare_replay, fold_reading
from tests.bench.harness import describe_run
from tests.support.made_ledger import DOMAIN, MadeLedger, make_ledger, trust_profile

QUARTERS = (25, 50, 75, 100)
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Watch:
    """Per stage: seconds by the wall and of the processor, resident memory (MiB) per quarter."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    rss_mib: dict[str, dict[str, float]] = field(default_factory=dict)
    begun_s: float = field(default_factory=time.monotonic)
    begun_cpu_s: float = field(default_factory=time.process_time)
    logs: int = 5

    def told(self, stage: str, done: int, total: int) -> None:
        """Progress of the audit; the five logs are one stage."""
        name, share = stage, 100 * done // total
        if stage.startswith("log "):
            name = "logs"
            begun = self.rss_mib.setdefault("_logs", {})
            begun.setdefault(stage, 0.0)
            share = (100 * (len(begun) - 1) + share) // self.logs
        marks = self.rss_mib.setdefault(name, {})
        for quarter in QUARTERS:
            if share >= quarter:
                marks.setdefault(f"{quarter}%", round(read_rss_mib(), 1))

    def end(self, stage: str) -> None:
        """A stage is over."""
        now_s = time.monotonic()
        self.seconds[stage], self.begun_s = round(now_s - self.begun_s, 2), now_s
        now_s = time.process_time()
        self.cpu_seconds[stage], self.begun_cpu_s = round(now_s - self.begun_cpu_s, 2), now_s


def read_rss_mib() -> float:
    """Resident memory of this process, MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_BYTES / 2**20


def replay_made(made: MadeLedger, work: Path) -> dict[str, object]:
    """Replay a made ledger from its copy and tiles, keeping progress in `work`."""
    start_mib, watch = read_rss_mib(), Watch()
    reading = open_copy(AuditDirectory(made.copy), trust_profile(made))
    replayed = fold_reading(reading, watch.told)
    watch.end("chain")
    files = DirectoryLogFiles(made.tiles, DOMAIN)
    keeper = AuditKeeper.open(AuditDirectory(work))
    report = compare_replay(
        replayed, None, DOMAIN, files.fetch_log_file, progress=watch.told, keeper=keeper
    )
    watch.end("logs and digest")
    compute_state_digest(replayed.state)
    watch.end("digest once more")
    watch.rss_mib.pop("_logs", None)
    return {
        "clean": report.clean,
        "blocks": report.blocks,
        "events": report.events,
        "entries": report.entries,
        "heads": sum(log.heads for log in report.logs),
        "grants": len(replayed.state.grants),
        "state_digest": report.state_digest.hex(),
        "seconds": watch.seconds,
        "cpu_seconds": watch.cpu_seconds,
        "rss_mib_at_start": round(start_mib, 1),
        "rss_mib": watch.rss_mib,
    }


def main() -> int:
    """Make the ledger, replay it in a process of its own, print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replay_million")
    parser.add_argument("--materials", type=int, default=1_000_000)
    parser.add_argument("--grants", type=int, default=100_000)
    parser.add_argument("--blocks", type=int, default=1_000)
    parser.add_argument("--made", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.made:
        known = json.loads(arguments.made)
        made = MadeLedger(
            Path(known["copy"]), Path(known["tiles"]), bytes.fromhex(known["genesis"]),
            known["blocks"], known["logs"],
        )  # fmt: skip
        print(json.dumps(replay_made(made, made.copy.parent / "work")))
        return 0
    with tempfile.TemporaryDirectory(prefix="tongban-bench-") as scratch:
        begun_s = time.monotonic()
        made = make_ledger(
            Path(scratch),
            materials=arguments.materials,
            grants=arguments.grants,
            blocks=arguments.blocks,
        )
        seconds = round(time.monotonic() - begun_s, 1)
        facts = asdict(made) | {"genesis": made.genesis.hex()}
        command = [sys.executable, "-m", "tests.bench.replay_million"]
        child = subprocess.run(
            [*command, "--made", json.dumps(facts, default=str)], check=True, capture_output=True
        )
    print(json.dumps(describe_run() | {"made_in_s": seconds} | json.loads(child.stdout), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
