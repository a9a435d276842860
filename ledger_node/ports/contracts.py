"""Calls of the contracts as bytes, and their views as values; addresses are the caller's.

Encoders are pure (built from the committed ABI); a view asks the chain at one block. Cities are
six-digit codes here and uint32 in the calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import (
    Address,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
)


@dataclass(frozen=True, slots=True)
class HeldHead:
    """The head `CityLog` holds for a city: generation, tree head, block it was anchored in
    (0 when none is anchored in this generation; the tree head is then the empty one)."""

    generation: int
    tree_head: TreeHead
    block_number: BlockNumber


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant as `Grants` holds it; `state` 0 unknown, 1 recorded, 2 revoked or burnt."""

    state: int
    releasing: CityId
    receiving: CityId
    recorder: CityId
    not_before_s: int
    not_after_s: int
    uses_left: int
    basis: int
    evidence: Commitment


@dataclass(frozen=True, slots=True)
class StatusView:
    """Flags of a leaf (1 withdrawn, 2 superseded, 4 spent, 8 erased) and its successor (zero
    unless superseded)."""

    flags: int
    successor: Commitment


@dataclass(frozen=True, slots=True)
class FounderEntry:
    """A city as it enters the consortium; `keys` are 32 bytes each, in the order of KeyRole."""

    city: CityId
    url: str
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal and its count among members in good standing at the block asked."""

    kind: int
    payload: bytes
    expires_at_s: int
    executed: bool
    yes: int
    standing: int


@dataclass(frozen=True, slots=True)
class EditionEntry:
    """An edition of a list of the catalogue as it is put to the vote.

    Attributes:
        rule: A `ListRule`.
        code: Of the list.
        parties: Cities concerned, ascending; empty in a list of the consortium: every member.
        edition: The number after the last published one.
        digest: Of the list's document, 32 bytes.
        effective_from_s: Block time from which it will count.
    """

    rule: int
    code: str
    parties: tuple[CityId, ...]
    edition: int
    digest: bytes
    effective_from_s: int


class Contracts(Protocol):
    """Promises: the bytes follow `contracts/abi`; a value that does not fit raises
    `CalldataError` before anything is sent."""

    def encode_anchor(self, old_size: int, new_head: TreeHead, proof: Sequence[bytes]) -> bytes: ...

    def encode_record(
        self,
        terms: GrantId,
        releasing: CityId,
        receiving: CityId,
        not_before_s: int,
        not_after_s: int,
        uses: int,
        basis: int,
        evidence: Commitment,
    ) -> bytes: ...

    def encode_revoke(self, terms: GrantId) -> bytes: ...

    def encode_consume(self, terms: GrantId, release: ReleaseCommitment) -> bytes: ...

    def encode_set_status(
        self, leaf_hash: LeafHash, status: int, successor: Commitment | None = None
    ) -> bytes: ...

    def encode_raise_objection(
        self,
        city: CityId,
        leaf_hash: LeafHash,
        leaf_index: int,
        proof: Sequence[bytes],
        reason: Commitment,
    ) -> bytes: ...

    def encode_close_objection(self, objection_id: int, outcome: int) -> bytes: ...

    def encode_withdraw_objection(self, objection_id: int) -> bytes: ...

    def encode_announce_key(self, role: int, key: bytes) -> bytes: ...

    def encode_announce_url(self, url: str) -> bytes: ...

    def encode_cancel_change(self, change_id: int) -> bytes: ...

    def encode_propose(self, kind: int, payload: bytes, paper: bytes = bytes(32)) -> bytes: ...

    def encode_vote(self, proposal_id: int, support: bool) -> bytes: ...

    def encode_execute(self, proposal_id: int) -> bytes: ...

    def encode_propose_edition(self, entry: EditionEntry, paper: bytes = bytes(32)) -> bytes: ...

    def encode_vote_edition(self, vote_id: int, support: bool) -> bytes: ...

    def encode_publish_edition(self, vote_id: int) -> bytes: ...

    def encode_proposal_payload(self, kind: int, values: Sequence[object]) -> bytes:
        """Plain ABI encoding of what a proposal kind needs (`ProposalKind` in Types.sol); cities
        as six-digit codes."""
        ...

    def encode_deployment(self, contract: str, arguments: Sequence[object]) -> bytes:
        """Creation bytecode of a contract with its encoded constructor arguments."""
        ...

    def fetch_head(
        self, city_log: Address, city: CityId, *, block: BlockNumber | None = None
    ) -> HeldHead: ...

    def fetch_grant(
        self, grants: Address, terms: GrantId, *, block: BlockNumber | None = None
    ) -> GrantView: ...

    def fetch_status(
        self,
        material_status: Address,
        city: CityId,
        leaf_hash: LeafHash,
        *,
        block: BlockNumber | None = None,
    ) -> StatusView: ...

    def fetch_current_contract(
        self, membership: Address, role: int, *, block: BlockNumber | None = None
    ) -> Address | None: ...

    def fetch_proposal(
        self, membership: Address, proposal_id: int, *, block: BlockNumber | None = None
    ) -> ProposalView: ...
