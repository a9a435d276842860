"""What the followed chain says, in the form the core's checks ask for it."""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.core.consortium import Consortium, is_key_trusted_at
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.errors import UnavailableError
from ledger_node.core.event_types import ContractRole, KeyRole, StatusFlag
from ledger_node.core.merkle import TreeHead, hash_leaf
from ledger_node.core.placement import LogFacts, Placement
from ledger_node.core.tiles import build_inclusion_proof
from ledger_node.core.types import (
    Address,
    CityId,
    Commitment,
    LeafHash,
    LeafIndex,
    PublicKey,
)
from ledger_node.flows.directory import load_consortium
from ledger_node.flows.node import Node
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import AnchoredHead, FollowedTip


class NotYetAnchoredError(UnavailableError):
    """The entry is registered, but no final anchor covers it yet."""

    code = "not_yet_anchored"

    def __init__(self) -> None:
        super().__init__(
            "存证尚未完成，请稍候再试。",
            "The entry is being recorded; no final anchor covers it yet. Try again shortly.",
        )


class NotFollowedError(UnavailableError):
    """The node has not taken in any block yet."""

    code = "chain_not_followed"

    def __init__(self) -> None:
        super().__init__(
            "尚未同步链，请稍候再试。", "The chain has not been followed yet; try again shortly."
        )


class ContractUnknownError(UnavailableError):
    """No contract of that role is registered as far as the chain was followed."""

    code = "contract_unknown"

    def __init__(self, role: ContractRole) -> None:
        super().__init__(
            f"链上尚未登记合约 {role.name}。",
            f"No {role.name} contract is registered as far as the chain was followed.",
            role=role.name,
        )


def build_log_facts(tx: Transaction, domain: str) -> LogFacts:
    """Facts of final blocks for verifying placements; valid while `tx` is open."""

    def anchored_at_s(city: CityId, generation: int, tree_head: TreeHead) -> int | None:
        head = tx.chain.find_anchored_head(city, generation, tree_head)
        return None if head is None else head.place.block_timestamp_s

    def withdrawn_at_s(city: CityId, leaf_hash: LeafHash) -> int | None:
        for change in tx.chain.list_statuses(city, leaf_hash):
            if change.flag == StatusFlag.WITHDRAWN:
                return change.place.block_timestamp_s
        return None

    return LogFacts(domain, anchored_at_s, withdrawn_at_s)


def leaf_hash_of(kind: EntryKind, commitment: Commitment) -> LeafHash:
    """Leaf hash of an entry."""
    return hash_leaf(encode_entry(kind, commitment))


def read_status_flags(tx: Transaction, city: CityId, leaf_hash: LeafHash) -> StatusFlag:
    """All flags the issuer ever set on a leaf, pending blocks included: bad news counts early."""
    flags = StatusFlag(0)
    for change in tx.chain.list_statuses(city, leaf_hash):
        flags |= StatusFlag(change.flag)
    return flags


def build_placement(
    node: Node, tx: Transaction, commitment: Commitment
) -> tuple[Placement, AnchoredHead]:
    """Inclusion proof of one of this city's entries to the first final anchor that covers it.

    Raises:
        NotYetAnchoredError: It has no leaf index, or no final anchor covers it yet.
    """
    leaf = tx.log.find_leaf(commitment)
    if leaf is None or leaf.generation is None or leaf.leaf_index is None:
        raise NotYetAnchoredError
    head = tx.chain.find_covering_head(node.city, leaf.generation, leaf.leaf_index + 1)
    if head is None:
        raise NotYetAnchoredError
    index = LeafIndex(leaf.leaf_index)
    proof = build_inclusion_proof(node.tiles.read, index, head.tree_head.size)
    return Placement(leaf.generation, index, head.tree_head, tuple(proof)), head


@dataclass(frozen=True, slots=True)
class ChainView:
    """The followed chain as one transaction sees it: members, contracts, last block taken in."""

    chain_id: int
    consortium: Consortium
    tip: FollowedTip

    @property
    def good_standing(self) -> frozenset[CityId]:
        """Members that are not suspended."""
        return frozenset(
            city
            for city in self.consortium.members
            if self.consortium.in_good_standing(city, self.tip.number)
        )

    def contract(self, role: ContractRole) -> Address:
        """Current contract of a role.

        Raises:
            ContractUnknownError: None is registered, or it was not followed yet.
        """
        address = self.consortium.contract_at(role, self.tip.number)
        if address is None:
            raise ContractUnknownError(role)
        return address

    def current_key(self, city: CityId, role: KeyRole) -> PublicKey | None:
        """The city's current trusted key of a role; None if it has none."""
        interval = self.consortium.key_at(city, role, self.tip.block_timestamp_s)
        if interval is None or not is_key_trusted_at(interval, self.tip.number):
            return None
        return PublicKey(interval.key)

    def owner_of_key(self, role: KeyRole, key: bytes) -> CityId | None:
        """City whose current trusted key of a role this is."""
        return self.consortium.find_trusted_key(
            role, key, self.tip.number, self.tip.block_timestamp_s
        )


def load_chain_view(tx: Transaction) -> ChainView:
    """What was followed so far.

    Raises:
        NotFollowedError: Nothing was.
    """
    tip, pins = tx.chain.load_tip(), tx.chain.load_pins()
    if tip is None or pins is None:
        raise NotFollowedError
    return ChainView(pins.chain_id, load_consortium(tx), tip)
