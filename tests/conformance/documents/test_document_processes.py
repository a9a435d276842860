"""The segment store under several processes, SIGKILL, and with big documents."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger_node.edges.documents import SegmentStore

pytestmark = pytest.mark.integration

WRITER = """
import sys
from pathlib import Path
from ledger_node.edges.documents.segments import SegmentStore
store = SegmentStore(Path(sys.argv[1]))
worker, rounds = sys.argv[2], int(sys.argv[3])
store.put([worker.encode()])  # owns a segment from here on
if worker in ("left", "right"):
    print(flush=True)
    sys.stdin.readline()
for number in range(rounds):
    addresses = [store.put([f"{worker}/{number}/{i}".encode() * 40])[0] for i in range(5)]
    addresses.append(store.put([f"shared/{number}".encode() * 40])[0])
    store.sync()
    print(" ".join(address.hex() for address in addresses), flush=True)
"""

BIG = """
import hashlib, json, sys
from pathlib import Path
from ledger_node.edges.documents import AgeSealer, SegmentStore

class Zeros:
    def __init__(self, size): self.left = size
    def read(self, size):
        taken = min(size, self.left)
        self.left -= taken
        return bytes(taken)

def peak_kib():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])

directory, secret = Path(sys.argv[1]), bytes(range(32))
store, sealer = SegmentStore(directory / "documents"), AgeSealer()
small = sealer.seal(store, secret, Zeros(1000))
sealer.unseal(store, small.address, secret, small.digest, directory / "small")
before = peak_kib()
sealed = sealer.seal(store, secret, Zeros(64 << 20))
store.sync()
sealer.unseal(store, sealed.address, secret, sealed.digest, directory / "big")
print(json.dumps({"growth_kib": peak_kib() - before, "size": (directory / "big").stat().st_size}))
"""


def start_writer(directory: Path, worker: str, rounds: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(directory), worker, str(rounds)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def collect(process: subprocess.Popen[str]) -> list[bytes]:
    """Acknowledged addresses: whole lines only, to the end of the process."""
    assert process.stdout is not None
    with process:
        lines = process.stdout.readlines()
    whole = [line for line in lines if line.endswith("\n")]
    return [bytes.fromhex(text) for line in whole for text in line.split()]


def assert_all_readable(directory: Path, addresses: list[bytes]) -> None:
    store = SegmentStore(directory)
    for address in set(addresses):
        assert b"".join(store.read(address))
    store.close()


def test_put_sync_under_sigkill_keeps_everything_acknowledged(tmp_path: Path) -> None:
    rng, acknowledged = random.Random(7), list[bytes]()
    for trial in range(6):
        process = start_writer(tmp_path, f"trial {trial}", 1_000_000)
        seen = [read_line(process) for _ in range(rng.randrange(5, 30))]
        process.send_signal(signal.SIGKILL)
        seen_addresses = [bytes.fromhex(text) for line in seen for text in line.split()]
        assert len(seen_addresses) >= 20, "the kill came before there was anything to lose"
        acknowledged += seen_addresses + collect(process)
        assert process.returncode == -signal.SIGKILL
        assert_all_readable(tmp_path, acknowledged)
    for path in tmp_path.glob("index.db*"):
        path.unlink()
    assert_all_readable(tmp_path, acknowledged)


def test_put_by_two_processes_at_once_both_are_kept(tmp_path: Path) -> None:
    watcher = SegmentStore(tmp_path)
    processes = [start_writer(tmp_path, worker, 60) for worker in ("left", "right")]
    assert [read_line(process) for process in processes] == ["\n", "\n"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    acknowledged = [collect(process) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [len(addresses) for addresses in acknowledged] == [360, 360]
    assert len(list(tmp_path.glob("*.seg"))) == 2, "each process owned a segment"
    for address in {*acknowledged[0], *acknowledged[1]}:
        assert watcher.has(address)
    assert_all_readable(tmp_path, acknowledged[0] + acknowledged[1])


def test_seal_64_mib_in_a_process_grows_memory_by_less_than_40_mib(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BIG, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert measured["size"] == 64 << 20
    assert measured["growth_kib"] < 40 * 1024, measured
