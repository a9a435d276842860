"""The permissioned EVM ledger as flows see it: blocks, raw logs, calls, signed transactions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What pins one chain: its id and the hash of block 0 (32 bytes)."""

    chain_id: int
    genesis_hash: BlockHash


@dataclass(frozen=True, slots=True)
class BlockRef:
    """One block: number, hash and parent hash (32 bytes each), timestamp in seconds."""

    number: BlockNumber
    hash: BlockHash
    parent_hash: BlockHash
    block_timestamp_s: int


@dataclass(frozen=True, slots=True)
class RawLog:
    """One contract log, sliced but not decoded (`core/events.py` decodes it).

    `topics` are 32 bytes each; `data` is the raw ABI payload; `log_index` counts in the block.
    """

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: BlockNumber
    block_hash: BlockHash
    tx_hash: TxHash
    log_index: int


@dataclass(frozen=True, slots=True)
class TxOutcome:
    """A mined transaction: where, and whether it succeeded (`status` 1)."""

    tx_hash: TxHash
    block_number: BlockNumber
    block_hash: BlockHash
    succeeded: bool
    gas_used: int


class Chain(Protocol):
    """Promises: nothing is cached across calls; a contradiction of chain id or genesis raises
    `ChainContradictionError`, no answer raises `ChainUnavailableError`, a revert raises the typed
    error its selector maps to (unknown selectors are kept as hex in `ContractRevertError`).
    """

    def fetch_identity(self) -> ChainIdentity: ...

    def fetch_head(self) -> BlockRef: ...

    def fetch_blocks(self, numbers: Sequence[BlockNumber]) -> list[BlockRef | None]:
        """One batch request; None where the chain has no such block."""
        ...

    def fetch_logs(
        self, first: BlockNumber, last: BlockNumber, addresses: Sequence[Address]
    ) -> list[RawLog]:
        """All logs of `addresses` in first..last (inclusive), in chain order."""
        ...

    def fetch_outcomes(self, tx_hashes: Sequence[TxHash]) -> list[TxOutcome | None]:
        """One batch request; None while a transaction is not in a block."""
        ...

    def fetch_nonce(self, account: Address) -> int:
        """Count of mined transactions of `account` at the head block."""
        ...

    def fetch_code_hash(self, address: Address) -> bytes:
        """keccak-256 of the runtime code at the head block, 32 bytes."""
        ...

    def call(
        self,
        to: Address,
        data: bytes,
        *,
        sender: Address | None = None,
        block: BlockNumber | None = None,
    ) -> bytes:
        """`eth_call` at `block` (head when None); raises the mapped error on revert."""
        ...

    def estimate_gas(self, to: Address, data: bytes, *, sender: Address) -> int: ...

    def send_transactions(self, raw: Iterable[bytes]) -> list[TxHash]:
        """Broadcast signed bytes; "already known" and "nonce too low for the same bytes" are not
        errors: the caller observes the outcome."""
        ...
