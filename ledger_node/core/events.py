"""Decoding contract logs into events, by slicing words.

Step 5 of the data flow (chain -> events). Spec: docs/spec/events.md and the Solidity ABI; the
events themselves are in event_types.py and are re-exported here. Vectors: tests/vectors/events/.

Invariants:
    * A log decodes to one event or is refused: every word is range-checked, every padding byte is
      zero, nothing stands behind the last field. A contract of ours cannot emit anything else.
    * A topic this program does not know is kept as `UnknownEvent`, never guessed.
    * Text that a city chooses (its URL) can never be refused here, or one city could stop every
      follower with bytes that are not UTF-8; such bytes come out as escapes no URL check accepts.
The layouts, with topics as literals, are in event_layouts.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger_node.core.errors import MalformedInputError
from ledger_node.core.event_layouts import (
    DYNAMIC_READERS,
    EVENT_LAYOUTS,
    MAX_DIVISION_CODE,
    WORD_BYTES,
    BadWordError,
    EventLayout,
)
from ledger_node.core.event_types import (
    Basis,
    ChangeCancelled,
    CheckpointAnchored,
    ContractRegistered,
    ContractRole,
    Event,
    GenerationClosed,
    GrantConsumed,
    GrantRecorded,
    GrantRevoked,
    KeyAnnounced,
    KeyDistrusted,
    KeyRole,
    MemberAdmitted,
    MemberReinstated,
    MemberSuspended,
    ObjectionClosed,
    ObjectionOutcome,
    ObjectionRaised,
    ObjectionWithdrawn,
    Position,
    ProposalCreated,
    ProposalExecuted,
    ProposalKind,
    StatusFlag,
    StatusSet,
    UnknownEvent,
    UrlAnnounced,
    VoteCast,
)
from ledger_node.core.types import CityId

__all__ = [
    "EVENT_LAYOUTS",
    "Basis",
    "ChangeCancelled",
    "CheckpointAnchored",
    "ContractRegistered",
    "ContractRole",
    "Event",
    "EventLayout",
    "GenerationClosed",
    "GrantConsumed",
    "GrantRecorded",
    "GrantRevoked",
    "KeyAnnounced",
    "KeyDistrusted",
    "KeyRole",
    "MalformedLogError",
    "MemberAdmitted",
    "MemberReinstated",
    "MemberSuspended",
    "ObjectionClosed",
    "ObjectionOutcome",
    "ObjectionRaised",
    "ObjectionWithdrawn",
    "Position",
    "ProposalCreated",
    "ProposalExecuted",
    "ProposalKind",
    "StatusFlag",
    "StatusSet",
    "UnknownEvent",
    "UrlAnnounced",
    "VoteCast",
    "city_of_division_code",
    "decode_event",
    "division_code_of_city",
]


class MalformedLogError(MalformedInputError):
    """A log with a known topic does not have that event's layout: not our contract's bytes.

    Fields: event, position.
    """

    code = "malformed_log"


def city_of_division_code(code: int) -> CityId:
    """City id of the division code a contract holds, six digits.

    Raises:
        MalformedLogError: More than six digits.
    """
    if not 0 <= code <= MAX_DIVISION_CODE:
        raise MalformedLogError("行政区划代码须为六位数字。", "a division code has six digits.")
    return CityId(f"{code:06d}")


def division_code_of_city(city: CityId) -> int:
    """Division code of a city as contracts take it.

    Raises:
        MalformedLogError: Not six ASCII digits.
    """
    if len(city) != 6 or not (city.isascii() and city.isdigit()):
        raise MalformedLogError("行政区划代码须为六位数字。", "a division code has six digits.")
    return int(city)


_BY_TOPIC: Mapping[ContractRole, Mapping[bytes, EventLayout]] = {
    role: {layout.topic: layout for layout in layouts} for role, layouts in EVENT_LAYOUTS.items()
}


def decode_event(
    role: ContractRole, topics: Sequence[bytes], data: bytes, position: Position
) -> Event:
    """Read one log of a contract of ours.

    Args:
        role: Which contract stands at the log's address; the same topic from another contract
            is an unknown event.
        topics: 1 to 4 topics of 32 bytes (0 for an anonymous log).
        data: The ABI payload.
        position: Where the log stands.

    Returns:
        The event, or `UnknownEvent` for a topic that is not in `EVENT_LAYOUTS[role]`.

    Raises:
        MalformedLogError: A known topic with another layout; carries event and position.
    """
    layout = _BY_TOPIC[role].get(topics[0]) if topics else None
    if layout is None:
        return UnknownEvent(position, tuple(topics), data)
    try:
        return layout.kind(position, *_read_values(layout, topics, data))
    except BadWordError as error:
        name = layout.kind.__name__
        raise MalformedLogError(
            f"合约日志 {name} 的内容不符合其格式（区块 {position.block_number}、"
            f"日志序号 {position.log_index}）。",
            f"log {position.log_index} of block {position.block_number} is no {name}: {error}.",
            event=name,
            position=position,
        ) from error


def _read_values(layout: EventLayout, topics: Sequence[bytes], data: bytes) -> list[object]:
    if len(topics) != 1 + sum(layout.indexed) or any(len(topic) != WORD_BYTES for topic in topics):
        raise BadWordError("wrong number or length of topics")
    values: list[object] = []
    topic_at, data_at = 1, 0
    tail_at = WORD_BYTES * (len(layout.indexed) - sum(layout.indexed))
    for indexed, read in zip(layout.indexed, layout.readers, strict=True):
        if indexed:
            word = topics[topic_at]
            topic_at += 1
        else:
            word = data[data_at : data_at + WORD_BYTES]
            data_at += WORD_BYTES
            if len(word) != WORD_BYTES:
                raise BadWordError("data too short")
            if read in DYNAMIC_READERS:
                word, tail_at = _slice_tail(data, word, tail_at)
        values.append(read(word))
    if tail_at != len(data):
        raise BadWordError("data goes on behind the last field")
    return values


def _slice_tail(data: bytes, offset: bytes, tail_at: int) -> tuple[bytes, int]:
    """Dynamic bytes whose tail must begin at `tail_at`; the bytes and where the tail ends."""
    if int.from_bytes(offset, "big") != tail_at or len(data) < tail_at + WORD_BYTES:
        raise BadWordError("a dynamic field is not where it belongs")
    start = tail_at + WORD_BYTES
    length = int.from_bytes(data[tail_at:start], "big")
    end = start + -(-length // WORD_BYTES) * WORD_BYTES
    if end > len(data) or any(data[start + length : end]):
        raise BadWordError("a dynamic field has wrong length or padding")
    return data[start : start + length], end
