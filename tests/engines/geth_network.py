"""Four geth signers (Clique) as processes on the loopback: a chain that really forks.

Peers are fixed by the configuration file, which also binds the peer port to 127.0.0.1 (the
command line's `--port` would bind every interface). Gas is free; blocks come every second.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import eth_keyfile
import httpx2
from eth_keys import keys as eth_keys

from tests.engines.servers import find_program, take_port
from tests.support.asking import ask_chain

CHAIN_ID = 7109
SIGNERS = 4
PASSWORD = "signers of a test"
START_LIMIT_S = 60.0
GAS_LIMIT = 100_000_000


@dataclass
class Signer:
    """One signer: its keys, ports, files and, while it runs, its process."""

    folder: Path
    key: eth_keys.PrivateKey
    node_key: eth_keys.PrivateKey
    peer_port: int
    rpc_port: int
    auth_port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def enode(self) -> str:
        public = self.node_key.public_key.to_bytes().hex()
        return f"enode://{public}@127.0.0.1:{self.peer_port}?discport=0"

    @property
    def address(self) -> str:
        return self.key.public_key.to_canonical_address().hex()

    def ask(self, method: str, *params: Any) -> Any:
        return ask_chain(self.url, method, *params)

    def head(self) -> int:
        return int(self.ask("eth_blockNumber"), 16)

    def start(self) -> None:
        command = [find_program("geth"), "--datadir", str(self.folder)]
        command += ["--config", str(self.folder / "geth.toml"), "--networkid", str(CHAIN_ID)]
        command += ["--nodiscover", "--ipcdisable", "--authrpc.port", str(self.auth_port)]
        command += ["--http", "--http.addr", "127.0.0.1", "--http.port", str(self.rpc_port)]
        command += ["--http.api", "eth,net,web3,clique", "--allow-insecure-unlock"]
        command += ["--unlock", f"0x{self.address}", "--password", str(self.folder / "password")]
        command += ["--mine", "--miner.etherbase", f"0x{self.address}", "--miner.gasprice", "0"]
        command += ["--miner.gaslimit", str(GAS_LIMIT), "--syncmode", "full", "--cache", "64"]
        command += ["--gcmode", "archive", "--verbosity", "2"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def wait(self, head: int = 0) -> None:
        """Until it answers and has a block."""
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            try:
                if self.head() >= head:
                    return
            except httpx2.HTTPError:
                pass
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.1)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL, and gone when it returns."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None


@contextmanager
def running_network(folder: Path) -> Iterator[list[Signer]]:
    """Four signers of one new chain, each connected to the others."""
    signers = [_make_signer(folder / f"signer-{at}", at) for at in range(SIGNERS)]
    genesis = folder / "genesis.json"
    genesis.write_text(json.dumps(_build_genesis(signers)))
    for each in signers:
        _prepare(each, signers, genesis)
    try:
        for each in signers:
            each.start()
        for each in signers:
            each.wait(head=2)
        yield signers
    finally:
        for each in signers:
            each.kill()


def _make_signer(folder: Path, at: int) -> Signer:
    (folder / "keystore").mkdir(parents=True)
    return Signer(
        folder,
        eth_keys.PrivateKey(bytes([at + 1]) * 32),
        eth_keys.PrivateKey(bytes([at + 101]) * 32),
        take_port(),
        take_port(),
        take_port(),
    )


def _build_genesis(signers: list[Signer]) -> dict[str, Any]:
    forks = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople")
    forks += ("petersburg", "istanbul", "berlin")
    addresses = "".join(sorted(each.address for each in signers))
    return {
        "config": {
            "chainId": CHAIN_ID,
            **{f"{fork}Block": 0 for fork in forks},
            "clique": {"period": 1, "epoch": 30000},
        },
        "difficulty": "1",
        "gasLimit": str(GAS_LIMIT),
        "timestamp": hex(int(time.time()) - 5),
        "extradata": "0x" + "00" * 32 + addresses + "00" * 65,
        "alloc": {},
    }


def _prepare(signer: Signer, signers: list[Signer], genesis: Path) -> None:
    keystore = eth_keyfile.create_keyfile_json(
        signer.key.to_bytes(), PASSWORD.encode(), kdf="pbkdf2", iterations=1000
    )
    (signer.folder / "keystore" / "signer").write_text(json.dumps(keystore))
    (signer.folder / "password").write_text(PASSWORD)
    (signer.folder / "geth").mkdir()
    (signer.folder / "geth" / "nodekey").write_text(signer.node_key.to_bytes().hex())
    others = ", ".join(f'"{each.enode}"' for each in signers if each is not signer)
    (signer.folder / "geth.toml").write_text(
        f'[Node.P2P]\nListenAddr = "127.0.0.1:{signer.peer_port}"\nNoDiscovery = true\n'
        f"StaticNodes = [{others}]\n"
    )
    command = [find_program("geth"), "--datadir", str(signer.folder), "init", str(genesis)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
