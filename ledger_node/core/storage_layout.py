"""Where the contracts keep what a receipt claims: slots of their mappings, packed words read.

Step 9 of the data flow (no node at hand). Spec: Solidity's layout of state variables;
contracts/layout/ (written by the compiler), docs/spec/receipt-v1.md, "Slots".

Invariants:
    * The numbers here are those of contracts/layout/; a test compares every one.
Not here: proofs (storage_proof.py); which contract version is current in a block (trust.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_hash.auto import keccak

from ledger_node.core.event_types import StatusFlag
from ledger_node.core.events import city_of_division_code, division_code_of_city
from ledger_node.core.types import (
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    RootHash,
)

SLOT_BYTES = 32
HEADS, CLOSED = 0, 1  # CityLog
STATUS_FLAGS, SUCCESSORS = 1, 2  # MaterialStatus
RELEASES_USED, GRANTS, EVIDENCE = 0, 1, 2  # Grants
STANDING, KEY_RECORDS = 1, 2  # Membership
RECORDED, REVOKED = 1, 2  # state of a grant
GOOD_STANDING = 1
MAX_FLAGS = sum(StatusFlag)

# Packed structs: member -> (offset in bytes from the lowest, length in bytes).
HEAD_MEMBERS = {"size": (0, 8), "generation": (8, 4), "blockNumber": (12, 8)}
GRANT_MEMBERS = {
    "releasing": (0, 4),
    "receiving": (4, 4),
    "recorder": (8, 4),
    "usesLeft": (12, 4),
    "notBefore": (16, 6),
    "notAfter": (22, 6),
    "basis": (28, 1),
    "state": (29, 1),
}
KEY_RECORD_MEMBERS = {
    "city": (0, 4),
    "role": (4, 1),
    "validFrom": (5, 8),
    "validUntil": (13, 8),
    "distrustedSinceBlock": (21, 8),
}


@dataclass(frozen=True, slots=True)
class HeldHead:
    """Head of a city's log as `CityLog` holds it; generation 0: none was written here yet."""

    generation: int
    size: int
    root: RootHash
    block_number: BlockNumber


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant as `Grants` holds it; state 0: unknown, 1: recorded, 2: revoked."""

    releasing: CityId
    receiving: CityId
    recorder: CityId
    uses_left: int
    not_before_s: int
    not_after_s: int
    basis: int
    state: int


def encode_word(value: int) -> bytes:
    """A value as a key or slot number, 32 bytes."""
    return value.to_bytes(SLOT_BYTES, "big")


def compute_mapping_slot(key: bytes, slot: bytes) -> bytes:
    """Slot of the value under `key` in the mapping that stands at `slot`; 32 bytes each."""
    return keccak(key + slot)


def compute_head_slots(city: CityId) -> tuple[bytes, bytes]:
    """`CityLog`: slot of the root of a city's head, and slot of size, generation and block."""
    first = compute_mapping_slot(_city_word(city), encode_word(HEADS))
    return first, encode_word(int.from_bytes(first, "big") + 1)


def compute_flags_slot(city: CityId, leaf_hash: LeafHash) -> bytes:
    """`MaterialStatus`: slot of the flags of a leaf."""
    by_leaf = compute_mapping_slot(_city_word(city), encode_word(STATUS_FLAGS))
    return compute_mapping_slot(leaf_hash, by_leaf)


def compute_successor_slot(city: CityId, leaf_hash: LeafHash) -> bytes:
    """`MaterialStatus`: slot of the commitment to a leaf's successor."""
    by_leaf = compute_mapping_slot(_city_word(city), encode_word(SUCCESSORS))
    return compute_mapping_slot(leaf_hash, by_leaf)


def compute_grant_slot(grant_id: GrantId) -> bytes:
    """`Grants`: slot of a grant."""
    return compute_mapping_slot(grant_id, encode_word(GRANTS))


def compute_evidence_slot(grant_id: GrantId) -> bytes:
    """`Grants`: slot of the evidence commitment of a grant."""
    return compute_mapping_slot(grant_id, encode_word(EVIDENCE))


def compute_release_slot(release: ReleaseCommitment) -> bytes:
    """`Grants`: slot that says whether a release commitment was used."""
    return compute_mapping_slot(release, encode_word(RELEASES_USED))


def compute_standing_slot(city: CityId) -> bytes:
    """`Membership`: slot of a city's standing."""
    return compute_mapping_slot(_city_word(city), encode_word(STANDING))


def compute_key_record_slot(key: bytes) -> bytes:
    """`Membership`: slot of the record of a key, 32 bytes as it was announced."""
    return compute_mapping_slot(key, encode_word(KEY_RECORDS))


def read_head(root: int, packed: int) -> HeldHead:
    """A head from its two words."""
    size, generation, block_number = (
        read_packed(packed, *HEAD_MEMBERS[name]) for name in ("size", "generation", "blockNumber")
    )
    return HeldHead(generation, size, RootHash(encode_word(root)), BlockNumber(block_number))


def read_grant(packed: int) -> HeldGrant:
    """A grant from its word.

    Raises:
        MalformedLogError: A division code has more than six digits: not our contract's word.
    """
    values = {name: read_packed(packed, *place) for name, place in GRANT_MEMBERS.items()}
    return HeldGrant(
        releasing=city_of_division_code(values["releasing"]),
        receiving=city_of_division_code(values["receiving"]),
        recorder=city_of_division_code(values["recorder"]),
        uses_left=values["usesLeft"],
        not_before_s=values["notBefore"],
        not_after_s=values["notAfter"],
        basis=values["basis"],
        state=values["state"],
    )


def read_evidence(word: int) -> Commitment:
    """An evidence commitment from its word."""
    return Commitment(encode_word(word))


def read_flags(word: int) -> StatusFlag | None:
    """Flags of a leaf from their word; None if no contract of ours writes such a word."""
    return StatusFlag(word) if word <= MAX_FLAGS else None


def read_packed(word: int, offset_bytes: int, length_bytes: int) -> int:
    """A member of a packed word, by its offset from the lowest byte."""
    return word >> 8 * offset_bytes & (1 << 8 * length_bytes) - 1


def _city_word(city: CityId) -> bytes:
    return encode_word(division_code_of_city(city))
