"""The local chain's block beside the same block in py-evm with nothing underneath."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path

from tests.bench.harness import Result, Side
from tests.localchain.bench import BATCH, _blocks


def bench_chain(scratch: Path) -> Iterator[Result]:
    """A block of 50 contract calls; more of the chain: `python -m tests.localchain.bench`."""
    with redirect_stderr(io.StringIO()):  # one line per block
        durable, memory = _blocks(scratch).values()
    yield Result(
        "chain",
        Side(
            f"block of {BATCH} contract calls, durable with its log rows", "calls", BATCH, durable
        ),
        Side("the same block in py-evm over a dictionary", "calls", BATCH, memory),
    )
