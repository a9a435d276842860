"""The trust file: what a verifier far from any node takes as given.

Step 9 of the data flow. Chain id and genesis, contracts, members with their keys over time, sets
of validators, and, if whoever wrote it read them, facts of the chain up to a block. Spec:
docs/spec/trust.md.

Invariants:
    * Keys of a role never overlap; a cancelled announcement is left out.
Not here: bytes (trust_format.py); proving that the file itself is genuine: it comes by a way the
verifier trusts (on paper, from several members, from the own node).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.chain_facts import ChainFacts
from ledger_node.core.consortium import (
    Consortium,
    KeyInterval,
    Registration,
    is_key_trusted_at,
    select_key_at,
)
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.types import Address, BlockHash, BlockNumber, CityId


@dataclass(frozen=True, slots=True)
class TrustedContract:
    """A contract: its role, address, the block it is current from, hash of its code (32 bytes)."""

    role: ContractRole
    registration: Registration
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class TrustedMember:
    """A city, its name for people, and its keys per role in order of taking effect."""

    city: CityId
    name: str
    keys: Mapping[KeyRole, tuple[KeyInterval, ...]]


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """Who seals the blocks of a range.

    Attributes:
        from_block, to_block: First and last block, both included; no last one if None.
        validators: Chain accounts, ascending; at least one.
    """

    from_block: BlockNumber
    to_block: BlockNumber | None
    validators: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """What is taken as given.

    Attributes:
        domain: Of the consortium; first part of every log origin.
        chain_id, genesis: The one chain, and the hash of its block 0.
        contracts: All versions.
        members: By city.
        facts: Facts of the chain up to a block; None if the file carries none.
        validators: Sets of a chain whose headers carry seals, by rising ranges; empty otherwise.
    """

    domain: str
    chain_id: int
    genesis: BlockHash
    contracts: tuple[TrustedContract, ...]
    members: Mapping[CityId, TrustedMember]
    facts: ChainFacts | None
    validators: tuple[ValidatorSet, ...] = ()

    def validators_at(self, block_number: BlockNumber) -> tuple[Address, ...] | None:
        """The validators that had to seal a block; None if the file does not say."""
        for each in self.validators:
            if each.from_block <= block_number and (
                each.to_block is None or block_number <= each.to_block
            ):
                return each.validators
        return None

    def find_contract(self, address: Address) -> TrustedContract | None:
        """The contract at an address, in any version; None if it is none of the consortium's."""
        return next((each for each in self.contracts if each.registration.address == address), None)

    def key_at(self, city: CityId, role: KeyRole, block_timestamp_s: int) -> KeyInterval | None:
        """The city's key of a role at a block time; None if it had none or is no member."""
        member = self.members.get(city)
        return select_key_at(member.keys.get(role, ()), block_timestamp_s) if member else None

    def is_trusted_key(
        self,
        city: CityId,
        role: KeyRole,
        key: bytes,
        block_number: BlockNumber,
        block_timestamp_s: int,
    ) -> bool:
        """Whether `key` was valid and trusted for the city and role at a block."""
        interval = self.key_at(city, role, block_timestamp_s)
        return (
            interval is not None
            and interval.key == key
            and is_key_trusted_at(interval, block_number)
        )

    def contract_at(self, role: ContractRole, block_number: BlockNumber) -> Address | None:
        """The current contract of a role in a block; None before the first."""
        known = [
            contract.registration
            for contract in self.contracts
            if contract.role is role and contract.registration.from_block <= block_number
        ]
        return max(known, key=lambda each: each.from_block).address if known else None


def build_trust(
    consortium: Consortium,
    *,
    domain: str,
    chain_id: int,
    genesis: BlockHash,
    membership: Address,
    code_hashes: Mapping[Address, bytes],
    names: Mapping[CityId, str],
    facts: ChainFacts | None,
    validators: tuple[ValidatorSet, ...] = (),
) -> Trust:
    """Trust of a consortium as the chain tells it.

    Args:
        consortium: Fold of all Membership events.
        domain: Of the consortium.
        chain_id, genesis: As the node pins them.
        membership: Address of the Membership contract.
        code_hashes: keccak-256 of the runtime code of every contract, by address.
        names: City names for people; a city that is not named gets its division code.
        facts: From `build_chain_facts`, or None.
        validators: Sets per block range, if the headers carry seals.
    """
    roles = [(ContractRole.MEMBERSHIP, Registration(membership, BlockNumber(0)))]
    roles += [
        (role, registration)
        for role, registrations in consortium.contracts.items()
        for registration in registrations
    ]
    return Trust(
        domain=domain,
        chain_id=chain_id,
        genesis=genesis,
        contracts=tuple(
            TrustedContract(role, registration, code_hashes[registration.address])
            for role, registration in sorted(roles, key=lambda each: contract_order(*each))
        ),
        members={
            city: TrustedMember(
                city,
                names.get(city, city),
                {
                    role: tuple(key for key in keys if not key.cancelled)
                    for role, keys in member.keys.items()
                },
            )
            for city, member in consortium.members.items()
        },
        facts=facts,
        validators=validators,
    )


def contract_order(role: ContractRole, registration: Registration) -> tuple[int, int, bytes]:
    """Order in which a trust file lists contracts."""
    return int(role), registration.from_block, registration.address
