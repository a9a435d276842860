"""The permissioned EVM ledger as flows see it: blocks, raw logs, calls, signed transactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger_node.core.anchor import FinalityPolicy
from ledger_node.core.errors import InvariantError, LedgerError, UnavailableError
from ledger_node.core.receipt_chain import AccountEvidence, LogEvidence
from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash


class ChainUnavailableError(UnavailableError):
    """The endpoint gave no usable answer; whether a sent transaction arrived is unknown."""

    code = "chain_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"链节点没有给出可用的应答（{reason}）。稍后会自动重试。",
            f"The chain endpoint gave no usable answer ({reason}); it is tried again.",
            reason=reason,
        )


class TransactionRefusedError(UnavailableError):
    """The endpoint refused to take a signed transaction; its bytes are kept and sent again."""

    code = "transaction_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"链节点拒绝接收交易（{reason}）。",
            f"The chain endpoint refused the transaction ({reason}).",
            reason=reason,
        )


class ChainContradictionError(InvariantError):
    """The endpoint answers for another chain, or contradicts what it said and we pinned."""

    code = "chain_contradiction"

    def __init__(self, what: str, expected: str, found: str) -> None:
        super().__init__(
            f"链与已固定的事实不符（{what}）：应为 {expected}，实为 {found}。"
            "已停止，请联系管理员。",
            f"The chain contradicts what is pinned ({what}): expected {expected}, found {found}.",
            what=what,
            expected=expected,
            found=found,
        )


class ContractRevertError(LedgerError):
    """A contract refused a call.

    Attributes:
        selector: First four bytes of the revert data, hex; empty when there was none.
        name: Name of the custom error, or `Unknown`.
        arguments: Its arguments by name; bytes stay bytes.
    """

    code = "contract_reverted"

    def __init__(
        self, selector: str, name: str, arguments: Mapping[str, object], message_zh: str = ""
    ) -> None:
        shown = ", ".join(
            f"{key}={value.hex() if isinstance(value, bytes) else value}"
            for key, value in arguments.items()
        )
        super().__init__(
            message_zh or f"合约拒绝了该操作（{name or selector}）。",
            f"The contract refused: {name or selector}({shown}).",
            selector=selector,
            name=name,
            arguments=dict(arguments),
        )
        self.selector = selector
        self.name = name
        self.arguments = dict(arguments)


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """What pins one chain: its id and the hash of block 0 (32 bytes)."""

    chain_id: int
    genesis_hash: BlockHash


@dataclass(frozen=True, slots=True)
class ChainProfile:
    """What a city was told about the chain: what pins it, when it is final, what it costs.

    Attributes:
        membership: The contract that is never replaced.
        first_block: Block from which logs are taken in (Membership's, or earlier).
        gas_limit: Of every transaction; unused gas costs nothing.
        gas_price_wei: 0 on free-gas chains.
        log_range_blocks: Most blocks asked for at once.
        resend_after_s: A sent transaction in no block is sent again after so long.
        foreign_after_s: A nonce finally used by bytes we cannot find for so long is foreign.
        pins_every_s: How often code hashes are compared again.
    """

    chain_id: int
    genesis_hash: BlockHash
    membership: Address
    first_block: BlockNumber
    finality: FinalityPolicy
    gas_limit: int = 2_000_000
    gas_price_wei: int = 0
    log_range_blocks: int = 2000
    resend_after_s: float = 15.0
    foreign_after_s: float = 60.0
    pins_every_s: float = 60.0


@dataclass(frozen=True, slots=True)
class BlockRef:
    """One block: number, hash and parent hash (32 bytes each), timestamp in seconds; and by what
    missing logs are noticed: the bloom filter over all its logs (256 bytes) and its transactions.

    `validators` are those the header names, if the engine seals its headers.
    """

    number: BlockNumber
    hash: BlockHash
    parent_hash: BlockHash
    block_timestamp_s: int
    logs_bloom: bytes = bytes(256)
    tx_hashes: tuple[TxHash, ...] = ()
    validators: tuple[Address, ...] = ()


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
    """A mined transaction: where, whether it succeeded (`status` 1), and how many logs it left."""

    tx_hash: TxHash
    block_number: BlockNumber
    block_hash: BlockHash
    succeeded: bool
    gas_used: int
    log_count: int = 0


class Chain(Protocol):
    """Promises: nothing is cached across calls; an answer for another chain id than the one the
    client was built for raises `ChainContradictionError`, no usable answer raises
    `ChainUnavailableError`, a revert raises the typed error its selector maps to (unknown
    selectors are kept as hex in `ContractRevertError`).
    """

    def fetch_identity(self) -> ChainIdentity: ...

    def fetch_head(self) -> BlockRef: ...

    def fetch_finalized(self) -> BlockRef | None:
        """Block of the `finalized` tag; None where the engine does not answer it."""
        ...

    def fetch_blocks(self, numbers: Sequence[BlockNumber]) -> list[BlockRef | None]:
        """One batch request; None where the chain has no such block."""
        ...

    def fetch_logs(
        self, first: BlockNumber, last: BlockNumber, addresses: Sequence[Address]
    ) -> list[RawLog]:
        """All logs of `addresses` in first..last (inclusive), in chain order, each once; of every
        contract when `addresses` is empty."""
        ...

    def fetch_outcomes(self, tx_hashes: Sequence[TxHash]) -> list[TxOutcome | None]:
        """One batch request; None while a transaction is not in a block."""
        ...

    def fetch_nonce(self, account: Address, *, block: BlockNumber | None = None) -> int:
        """Count of mined transactions of `account` at `block` (head when None)."""
        ...

    def fetch_code_hash(self, address: Address) -> bytes:
        """keccak-256 of the runtime code at the head block, 32 bytes."""
        ...

    def fetch_header(self, number: BlockNumber) -> bytes:
        """Header of a block as RLP, with its seals if it has any; its hash is the block's."""
        ...

    def fetch_log_proof(self, number: BlockNumber, log_index: int) -> LogEvidence:
        """Proof of the log of that index in the block; it leads to the block's header."""
        ...

    def fetch_account_proof(
        self, number: BlockNumber, address: Address, slots: Sequence[bytes]
    ) -> AccountEvidence:
        """Account and slots (32 bytes each, ascending) after a block; it leads to the header.

        Raises:
            ChainUnavailableError: Also when the endpoint keeps the state of that block no longer.
        """
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

    def estimate_gas(self, to: Address | None, data: bytes, *, sender: Address) -> int:
        """Gas of a call, or of a creation when `to` is None; raises as `call`."""
        ...

    def send_transactions(self, raw: Iterable[bytes]) -> list[TxHash]:
        """Broadcast signed bytes in order; "already known" and "nonce too low" are not errors:
        the caller observes the outcome. A crash or lost answer may leave any of them sent.

        Returns:
            Hashes of `raw`, computed here, never taken from the endpoint.

        Raises:
            TransactionRefusedError: The endpoint refused one; those after it may be unsent.
        """
        ...
