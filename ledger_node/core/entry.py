"""Log entries: the 34 public bytes that stand for a material or an event in a city's log.

Step 2 of the data flow (commitment -> log entry). Spec: design section 4, docs/spec/entry.md:
version byte 0x01, kind byte, 32-byte commitment, nothing else. Vectors: tests/vectors/entry/.

Invariants:
    * Kinds are added, never reused; an unknown kind or version is refused, not skipped.
Not here: what the commitment stands for (statement.py, commitment.py), leaf hashes (merkle.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from ledger_node.core.errors import MalformedInputError, UnknownVersionError
from ledger_node.core.types import HASH_BYTES, Commitment

ENTRY_VERSION = 0x01
ENTRY_BYTES = 2 + HASH_BYTES


class MalformedEntryError(MalformedInputError):
    """The bytes are not a log entry: wrong length or unknown kind."""

    code = "malformed_entry"


class EntryKind(IntEnum):
    """What an entry records. The value is the kind byte."""

    MATERIAL = 1
    CREDENTIAL = 2
    ACCESS = 3
    RELIANCE = 4
    GENERATION = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One log entry.

    Attributes:
        kind: What it records.
        commitment: 32 bytes.
    """

    kind: EntryKind
    commitment: Commitment


def encode_entry(kind: EntryKind, commitment: Commitment) -> bytes:
    """Write the 34 bytes of an entry.

    Raises:
        MalformedEntryError: The commitment is not 32 bytes.
    """
    if len(commitment) != HASH_BYTES:
        raise MalformedEntryError("承诺须为 32 字节。", "a commitment has 32 bytes.")
    return bytes((ENTRY_VERSION, kind)) + commitment


def encode_entries(kind: EntryKind, commitments: Iterable[Commitment]) -> list[bytes]:
    """Write many entries of one kind.

    Raises:
        MalformedEntryError: A commitment is not 32 bytes.
    """
    return [encode_entry(kind, commitment) for commitment in commitments]


def parse_entry(data: bytes) -> Entry:
    """Read an entry.

    Raises:
        MalformedEntryError: Not 34 bytes, or an unknown kind.
        UnknownVersionError: Another version byte.
    """
    if len(data) != ENTRY_BYTES:
        raise MalformedEntryError(
            f"日志条目须为 {ENTRY_BYTES} 字节，实为 {len(data)} 字节。",
            f"a log entry has {ENTRY_BYTES} bytes, found {len(data)}.",
            length_bytes=len(data),
        )
    if data[0] != ENTRY_VERSION:
        raise UnknownVersionError(
            f"不认识的日志条目版本 {data[0]}。",
            f"unknown log entry version {data[0]}.",
            version=data[0],
        )
    try:
        kind = EntryKind(data[1])
    except ValueError as error:
        raise MalformedEntryError(
            f"不认识的日志条目种类 {data[1]}。", f"unknown log entry kind {data[1]}.", kind=data[1]
        ) from error
    return Entry(kind, Commitment(bytes(data[2:])))
