"""Database groups of steps 4 and 5: the outbox of signed transactions, and the followed chain.

Group `outbox` is private and backed up: its bytes are what a restart sends again. Group `chain`
is what the chain said: blocks, raw logs, and rows derived from them that can be dropped and
rebuilt (`docs/spec/chain-following.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.anchor import TxState
from ledger_node.core.errors import ConflictError
from ledger_node.core.event_types import ContractRole, Event
from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import (
    Address,
    BlockHash,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    TxHash,
)
from ledger_node.ports.chain import BlockRef, RawLog
from ledger_node.ports.database_editions import EditionRows


class StaleTipError(ConflictError):
    """The followed tip moved since it was read: another process follows too."""

    code = "stale_tip"

    def __init__(self, number: int) -> None:
        super().__init__(
            f"链的同步位置已变化（原为区块 {number}）。请重新读取。",
            f"The followed tip is not at block {number} any more; reload it.",
            number=number,
        )


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One signed transaction of this city, from before its broadcast to its final state.

    Attributes:
        outbox_id: Row number; other groups refer to it.
        kind: `anchor`, `record`, `consume`, … (what the owning flow looks for).
        reference: What it is about, as the owning flow names it (hex id, `generation/size`).
        raw: Signed bytes; sent again they are the same transaction.
        block_number / block_hash: Block it was last seen in; None when in none.
        gas_used: Of that block's receipt.
        attempts: How often it was broadcast.
        sent_at: Last broadcast.
        missing_since: Since when its nonce is finally used while it is in no block.
        problem: Last refusal of the endpoint, for people.
    """

    outbox_id: int
    account: Address
    nonce: int
    kind: str
    reference: str
    raw: bytes
    tx_hash: TxHash
    state: TxState
    block_number: BlockNumber | None
    block_hash: BlockHash | None
    gas_used: int | None
    attempts: int
    sent_at: datetime | None
    missing_since: datetime | None
    problem: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """A tree head and the outbox row of the transaction that anchors it."""

    generation: int
    old_size: int
    tree_head: TreeHead
    outbox_id: int
    created_at: datetime


class OutboxGroup(Protocol):
    """Promises: a nonce is handed out once per committed transaction, and returned when the
    transaction rolls back; final states never change; at most one `anchor` is not final."""

    def open_account(self, account: Address, first_nonce: int) -> int:
        """Insert the account if absent; its next nonce."""
        ...

    def list_accounts(self) -> list[tuple[Address, int]]:
        """Accounts with their next nonce."""
        ...

    def take_nonce(self, account: Address) -> int:
        """Next nonce, raised by one; other writers of the account wait until this transaction
        ends.

        Raises:
            NotFoundError: The account was not opened.
        """
        ...

    def adopt_nonce(self, account: Address, before: int, next_nonce: int) -> bool:
        """Compare-and-swap the next nonce to the chain's, when a person decided so."""
        ...

    def save_transaction(self, row: OutboxRow) -> int:
        """Insert (`row.outbox_id` is ignored); returns its id.

        Raises:
            ConflictError: The nonce or transaction is stored, or an anchor is open already.
        """
        ...

    def load_transaction(self, outbox_id: int) -> OutboxRow: ...

    def find_transaction(self, tx_hash: TxHash) -> OutboxRow | None: ...

    def find_latest(self, kind: str, reference: str) -> OutboxRow | None:
        """The newest attempt for one thing."""
        ...

    def list_open(self, limit: int, *, kind: str | None = None) -> list[OutboxRow]:
        """Transactions that are not final, by account and nonce."""
        ...

    def list_nonces(self, account: Address, first: int) -> list[int]:
        """Nonces from `first` on that have a row, ascending."""
        ...

    def advance_transaction(self, before: OutboxRow, after: OutboxRow) -> bool:
        """Compare-and-swap on (state, attempts); False when another process moved it."""
        ...

    def save_anchor(self, row: AnchorRow) -> None: ...

    def list_anchors(self, limit: int = 100) -> list[AnchorRow]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class ChainPins:
    """What this node was told to follow, fixed at its first start."""

    chain_id: int
    genesis_hash: BlockHash
    membership: Address
    first_block: BlockNumber


