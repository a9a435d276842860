"""anvil for trials of many requests: its log goes to a file, never to a pipe that fills."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.localchain.support import CHAIN_ID, find_anvil

START_LIMIT_S = 30
_LISTENING = re.compile(r"Listening on (\S+)")


@contextmanager
def running_anvil(folder: Path) -> Iterator[str]:
    """Its address; paris and free gas, as the local chain."""
    anvil = find_anvil()
    assert anvil is not None, "anvil is missing: run `npm ci`"
    log = folder / "anvil.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(anvil), "--port", "0", "--host", "127.0.0.1", "--chain-id", str(CHAIN_ID),
             "--hardfork", "paris", "--base-fee", "0", "--gas-price", "0",
             "--gas-limit", "100000000", "--disable-min-priority-fee", "--accounts", "1"],
            stdout=output,
        )  # fmt: skip
    try:
        yield _wait_for_address(process, log)
    finally:
        process.terminate()
        process.wait(START_LIMIT_S)


def _wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_LIMIT_S
    while (found := _LISTENING.search(log.read_text("utf-8", "replace"))) is None:
        assert process.poll() is None, "anvil ended"
        assert time.monotonic() < deadline, "anvil did not start"
        time.sleep(0.02)
    return f"http://{found.group(1)}"
