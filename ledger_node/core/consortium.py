"""The consortium at some point of the chain: members, keys over time, URLs, contracts.

Governance and every step that asks "whose key, since when, still trusted?". Built by folding the
Membership events (membership.py); here are the types and the questions. Spec: docs/spec/trust.md,
design section 5.

Invariants:
    * A key counts from its `valid_from_s` to the start of the next one of the same city and role;
      a cancelled one never counts.
    * Standing, contracts and distrust are judged by block number, key intervals and URLs by block
      time, both at the block in question and never "now".
A signature counts only when a commitment that covers it was anchored while its key was valid and
trusted (`Consortium.find_trusted_key` at the anchoring block).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger_node.core.errors import NotFoundError
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.types import Address, BlockNumber, CityId


class NotAMemberError(NotFoundError):
    """The consortium has no such city."""

    code = "not_a_member"


@dataclass(frozen=True, slots=True)
class KeyInterval:
    """One key of a city in one role.

    Attributes:
        role: What the key is for.
        key: 32 bytes (public key, or account address left-padded with zeros).
        valid_from_s: Block time from which it counts.
        valid_until_s: Block time from which it no longer counts; None while no later key is known.
        distrusted_since_block: First block from which it is not trusted; None if it is.
        change_id: Number of its announcement; 0 if it took effect at once.
        cancelled: Taken back before it took effect: its interval is empty, it is never in force.
            Kept because a key serves once, cancelled ones included.
    """

    role: KeyRole
    key: bytes
    valid_from_s: int
    valid_until_s: int | None = None
    distrusted_since_block: BlockNumber | None = None
    change_id: int = 0
    cancelled: bool = False

    def is_valid_at(self, block_timestamp_s: int) -> bool:
        """Whether a block of this time lies in the interval."""
        until = self.valid_until_s
        return self.valid_from_s <= block_timestamp_s and (
            until is None or block_timestamp_s < until
        )


@dataclass(frozen=True, slots=True)
class UrlInterval:
    """One address of a city's node and the block time from which it counts."""

    url: str
    valid_from_s: int
    change_id: int = 0


@dataclass(frozen=True, slots=True)
class StandingChange:
    """From this block on the member is (not) in good standing."""

    block_number: BlockNumber
    good: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A city of the consortium. Tuples are in order of taking effect."""

    city: CityId
    standing: tuple[StandingChange, ...]
    urls: tuple[UrlInterval, ...]
    keys: Mapping[KeyRole, tuple[KeyInterval, ...]]


@dataclass(frozen=True, slots=True)
class Registration:
    """A contract and the block from which it is the current one of its role."""

    address: Address
    from_block: BlockNumber


@dataclass(frozen=True, slots=True)
class Consortium:
    """Everything the Membership events say, up to some event."""

    members: Mapping[CityId, Member]
    contracts: Mapping[ContractRole, tuple[Registration, ...]]

    def member(self, city: CityId) -> Member:
        """The member `city`.

        Raises:
            NotAMemberError: The consortium has no such city.
        """
        member = self.members.get(city)
        if member is None:
            raise NotAMemberError(
                f"城市 {city} 不是联盟成员。", f"city {city} is not a member.", city=city
            )
        return member

    def key_at(self, city: CityId, role: KeyRole, block_timestamp_s: int) -> KeyInterval | None:
        """The city's key of a role at a block time; None if it had none (or is no member).

        Whether the key is still trusted is another question: `is_key_trusted_at`.
        """
        member = self.members.get(city)
        intervals = member.keys.get(role, ()) if member else ()
        return select_key_at(intervals, block_timestamp_s)

    def find_trusted_key(
        self, role: KeyRole, key: bytes, block_number: BlockNumber, block_timestamp_s: int
    ) -> CityId | None:
        """City for which `key` was valid and trusted in `role` at a block; None if for none."""
        for city in self.members:
            interval = self.key_at(city, role, block_timestamp_s)
            if interval and interval.key == key and is_key_trusted_at(interval, block_number):
                return city
        return None

    def url_of(self, city: CityId, block_timestamp_s: int) -> str | None:
        """Address of the city's node at a block time; None if the city is no member."""
        member = self.members.get(city)
        known = [
            url for url in (member.urls if member else ()) if url.valid_from_s <= block_timestamp_s
        ]
        return known[-1].url if known else None

    def contract_at(self, role: ContractRole, block_number: BlockNumber) -> Address | None:
        """The current contract of a role in a block; None before the first."""
        known = [
            registration
            for registration in self.contracts.get(role, ())
            if registration.from_block <= block_number
        ]
        return known[-1].address if known else None

    def role_of_contract(self, address: Address) -> ContractRole | None:
        """Role an address was ever registered for; None for a foreign address."""
        for role, registrations in self.contracts.items():
            if any(registration.address == address for registration in registrations):
                return role
        return None

    def in_good_standing(self, city: CityId, block_number: BlockNumber | None = None) -> bool:
        """Whether the city is a member and not suspended after a block (the last one known)."""
        member = self.members.get(city)
        known = [
            change.good
            for change in (member.standing if member else ())
            if block_number is None or change.block_number <= block_number
        ]
        return bool(known) and known[-1]


EMPTY_CONSORTIUM = Consortium({}, {})


def is_key_trusted_at(key: KeyInterval, block_number: BlockNumber) -> bool:
    """Whether the members still trust what a key signed or sent in a block."""
    since = key.distrusted_since_block
    return since is None or block_number < since


def select_key_at(intervals: Iterable[KeyInterval], block_timestamp_s: int) -> KeyInterval | None:
    """The interval of one role that holds a block time; None if none does."""
    for interval in intervals:
        if interval.is_valid_at(block_timestamp_s):
            return interval
    return None
