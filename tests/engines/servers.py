"""Real document servers as processes on the loopback, each ended by its own handle."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ledger_node.edges.documents import KuboServer, S3Place, StagedStore, open_bucket

PROGRAMS = Path(__file__).resolve().parents[2] / "build" / "engines"
START_LIMIT_S = 30.0
ACCESS, SECRET, TOKEN = "tongban-test", "a secret of the tests alone", "token-of-the-tests"
BUCKET = "documents"


def find_program(name: str) -> str:
    """Path of an engine; a missing one is a failure here, never a skip."""
    program = PROGRAMS / name
    assert program.is_file(), f"{name} is missing: run make engines"
    return str(program)


def find_installed(name: str) -> str:
    """Path of a program of the system; a missing one is a failure here, never a skip."""
    found = shutil.which(name)
    assert found is not None, f"{name} is missing: install its package"
    return found


def take_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A document server that can be killed and started again on the same data.

    Attributes:
        kind: `s3` or `ipfs`.
        port: The same over restarts.
        start_process: Starts it.
        directory: What it keeps.
    """

    kind: str
    port: int
    start_process: Callable[[], subprocess.Popen[bytes]]
    directory: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        self.process = self.start_process()
        deadline = time.monotonic() + START_LIMIT_S
        while not _answers(self.port):
            assert self.process.poll() is None, f"{self.kind} ended"
            assert time.monotonic() < deadline, f"{self.kind} does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def open_store(
        self,
        spool: Path,
        *,
        port: int | None = None,
        secret: str | None = None,
        part: str = "a",
        timeout_s: float = 10.0,
    ) -> StagedStore:
        """A store over this server, or over whatever listens at `port` in front of it."""
        url = f"http://127.0.0.1:{port or self.port}"
        if self.kind == "s3":
            key = SECRET if secret is None else secret
            place = S3Place(
                url, BUCKET, "us-east-1", f"{part}/", ACCESS, lambda: key, timeout_s=timeout_s
            )
            return StagedStore(open_bucket(place), spool)
        token = TOKEN if secret is None else secret
        return StagedStore(KuboServer(url, f"/tongban/{part}", token, timeout_s), spool)


@contextmanager
def run_versitygw(directory: Path) -> Iterator[Server]:
    """The S3 gateway over a directory, with one bucket."""
    program, port = find_program("versitygw"), take_port()
    (directory / "data" / BUCKET).mkdir(parents=True)

    def start() -> subprocess.Popen[bytes]:
        command = [program, "--port", f"127.0.0.1:{port}", "--access", ACCESS, "--secret", SECRET]
        command += ["--quiet", "posix", str(directory / "data")]
        with (directory / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    yield from _run(Server("s3", port, start, directory / "data"))


@contextmanager
def run_kubo(directory: Path) -> Iterator[Server]:
    """A Kubo node that speaks to nobody but its RPC's callers, and to those by a token."""
    program, port = find_program("ipfs"), take_port()
    environment = {**os.environ, "IPFS_PATH": str(directory / "repo"), "IPFS_TELEMETRY": "off"}
    environment["HOME"] = str(directory)
    subprocess.run(
        [program, "init", "--empty-repo"],
        env=environment,
        check=True,
        timeout=60,
        stdout=subprocess.DEVNULL,
    )
    _configure_kubo(directory / "repo" / "config", port)

    def start() -> subprocess.Popen[bytes]:
        command = [program, "daemon", "--offline"]
        with (directory / "log").open("ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)

    yield from _run(Server("ipfs", port, start, directory / "repo"))


def _configure_kubo(path: Path, port: int) -> None:
    config = json.loads(path.read_text())
    config["Addresses"] |= {
        "API": f"/ip4/127.0.0.1/tcp/{port}",
        "Gateway": [],
        "Swarm": [],
        "Announce": [],
    }
    config["API"]["Authorizations"] = {
        "tests": {"AuthSecret": f"bearer:{TOKEN}", "AllowedPaths": ["/api/v0"]}
    }
    config["AutoConf"] = {"Enabled": False}
    config["Bootstrap"] = []
    config["DNS"] = {"Resolvers": {}}
    config["Routing"] = {"Type": "none", "DelegatedRouters": []}
    config["Ipns"]["DelegatedPublishers"] = []
    config["AutoTLS"] = {"Enabled": False}
    config["Discovery"]["MDNS"]["Enabled"] = False
    path.write_text(json.dumps(config))


def _run(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _answers(port: int) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", method="POST")
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5)
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True
