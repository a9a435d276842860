"""Contract events as the core sees them: one frozen dataclass each.

Used by steps 4, 5, 7, 8, 10, 11 and governance. Names and fields follow contracts/interfaces;
`tests/unit/core/test_events.py` compares both with the committed ABI. Spec: docs/spec/events.md.

Not here: decoding logs (events.py), what an event changes (membership.py, status.py, replay.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from ledger_node.core.types import (
    Address,
    BlockHash,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    RootHash,
    TreeSize,
    TxHash,
)


class KeyRole(IntEnum):
    """Roles of a city's registered keys, numbered as in `Membership`."""

    ANCHOR = 0
    GATE = 1
    GOVERN = 2
    CHECKPOINT = 3
    COSIGNER = 4
    MESSAGE = 5
    ENCRYPTION = 6


class ContractRole(IntEnum):
    """Which contract a log comes from. 0 to 3 are the roles `Membership` registers."""

    CITY_LOG = 0
    MATERIAL_STATUS = 1
    GRANTS = 2
    CATALOGUE = 3
    MEMBERSHIP = 255  # never registered on chain: the one contract that is not replaced


class StatusFlag(IntFlag):
    """What an issuer can say about a leaf."""

    WITHDRAWN = 1
    SUPERSEDED = 2
    SPENT = 4
    ERASED = 8


class ObjectionOutcome(IntEnum):
    """How the issuing city closed an objection."""

    UPHELD = 1
    REJECTED = 2
    CORRECTED = 3


class ProposalKind(IntEnum):
    """What a proposal does when it is executed."""

    ADMIT_CITY = 0
    SUSPEND_CITY = 1
    REINSTATE_CITY = 2
    REGISTER_CONTRACT = 3
    DISTRUST_KEY = 4
    REPLACE_KEY = 5
    CANCEL_CHANGE = 6
    CLOSE_GENERATION = 7


class Basis(IntEnum):
    """On what evidence a grant stands."""

    PASSKEY = 1
    COUNTER = 2
    ASSERTION = 3
    STATUTORY = 4


@dataclass(frozen=True, slots=True)
class Position:
    """Where a log stands in the chain.

    Attributes:
        block_number: Number of its block.
        log_index: 0-based index among all logs of the block.
        tx_hash: Transaction that emitted it, 32 bytes.
        block_hash: 32 bytes.
        block_timestamp_s: Timestamp of the block in seconds.
        address: Contract that emitted it, 20 bytes.
    """

    block_number: BlockNumber
    log_index: int
    tx_hash: TxHash
    block_hash: BlockHash
    block_timestamp_s: int
    address: Address


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events: something a contract said at a position."""

    position: Position


@dataclass(frozen=True, slots=True)
class UnknownEvent(Event):
    """A log of a known contract with a topic this program does not know; kept, never guessed."""

    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class MemberAdmitted(Event):
    city: CityId
    url: str


@dataclass(frozen=True, slots=True)
class MemberSuspended(Event):
    city: CityId


@dataclass(frozen=True, slots=True)
class MemberReinstated(Event):
    city: CityId


@dataclass(frozen=True, slots=True)
class KeyAnnounced(Event):
    """`key` is 32 bytes: a public key, or an account address left-padded with zeros.

    `change_id` is 0 when it took effect at once (admission, replacement by vote).
    """

    city: CityId
    role: KeyRole
    key: bytes
    valid_from_s: int
    change_id: int


@dataclass(frozen=True, slots=True)
class UrlAnnounced(Event):
    city: CityId
    url: str
    valid_from_s: int
    change_id: int


@dataclass(frozen=True, slots=True)
class ChangeCancelled(Event):
    change_id: int
    city: CityId


@dataclass(frozen=True, slots=True)
class KeyDistrusted(Event):
    city: CityId
    role: KeyRole
    key: bytes
    since_block: BlockNumber


@dataclass(frozen=True, slots=True)
class ProposalCreated(Event):
    """`paper` is the SHA-256 of the paper that explains it, or all zero."""

    proposal_id: int
    city: CityId
    kind: ProposalKind
    payload: bytes
    paper: bytes
    expires_at_s: int


@dataclass(frozen=True, slots=True)
class VoteCast(Event):
    """A later vote of the same city replaces an earlier one."""

    proposal_id: int
    city: CityId
    support: bool


@dataclass(frozen=True, slots=True)
class ProposalExecuted(Event):
    proposal_id: int


@dataclass(frozen=True, slots=True)
class ContractRegistered(Event):
    """It drops a registration of the same role whose block had not come yet."""

    role: ContractRole
    contract_address: Address
    from_block: BlockNumber


@dataclass(frozen=True, slots=True)
class CheckpointAnchored(Event):
    city: CityId
    generation: int
    size: TreeSize
    root: RootHash


@dataclass(frozen=True, slots=True)
class GenerationClosed(Event):
    """`size` and `root` are the last explained head of the closed generation."""

    city: CityId
    generation: int
    size: TreeSize
    root: RootHash


@dataclass(frozen=True, slots=True)
class StatusSet(Event):
    """`status` is the one flag added; `successor` is all zero unless superseded."""

    city: CityId
    leaf_hash: LeafHash
    status: StatusFlag
    successor: Commitment


@dataclass(frozen=True, slots=True)
class ObjectionRaised(Event):
    objection_id: int
    city: CityId
    leaf_hash: LeafHash
    raiser: CityId
    reason: Commitment


@dataclass(frozen=True, slots=True)
class ObjectionClosed(Event):
    objection_id: int
    outcome: ObjectionOutcome


@dataclass(frozen=True, slots=True)
class ObjectionWithdrawn(Event):
    objection_id: int


@dataclass(frozen=True, slots=True)
class GrantRecorded(Event):
    """A grant as the chain holds it; the window is not_before_s <= block time < not_after_s."""

    grant_id: GrantId
    releasing: CityId
    receiving: CityId
    recorder: CityId
    not_before_s: int
    not_after_s: int
    uses: int
    basis: Basis
    evidence: Commitment


@dataclass(frozen=True, slots=True)
class GrantRevoked(Event):
    """`city` is the member that revoked, or burnt terms that were not recorded yet."""

    grant_id: GrantId
    city: CityId


@dataclass(frozen=True, slots=True)
class GrantConsumed(Event):
    grant_id: GrantId
    release_commitment: ReleaseCommitment
    uses_left: int
