"""The trust file: what a verifier far from any node takes as given.

Step 9 of the data flow. Chain id and genesis, contracts, members with their keys over time, and,
if whoever wrote it read them, facts of the chain up to a block. Spec: docs/spec/trust.md.
Vectors: tests/vectors/receipt/.

Invariants:
    * RFC 8785 bytes, no unknown member, lists ascending: one consortium has one spelling.
    * Keys of a role never overlap; a cancelled announcement is not written.
Not here: proving that the file itself is genuine; it comes by a way the verifier trusts (on paper,
from several members, from the own node).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.chain_facts import ChainFacts, FactSource
from ledger_node.core.chain_facts_format import encode_chain_facts, read_chain_facts
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.consortium import (
    Consortium,
    KeyInterval,
    Registration,
    is_key_trusted_at,
    select_key_at,
)
from ledger_node.core.event_layouts import REGISTERED_ROLES
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.shapes import (
    encode_address,
    read_address,
    read_bytes32,
    read_city,
    read_short_text,
    read_version,
    refuse_shape,
)
from ledger_node.core.types import Address, BlockHash, BlockNumber, CityId

TRUST_VERSION = "tongban/trust/v1"
MAX_TRUST_BYTES = 256 * 1024 * 1024
_MEMBERS = (
    "v",
    "consortium",
    "chain_id",
    "genesis",
    "contracts",
    "members",
    "validators",
    "facts",
)
_CONTRACT = ("role", "address", "from_block", "code_hash")
_KEY = ("role", "key", "valid_from", "valid_until", "distrusted_since_block")
_ROLE_NAMES: Mapping[KeyRole, str] = {role: role.name.lower() for role in KeyRole}
_ROLES: Mapping[str, KeyRole] = {name: role for role, name in _ROLE_NAMES.items()}
_CONTRACT_NAMES: Mapping[ContractRole, str] = {
    role: role.name.lower() for role in (*REGISTERED_ROLES, ContractRole.MEMBERSHIP)
}
_CONTRACT_ROLES: Mapping[str, ContractRole] = {name: role for role, name in _CONTRACT_NAMES.items()}


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
class Trust:
    """What is taken as given.

    Attributes:
        domain: Of the consortium; first part of every log origin.
        chain_id, genesis: The one chain, and the hash of its block 0.
        contracts: All versions.
        members: By city.
        facts: Facts of the chain up to a block; None if the file carries none.
    """

    domain: str
    chain_id: int
    genesis: BlockHash
    contracts: tuple[TrustedContract, ...]
    members: Mapping[CityId, TrustedMember]
    facts: ChainFacts | None

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
            for role, registration in sorted(roles, key=lambda each: _contract_order(*each))
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
    )


def encode_trust(trust: Trust) -> bytes:
    """Write a trust file as RFC 8785 bytes."""
    return encode_canonical(_encode_object(trust))


def parse_trust(data: bytes) -> Trust:
    """Read a trust file.

    Raises:
        NotCanonicalError: Not canonical JSON.
        UnknownVersionError: Another version.
        MalformedInputError: A member is missing, unknown or not well formed; a list is not
            ascending or names something twice; keys of a role overlap.
    """
    what = "trust file"
    value = parse_canonical(data, what=what, max_bytes=MAX_TRUST_BYTES)
    read_version(value, TRUST_VERSION, what=what)
    m = require_members(value, _MEMBERS, what=what)
    if require_list(m["validators"], what="validators"):
        raise refuse_shape("validators", "本版本不含验证者集合", "this version has no validators")
    domain = require_text(m["consortium"], what="consortium")
    build_origin(domain, CityId("000000"), 0)  # refuses a domain no log could carry
    facts = m["facts"]
    members = [_read_member(item) for item in require_list(m["members"], what="members")]
    contracts = [_read_contract(item) for item in require_list(m["contracts"], what="contracts")]
    trust = Trust(
        domain=domain,
        chain_id=require_int(m["chain_id"], what="chain_id", minimum=1),
        genesis=BlockHash(read_bytes32(m["genesis"], what="genesis")),
        contracts=tuple(contracts),
        members={member.city: member for member in members},
        facts=None if facts is None else read_chain_facts(facts, FactSource.TRUST_FILE),
    )
    if _encode_object(trust) != m:
        raise refuse_shape(what, "条目须递增且不重复", "lists ascend and name nothing twice")
    return trust


def _contract_order(role: ContractRole, registration: Registration) -> tuple[int, int, bytes]:
    return int(role), registration.from_block, registration.address


def _encode_object(trust: Trust) -> JsonObject:
    contracts = sorted(trust.contracts, key=lambda c: _contract_order(c.role, c.registration))
    return {
        "v": TRUST_VERSION,
        "consortium": trust.domain,
        "chain_id": trust.chain_id,
        "genesis": trust.genesis.hex(),
        "contracts": [
            {
                "role": _CONTRACT_NAMES[contract.role],
                "address": encode_address(contract.registration.address),
                "from_block": contract.registration.from_block,
                "code_hash": contract.code_hash.hex(),
            }
            for contract in contracts
        ],
        "members": [
            {
                "city": member.city,
                "name": member.name,
                "keys": [
                    _encode_key(key) for role in sorted(member.keys) for key in member.keys[role]
                ],
            }
            for _, member in sorted(trust.members.items())
        ],
        "validators": [],
        "facts": None if trust.facts is None else encode_chain_facts(trust.facts),
    }


def _encode_key(key: KeyInterval) -> JsonObject:
    return {
        "role": _ROLE_NAMES[key.role],
        "key": key.key.hex(),
        "valid_from": key.valid_from_s,
        "valid_until": key.valid_until_s,
        "distrusted_since_block": key.distrusted_since_block,
    }


def _read_contract(value: JsonValue) -> TrustedContract:
    what = "trusted contract"
    m = require_members(value, _CONTRACT, what=what)
    role = _CONTRACT_ROLES.get(require_text(m["role"], what=what))
    if role is None:
        raise refuse_shape(what, "不认识的合约角色", "an unknown role")
    address = read_address(m["address"], what=what)
    from_block = BlockNumber(require_int(m["from_block"], what=f"{what} from_block"))
    code_hash = read_bytes32(m["code_hash"], what=f"{what} code_hash")
    return TrustedContract(role, Registration(address, from_block), code_hash)


def _read_member(value: JsonValue) -> TrustedMember:
    what = "trusted member"
    m = require_members(value, ("city", "name", "keys"), what=what)
    keys: dict[KeyRole, tuple[KeyInterval, ...]] = {}
    for item in require_list(m["keys"], what=f"{what} keys"):
        key = _read_key(item)
        keys[key.role] = (*keys.get(key.role, ()), key)
    for intervals in keys.values():
        for earlier, later in zip(intervals, intervals[1:], strict=False):
            if earlier.valid_until_s is None or earlier.valid_until_s > later.valid_from_s:
                raise refuse_shape(what, "密钥有效期重叠", "keys of one role overlap")
    return TrustedMember(
        read_city(m["city"], what=what), read_short_text(m["name"], what=f"{what} name"), keys
    )


def _read_key(value: JsonValue) -> KeyInterval:
    what = "trusted key"
    m = require_members(value, _KEY, what=what)
    role = _ROLES.get(require_text(m["role"], what=what))
    if role is None:
        raise refuse_shape(what, "不认识的密钥角色", "an unknown role")
    until, since = m["valid_until"], m["distrusted_since_block"]
    return KeyInterval(
        role=role,
        key=read_bytes32(m["key"], what=what),
        valid_from_s=require_int(m["valid_from"], what=f"{what} valid_from"),
        valid_until_s=None if until is None else require_int(until, what=f"{what} valid_until"),
        distrusted_since_block=(
            None
            if since is None
            else BlockNumber(require_int(since, what=f"{what} distrusted_since_block"))
        ),
    )