@dataclass(frozen=True, slots=True)
class FollowedTip:
    """How far the chain is taken in, and what was last seen of it.

    Attributes:
        number / hash: Last block taken in (`first_block - 1` before the first).
        block_timestamp_s: Its timestamp.
        final_number: Highest block the finality policy made final; never goes back.
        head_number / head_timestamp_s: Newest block seen at the endpoint.
        observed_at: When the endpoint last answered.
        pins_checked_at: When code hashes were last compared with the pins.
    """

    number: BlockNumber
    hash: BlockHash
    block_timestamp_s: int
    final_number: BlockNumber
    head_number: BlockNumber
    head_timestamp_s: int
    observed_at: datetime
    pins_checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a derived row comes from: the facts that evidence quotes."""

    block_number: BlockNumber
    block_hash: BlockHash
    block_timestamp_s: int
    tx_hash: TxHash
    log_index: int
    contract: Address


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """A head `CityLog` holds or held; `closing` when it ended its generation."""

    city: CityId
    generation: int
    tree_head: TreeHead
    closing: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Consumption:
    grant_id: GrantId
    release_commitment: ReleaseCommitment
    uses_left: int
    place: Place


@dataclass(frozen=True, slots=True)
class Revocation:
    grant_id: GrantId
    city: CityId
    place: Place


@dataclass(frozen=True, slots=True)
class RecordedGrant:
    """A grant as recorded, with everything that happened to it since (chain order)."""

    grant_id: GrantId
    releasing: CityId
    receiving: CityId
    recorder: CityId
    not_before_s: int
    not_after_s: int
    uses: int
    basis: int
    evidence: Commitment
    place: Place
    revocation: Revocation | None
    consumptions: tuple[Consumption, ...]

    @property
    def uses_left(self) -> int:
        return self.consumptions[-1].uses_left if self.consumptions else self.uses


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One flag an issuer added to a leaf (1 withdrawn, 2 superseded, 4 spent, 8 erased)."""

    city: CityId
    leaf_hash: LeafHash
    flag: int
    successor: Commitment
    place: Place


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection; `outcome` 0 open, 1 upheld, 2 rejected, 3 corrected, 4 withdrawn. Numbers
    count per contract (`place.contract`)."""

    objection_id: int
    city: CityId
    leaf_hash: LeafHash
    raiser: CityId
    reason: Commitment
    outcome: int
    place: Place


@dataclass(frozen=True, slots=True)
class FollowedBatch:
    """Consecutive blocks with all logs of our contracts in them, in chain order.

    Attributes:
        events: `logs` decoded, one each.
        tip: The tip after the batch.
    """

    blocks: Sequence[BlockRef]
    logs: Sequence[RawLog]
    events: Sequence[Event]
    tip: FollowedTip


class ChainGroup(Protocol):
    """Promises: blocks, logs, derived rows and tip change in one transaction; derived rows are
    only added to and rolled back, so that dropping and rebuilding them gives the same rows.

    Queries see every block taken in; `final_only` leaves out what may still be reorganised.
    """

    def open_following(self, pins: ChainPins, tip: FollowedTip) -> None:
        """Insert pins and first tip if absent."""
        ...

    def load_pins(self) -> ChainPins | None: ...

    def load_tip(self) -> FollowedTip | None: ...

    def observe(self, before: FollowedTip, after: FollowedTip) -> None:
        """Compare-and-swap what was seen of the chain, without taking blocks in.

        Raises:
            StaleTipError: Another process moved the tip.
        """
        ...

    def take_in(self, before: FollowedTip, batch: FollowedBatch) -> None:
        """Append a batch and move the tip; raises as `observe`."""
        ...

    def roll_back(self, before: FollowedTip, after: FollowedTip) -> None:
        """Delete everything above `after.number` and move the tip there; raises as `observe`."""
        ...

    def list_block_hashes(self, numbers: Sequence[BlockNumber]) -> dict[BlockNumber, BlockHash]:
        """Hashes of those blocks that are taken in."""
        ...

    def load_editions(self, contract: Address) -> EditionRows:
        """What this version of `Catalogue` said, pending blocks included."""
        ...

    def find_block(self, number: BlockNumber) -> BlockRef | None:
        """A block taken in (its bloom filter is not kept)."""
        ...

    def list_validators(self) -> list[tuple[BlockNumber, tuple[Address, ...]]]:
        """Sets that headers name, ascending, each from the first block that does; an empty one
        where headers carry no seals (any more)."""
        ...

    def pin_code(self, contract: Address, code_hash: bytes) -> None:
        """Insert if absent."""
        ...

    def list_code_pins(self) -> dict[Address, bytes]: ...

    def iterate_logs(self, first: BlockNumber, last: BlockNumber) -> Iterator[tuple[RawLog, int]]:
        """Stored logs in chain order, each with its block timestamp in seconds."""
        ...

    def drop_derived(self) -> None: ...

    def save_derived(self, events: Iterable[Event]) -> None: ...

    def list_contracts(self) -> dict[Address, ContractRole]:
        """Every contract ever registered, and Membership."""
        ...

    def list_membership_logs(self, *, up_to: BlockNumber | None = None) -> list[tuple[RawLog, int]]:
        """Logs of Membership with block timestamps; `core/membership.py` folds them."""
        ...

    def find_anchored_head(
        self, city: CityId, generation: int, tree_head: TreeHead, *, final_only: bool = True
    ) -> AnchoredHead | None:
        """The anchor of exactly this size and root."""
        ...

    def find_covering_head(
        self, city: CityId, generation: int, min_size: int, *, final_only: bool = True
    ) -> AnchoredHead | None:
        """The first anchored head of at least `min_size` leaves."""
        ...

    def find_latest_head(self, city: CityId, *, final_only: bool = True) -> AnchoredHead | None: ...

    def list_heads(self, city: CityId, limit: int = 1000) -> list[AnchoredHead]:
        """Newest first."""
        ...

    def find_grant(self, grant_id: GrantId, *, final_only: bool = True) -> RecordedGrant | None: ...

    def find_revocation(self, grant_id: GrantId, *, final_only: bool = False) -> Revocation | None:
        """The first revocation, also of a grant never recorded."""
        ...

    def find_consumption(
        self, release_commitment: ReleaseCommitment, *, final_only: bool = True
    ) -> Consumption | None: ...

    def list_statuses(
        self, city: CityId, leaf_hash: LeafHash, *, final_only: bool = False
    ) -> list[StatusChange]:
        """In chain order; their flags add up."""
        ...

    def list_status_changes(self, first: BlockNumber, last: BlockNumber) -> list[StatusChange]:
        """Of all cities, in chain order (for notices)."""
        ...

    def list_objections(self, city: CityId, leaf_hash: LeafHash) -> list[Objection]:
        """In chain order."""
        ...
