"""What a local chain is started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger_node.localchain.clock import ClockMode

BLOCK_GAS_LIMIT = 100_000_000
CALL_GAS_CAP = 30_000_000


@dataclass(frozen=True, slots=True)
class GenesisSettings:
    """Everything the genesis block is computed from; equal settings give an equal hash.

    Attributes:
        chain_id: EIP-155 chain id, 1 to 2**53 - 1.
        gas_limit: Gas limit of every block.
        timestamp_s: Timestamp of block 0.
        extra_data: At most 32 bytes that tell two chains of one id apart.
        balances_wei: Balances by address (20 bytes) at block 0; gas is free, so usually empty.
    """

    chain_id: int
    gas_limit: int = BLOCK_GAS_LIMIT
    timestamp_s: int = 0
    extra_data: bytes = b"tongban local chain"
    balances_wei: Mapping[bytes, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """How one process runs.

    Attributes:
        data: Directory of the store; made if absent; one process at a time.
        genesis: The chain it holds; another one is refused.
        port: TCP port on 127.0.0.1; 0 picks a free one.
        clock: `wall`, or `test` for blocks as fast as transactions.
        block_interval_s: Shortest time between two blocks (wall).
        empty_interval_s: Longest time without a block (wall).
    """

    data: Path
    genesis: GenesisSettings
    port: int = 0
    clock: ClockMode = ClockMode.WALL
    block_interval_s: float = 1.0
    empty_interval_s: float = 10.0
