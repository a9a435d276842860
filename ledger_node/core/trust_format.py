"""Trust files as canonical bytes.

Step 9 of the data flow. Spec: docs/spec/trust.md. Vectors: tests/vectors/receipt/ (`trust`).

Invariants:
    * RFC 8785 bytes, no unknown member, lists ascending: one consortium has one spelling.
Not here: what a trust file says (trust.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

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
from ledger_node.core.chain_facts import FactSource
from ledger_node.core.chain_facts_format import encode_chain_facts, read_chain_facts
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.consortium import KeyInterval, Registration
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.event_words import REGISTERED_ROLES
from ledger_node.core.qbft import MAX_VALIDATORS
from ledger_node.core.shapes import (
    encode_address,
    read_address,
    read_bytes32,
    read_city,
    read_short_text,
    read_version,
    refuse_shape,
)
from ledger_node.core.trust import (
    Trust,
    TrustedContract,
    TrustedMember,
    ValidatorSet,
    contract_order,
)
from ledger_node.core.types import BlockHash, BlockNumber, CityId

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
_VALIDATORS = ("from_block", "to_block", "addresses")
_KEY = ("role", "key", "valid_from", "valid_until", "distrusted_since_block")
_ROLE_NAMES: Mapping[KeyRole, str] = {role: role.name.lower() for role in KeyRole}
_ROLES: Mapping[str, KeyRole] = {name: role for role, name in _ROLE_NAMES.items()}
_CONTRACT_NAMES: Mapping[ContractRole, str] = {
    role: role.name.lower() for role in (*REGISTERED_ROLES, ContractRole.MEMBERSHIP)
}
_CONTRACT_ROLES: Mapping[str, ContractRole] = {name: role for role, name in _CONTRACT_NAMES.items()}


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
        validators=_read_validators(m["validators"]),
    )
    if _encode_object(trust) != m:
        raise refuse_shape(what, "条目须递增且不重复", "lists ascend and name nothing twice")
    return trust


def _encode_object(trust: Trust) -> JsonObject:
    contracts = sorted(trust.contracts, key=lambda c: contract_order(c.role, c.registration))
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
        "validators": [
            {
                "from_block": each.from_block,
                "to_block": each.to_block,
                "addresses": [encode_address(address) for address in each.validators],
            }
            for each in trust.validators
        ],
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


def _read_validators(value: JsonValue) -> tuple[ValidatorSet, ...]:
    what = "validators"
    sets = tuple(_read_validator_set(item) for item in require_list(value, what=what))
    for earlier, later in pairwise(sets):
        if earlier.to_block is None or earlier.to_block >= later.from_block:
            raise refuse_shape(what, "区块范围重叠或次序不对", "ranges overlap or do not rise")
    return sets


def _read_validator_set(value: JsonValue) -> ValidatorSet:
    what = "validators"
    m = require_members(value, _VALIDATORS, what=what)
    first = require_int(m["from_block"], what=f"{what} from_block")
    last = m["to_block"]
    addresses = [
        read_address(item, what=what)
        for item in require_list(m["addresses"], what=f"{what} addresses")
    ]
    if not addresses or len(addresses) > MAX_VALIDATORS or addresses != sorted(set(addresses)):
        raise refuse_shape(what, "地址须递增且不重复", "addresses ascend, at least one, none twice")
    return ValidatorSet(
        BlockNumber(first),
        None
        if last is None
        else BlockNumber(require_int(last, what=f"{what} to_block", minimum=first)),
        tuple(addresses),
    )


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
        for earlier, later in pairwise(intervals):
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
