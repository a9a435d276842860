"""Notice of what became of a material, to every city that received it: a small signed file.

Step 10 of the data flow (withdraw, supersede … -> consequence where it was relied on). Signed by
the issuing city's message key. Spec: docs/spec/notice.md.

Invariants:
    * A notice repeats what the chain says and adds what the chain must not say: why, and which
      material succeeds. Whoever gets it asks the chain first.
    * One notice per material and kind, whoever signs it again: its id does not hang on the key.
Not here: the status itself (status.py), delivery (flows/watching.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.canonical import JsonObject, encode_canonical, require_int
from ledger_node.core.checkpoint import MAX_GENERATION, build_origin
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.event_types import StatusFlag
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_parts import KeyCheck
from ledger_node.core.shapes import (
    MAX_TIME_S,
    Opening,
    encode_opening,
    read_bytes32,
    read_choice,
    read_city,
    read_name,
    read_opening,
    refuse_shape,
)
from ledger_node.core.signed_body import encode_signed, read_signed_file
from ledger_node.core.types import CityId, Commitment, Salt

NOTICE_VERSION = "tongban/notice/v1"
_WHAT = "notice"
_MEMBERS = ("issuer", "generation", "commitment", "kind", "reason", "successor", "decided_at")


class NoticeKind(StrEnum):
    """What became of the material."""

    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    SPENT = "spent"
    ERASED = "erased"

    @property
    def flag(self) -> StatusFlag:
        """The flag on chain it stands for."""
        return StatusFlag[self.name]


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of one material.

    Attributes:
        issuer: City that registered it.
        generation: Of the issuer's log its origin names.
        commitment: Statement commitment of the material.
        kind: What became of it.
        reason: Code of the reason; never free text, which could name a person.
        successor: Opens the successor's commitment on chain; None unless superseded.
        decided_at_s: Unix time, as the issuer says; block time bounds it.
    """

    issuer: CityId
    generation: int
    commitment: Commitment
    kind: NoticeKind
    reason: str
    successor: Opening | None
    decided_at_s: int


def build_successor_opening(salt: Salt, successor: Commitment) -> Opening:
    """What names a succeeding material to those who may know it."""
    return Opening(salt, {"commitment": successor.hex()})


def compute_successor_commitment(notice: Notice, domain: str) -> Commitment | None:
    """Commitment the chain must hold for the successor a notice names; None if it names none."""
    if notice.successor is None:
        return None
    origin = build_origin(domain, notice.issuer, notice.generation)
    opening = notice.successor
    return compute_commitment(CommitmentKind.SUCCESSOR, origin, opening.salt, opening.body)


def compute_notice_id(issuer: CityId, commitment: Commitment, kind: NoticeKind) -> bytes:
    """SHA-256 of version and RFC 8785 of issuer, commitment and kind, 32 bytes."""
    named = encode_canonical({"issuer": issuer, "commitment": commitment.hex(), "kind": kind.value})
    return hashlib.sha256(f"{NOTICE_VERSION}\n".encode("ascii") + named).digest()


def encode_notice(notice: Notice, key_id: MessageKeyId, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a notice and write it as RFC 8785 bytes."""
    body: JsonObject = {
        "issuer": notice.issuer,
        "generation": notice.generation,
        "commitment": notice.commitment.hex(),
        "kind": notice.kind.value,
        "reason": notice.reason,
        "successor": None if notice.successor is None else encode_opening(notice.successor),
        "decided_at": notice.decided_at_s,
    }
    return encode_signed(NOTICE_VERSION, body, key_id, sign)


def verify_notice(data: bytes, issuer: CityId, is_message_key: KeyCheck) -> Notice:
    """Read a notice and check that the issuing city signed it, about its own material.

    Args:
        data: As received.
        issuer: City that sent it.
        is_message_key: Whether the chain knows a key as a trusted message key of its city.

    Raises:
        As `signed_body.read_signed_file`; UnexpectedShapeError: It is about another city's
        material, or a successor stands where none belongs.
    """
    m = read_signed_file(data, NOTICE_VERSION, _MEMBERS, issuer, is_message_key)
    kind = read_choice(m["kind"], NoticeKind, what=f"{_WHAT} kind")
    successor = (
        None if m["successor"] is None else read_opening(m["successor"], what=f"{_WHAT} successor")
    )
    if (successor is not None) != (kind is NoticeKind.SUPERSEDED):
        raise refuse_shape(
            f"{_WHAT} successor", "只有被替代的材料有后继", "belongs to superseded, and only to it"
        )
    notice = Notice(
        issuer=read_city(m["issuer"], what=f"{_WHAT} issuer"),
        generation=require_int(m["generation"], what=f"{_WHAT} generation", maximum=MAX_GENERATION),
        commitment=Commitment(read_bytes32(m["commitment"], what=f"{_WHAT} commitment")),
        kind=kind,
        reason=read_name(m["reason"], what=f"{_WHAT} reason"),
        successor=successor,
        decided_at_s=require_int(m["decided_at"], what=f"{_WHAT} decided_at", maximum=MAX_TIME_S),
    )
    if notice.issuer != issuer:
        raise refuse_shape(
            f"{_WHAT} issuer", "不是发出城市的材料", "not a material of the city that sent it"
        )
    return notice
