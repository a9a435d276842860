"""A throw-away anvil that lends its fast EVM to big batches of calls."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TOOLS = Path(__file__).resolve().parents[2] / "node_modules" / "@foundry-rs"
ANVIL = TOOLS / "anvil-linux-amd64" / "bin" / "anvil"
FORGE = TOOLS / "forge-linux-amd64" / "bin" / "forge"
START_LIMIT_S = 30
CALL_LIMIT_S = 100


class Anvil:
    """JSON-RPC client of one anvil process."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        request = urllib.request.Request(
            self.url, body.encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=CALL_LIMIT_S) as answer:
            result = json.load(answer)
        if "error" in result:
            raise AssertionError(result["error"])
        return result["result"]

    def place(self, code: bytes) -> str:
        """Puts runtime code at an address, without a transaction."""
        address = "0x" + "c0de" * 10
        self.request("anvil_setCode", address, "0x" + code.hex())
        return address

    def call(self, to: str, data: bytes) -> bytes:
        answer = self.request("eth_call", {"to": to, "data": "0x" + data.hex()}, "latest")
        return bytes.fromhex(answer[2:])


@contextmanager
def run_anvil() -> Iterator[Anvil]:
    """Starts anvil on a free port of 127.0.0.1 and ends it by its own handle."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(ANVIL), "--host", "127.0.0.1", "--port", str(port), "--silent"]
    command += ["--accounts", "1", "--hardfork", "paris", "--gas-limit", str(2**50)]
    command += ["--no-mining", "--no-request-size-limit"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            client = Anvil(f"http://127.0.0.1:{port}")
            _wait_until_answering(client, process)
            yield client
        finally:
            process.kill()


def _wait_until_answering(client: Anvil, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            client.request("eth_chainId")
            return
        except OSError:
            assert process.poll() is None, "anvil ended"
            assert time.monotonic() < deadline, "anvil does not answer"
            time.sleep(0.05)
