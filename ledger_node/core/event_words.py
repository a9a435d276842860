"""How one word of a contract log is read: types of Solidity, each range-checked.

Used by event_layouts.py and events.py. Spec: docs/spec/events.md, "Decoding".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum, IntFlag

from ledger_node.core.catalogue_events import ListRule
from ledger_node.core.event_types import (
    Basis,
    ContractRole,
    KeyRole,
    ObjectionOutcome,
    ProposalKind,
    StatusFlag,
)
from ledger_node.core.types import CityId

WORD_BYTES = 32
MAX_DIVISION_CODE = 999_999
REGISTERED_ROLES = (
    ContractRole.CITY_LOG,
    ContractRole.MATERIAL_STATUS,
    ContractRole.GRANTS,
    ContractRole.CATALOGUE,
)


class BadWordError(Exception):
    """A word is outside its type; `decode_event` names the event and position."""


def _uint(bits: int) -> Callable[[bytes], int]:
    def read(word: bytes) -> int:
        value = int.from_bytes(word, "big")
        if value >> bits:
            raise BadWordError(f"more than {bits} bits")
        return value

    return read


_uint32, _uint64 = _uint(32), _uint(64)


def _bytes32(word: bytes) -> bytes:
    return word


def _city(word: bytes) -> CityId:
    value = int.from_bytes(word, "big")
    if value > MAX_DIVISION_CODE:
        raise BadWordError("not a six-digit division code")
    return CityId(f"{value:06d}")


def _bool(word: bytes) -> bool:
    if int.from_bytes(word, "big") > 1:
        raise BadWordError("not a boolean")
    return word[-1] == 1


def _address(word: bytes) -> bytes:
    if any(word[:12]):
        raise BadWordError("not an address")
    return word[12:]


def _enum(*members: IntEnum | IntFlag) -> Callable[[bytes], int]:
    known: dict[bytes, int] = {
        int(member).to_bytes(WORD_BYTES, "big"): member for member in members
    }
    name = type(members[0]).__name__

    def read(word: bytes) -> int:
        try:
            return known[word]
        except KeyError:
            raise BadWordError(f"not one {name}") from None

    return read


def _dynamic_bytes(tail: bytes) -> bytes:
    return tail


def _dynamic_text(tail: bytes) -> str:
    return tail.decode("utf-8", "backslashreplace")


DYNAMIC_READERS: tuple[Callable[[bytes], object], ...] = (_dynamic_bytes, _dynamic_text)

SOLIDITY: Mapping[str, tuple[str, Callable[[bytes], object]]] = {
    "city": ("uint32", _city),
    "uint32": ("uint32", _uint32),
    "uint64": ("uint64", _uint64),
    "bytes32": ("bytes32", _bytes32),
    "bool": ("bool", _bool),
    "address": ("address", _address),
    "key_role": ("uint8", _enum(*KeyRole)),
    "contract_role": ("uint8", _enum(*REGISTERED_ROLES)),
    "basis": ("uint8", _enum(*Basis)),
    "flag": ("uint8", _enum(*StatusFlag)),
    "outcome": ("uint8", _enum(*ObjectionOutcome)),
    "proposal_kind": ("uint8", _enum(*ProposalKind)),
    "list_rule": ("uint8", _enum(*ListRule)),
    "bytes": ("bytes", _dynamic_bytes),
    "string": ("string", _dynamic_text),
}
"""Word of a layout -> type in the signature, and its reader."""
