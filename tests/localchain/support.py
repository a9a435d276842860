"""Chains as real processes, and a client that speaks to them."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3

from tests.localchain.bytecode import CREATION

CHAIN_ID = 5101
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15
ROOT = Path(__file__).parents[2]


class WarmParent:
    """The process that forks chains; one per test process, ended with it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.localchain.warm_parent"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        atexit.register(self._end)

    def ask(self, **request: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def _end(self) -> None:
        self._process.communicate(timeout=STOP_TIMEOUT_S)


_starts = count()


@cache
def warm_parent() -> WarmParent:
    """Started when first needed."""
    return WarmParent()


@dataclass
class ChainProcess:
    """A chain process; `facts` is empty when it refused to start."""

    pid: int
    log: Path
    facts: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def url(self) -> str:
        return str(self.facts["rpc"])

    def web3(self) -> Web3:
        return Web3(HTTPProvider(self.url, {"timeout": 20}, exception_retry_configuration=None))

    def wait(self) -> int:
        """Exit code; negative for a signal."""
        if self.exit_code is None:
            self.exit_code = warm_parent().ask(wait=self.pid)
        return self.exit_code

    def kill(self) -> None:
        """SIGKILL, and proof that it was that which ended the process."""
        os.kill(self.pid, signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL

    def stop(self) -> int:
        """SIGTERM; exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()


def spawn_chain(
    data: Path, *options: str, chain_id: int = CHAIN_ID, fault: tuple[str, int] | None = None
) -> ChainProcess:
    """Start a chain and wait until it is ready or has ended."""
    start = next(_starts)
    out, log = data.with_suffix(f".{start}.out"), data.with_suffix(f".{start}.log")
    out.touch()
    arguments = ["--data", str(data), "--chain-id", str(chain_id), *options]
    pid = warm_parent().ask(start=arguments, out=str(out), log=str(log), fault=fault)
    chain = ChainProcess(pid, log)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (line := out.read_text()).endswith("\n"):
        assert time.monotonic() < deadline, log.read_text()
        if log.exists() and '"refused"' in log.read_text():
            return chain
        time.sleep(0.01)
    chain.facts = json.loads(line)
    return chain


@contextmanager
def running_chain(data: Path, *options: str, **more: Any) -> Iterator[ChainProcess]:
    """A chain that is ended with the block."""
    chain = spawn_chain(data, *options, **more)
    assert chain.facts, chain.log.read_text()
    try:
        yield chain
    finally:
        if chain.exit_code is None:
            chain.stop()


@dataclass
class Sender:
    """An account that counts its own nonces and pays nothing."""

    chain_id: int = CHAIN_ID
    account: LocalAccount = field(default_factory=lambda: Account.create())
    nonce: int = 0

    def sign(self, to: str | None, data: bytes, kind: int = 0, **more: Any) -> bytes:
        """Raw bytes of the next transaction of type `kind` (0, 1 or 2)."""
        fields: dict[str, Any] = {
            "chainId": self.chain_id, "nonce": self.nonce, "gas": 300_000, "value": 0,
            "data": data, "to": to if to else b"",
        }  # fmt: skip
        fields |= {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0} if kind == 2 else {"gasPrice": 0}
        if kind:
            fields |= {"type": kind, "accessList": []}
        signed = self.account.sign_transaction(fields | more)
        self.nonce += 1
        return bytes(signed.raw_transaction)

    def send(self, web3: Web3, to: str | None, data: bytes, kind: int = 0, **more: Any) -> Any:
        """Send and wait for the receipt."""
        tx_hash = web3.eth.send_raw_transaction(self.sign(to, data, kind, **more))
        return web3.eth.wait_for_transaction_receipt(tx_hash, timeout=20, poll_latency=0.02)

    def deploy(self, web3: Web3) -> str:
        """Address of a new probe contract."""
        return str(self.send(web3, None, CREATION).contractAddress)


def rpc(web3: Web3, method: str, *params: object) -> Any:
    """Raw answer of one request."""
    return web3.provider.make_request(method, list(params))  # type: ignore[arg-type]


def wait_until(condition: Any, timeout_s: float = 20.0) -> None:
    """Poll until true; a time-out is a failure."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.02)


def find_anvil() -> Path | None:
    """The development chain of the contract toolchain, if installed."""
    found = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    return found if os.access(found, os.X_OK) else None


@contextmanager
def running_anvil(options: Sequence[str] = ()) -> Iterator[str]:
    """Its address; the same rules as the local chain: paris, free gas."""
    anvil = find_anvil()
    assert anvil is not None, "anvil is missing: run `npm ci`"
    process = subprocess.Popen(
        [str(anvil), "--port", "0", "--host", "127.0.0.1", "--chain-id", str(CHAIN_ID),
         "--hardfork", "paris", "--base-fee", "0", "--gas-price", "0",
         "--gas-limit", "100000000", "--disable-min-priority-fee", *options],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("Listening on "):
                yield "http://" + line.split()[-1]
                break
        else:
            raise AssertionError("anvil did not start")
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT_S)
        process.stdout.close()
