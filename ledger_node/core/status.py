"""What became of a material after it was anchored: flags set by its issuer, objections of others.

Step 10 of the data flow. A fold over the events of `MaterialStatus`, and the standing a reader
draws from it. Spec: docs/spec/events.md, design section 5.

Invariants:
    * Flags are only ever added; a material is named by issuing city and leaf hash.
    * Objections are numbered per contract; a closed or withdrawn one never opens again.
    * `decide_standing` names the gravest reason not to rely on a material first.
Not here: validity dates inside the material, what an open case does with a standing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ledger_node.core.errors import InvariantError
from ledger_node.core.event_types import (
    Event,
    ObjectionClosed,
    ObjectionOutcome,
    ObjectionRaised,
    ObjectionWithdrawn,
    StatusFlag,
    StatusSet,
)
from ledger_node.core.types import Address, BlockNumber, CityId, Commitment, LeafHash

MAX_OPEN_OBJECTIONS = 100  # of one raiser, as the contract has it
_ZERO = bytes(32)

LeafKey = tuple[CityId, LeafHash]
ObjectionKey = tuple[Address, int]


class StatusContradictionError(InvariantError):
    """An event that MaterialStatus cannot have emitted after the ones before it.

    Fields: problem (stable name), event.
    """

    code = "status_contradiction"

    def __init__(self, problem: str, event: Event) -> None:
        name = type(event).__name__
        super().__init__(
            f"材料状态事件 {name} 与此前的事件矛盾（{problem}），区块 "
            f"{event.position.block_number}。请停止并人工核查。",
            f"event {name} in block {event.position.block_number} contradicts the ones before it "
            f"({problem}); stop and look into it.",
            problem=problem,
            event=event,
        )
        self.problem = problem


@dataclass(frozen=True, slots=True)
class FlagSetting:
    """A flag, the block (number and time in seconds) and the contract version that set it."""

    flag: StatusFlag
    block_number: BlockNumber
    block_timestamp_s: int
    address: Address


@dataclass(frozen=True, slots=True)
class LeafStatus:
    """Flags of one leaf.

    Attributes:
        flags: All flags set so far, in whichever version of the contract.
        successor: Salted commitment of the succeeding material; None unless superseded.
        set_at: Each setting, in chain order.
    """

    flags: StatusFlag
    successor: Commitment | None
    set_at: tuple[FlagSetting, ...]


class ObjectionState(StrEnum):
    """Where an objection stands."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


_OUTCOMES: Mapping[ObjectionOutcome, ObjectionState] = {
    ObjectionOutcome.UPHELD: ObjectionState.UPHELD,
    ObjectionOutcome.REJECTED: ObjectionState.REJECTED,
    ObjectionOutcome.CORRECTED: ObjectionState.CORRECTED,
}


@dataclass(frozen=True, slots=True)
class Objection:
    """One objection; its clock runs from `raised_at_s` (block time, seconds)."""

    objection_id: int
    city: CityId
    leaf_hash: LeafHash
    raiser: CityId
    reason: Commitment
    raised_at_block: BlockNumber
    raised_at_s: int
    state: ObjectionState = ObjectionState.OPEN


class Standing(StrEnum):
    """What a reader may say of a material, gravest first."""

    ERASED = "erased"
    WITHDRAWN = "withdrawn"
    SPENT = "spent"
    SUPERSEDED = "superseded"
    DISPUTED = "disputed"
    ACTIVE = "active"


_PRECEDENCE = (
    (StatusFlag.ERASED, Standing.ERASED),
    (StatusFlag.WITHDRAWN, Standing.WITHDRAWN),
    (StatusFlag.SPENT, Standing.SPENT),
    (StatusFlag.SUPERSEDED, Standing.SUPERSEDED),
)


def decide_standing(flags: StatusFlag, open_objections: int) -> Standing:
    """The gravest thing to say of a material with these flags and so many open objections."""
    for flag, standing in _PRECEDENCE:
        if flag in flags:
            return standing
    return Standing.DISPUTED if open_objections > 0 else Standing.ACTIVE


@dataclass(frozen=True, slots=True)
class StatusBook:
    """All flags and objections up to some event."""

    leaves: Mapping[LeafKey, LeafStatus]
    objections: Mapping[ObjectionKey, Objection]

    def flags_of(self, city: CityId, leaf_hash: LeafHash) -> StatusFlag:
        """Flags of a leaf; none for a leaf nothing was said of."""
        status = self.leaves.get((city, leaf_hash))
        return status.flags if status else StatusFlag(0)

    def open_objections_of(self, city: CityId, leaf_hash: LeafHash) -> list[Objection]:
        """Open objections against a leaf, in the order they were raised."""
        return [
            objection
            for objection in self.objections.values()
            if objection.state is ObjectionState.OPEN
            and (objection.city, objection.leaf_hash) == (city, leaf_hash)
        ]

    def standing_of(self, city: CityId, leaf_hash: LeafHash) -> Standing:
        """`decide_standing` for one leaf."""
        return decide_standing(
            self.flags_of(city, leaf_hash), len(self.open_objections_of(city, leaf_hash))
        )


EMPTY_STATUS_BOOK = StatusBook({}, {})


def compute_status_book(book: StatusBook, events: Iterable[Event]) -> StatusBook:
    """Fold events, in chain order, into a status book; other contracts' events change nothing.

    Raises:
        StatusContradictionError: MaterialStatus cannot have emitted this event here.
    """
    leaves, objections = dict(book.leaves), dict(book.objections)
    for event in events:
        apply_status_event(leaves, objections, event)
    return StatusBook(leaves, objections)


def apply_status_event(
    leaves: MutableMapping[LeafKey, LeafStatus],
    objections: MutableMapping[ObjectionKey, Objection],
    event: Event,
) -> None:
    """One step of `compute_status_book`, in the caller's own tables."""
    match event:
        case StatusSet():
            _set_status(leaves, event)
        case ObjectionRaised():
            _raise_objection(objections, event)
        case ObjectionClosed():
            _settle(objections, event, _OUTCOMES[event.outcome])
        case ObjectionWithdrawn():
            _settle(objections, event, ObjectionState.WITHDRAWN)
        case _:
            pass


def _set_status(leaves: MutableMapping[LeafKey, LeafStatus], event: StatusSet) -> None:
    key = (event.city, event.leaf_hash)
    known = leaves.get(key, LeafStatus(StatusFlag(0), None, ()))
    position = event.position
    setting = FlagSetting(
        event.status, position.block_number, position.block_timestamp_s, position.address
    )
    if any((each.flag, each.address) == (setting.flag, setting.address) for each in known.set_at):
        raise StatusContradictionError("status_repeated", event)
    superseded = event.status is StatusFlag.SUPERSEDED
    if superseded != (event.successor != _ZERO):
        raise StatusContradictionError("successor_misplaced", event)
    leaves[key] = LeafStatus(
        flags=known.flags | event.status,
        successor=event.successor if superseded else known.successor,
        set_at=(*known.set_at, setting),
    )


def _raise_objection(
    objections: MutableMapping[ObjectionKey, Objection], event: ObjectionRaised
) -> None:
    position = event.position
    key = (position.address, event.objection_id)
    if key in objections:
        raise StatusContradictionError("objection_repeated", event)
    objections[key] = Objection(
        objection_id=event.objection_id,
        city=event.city,
        leaf_hash=event.leaf_hash,
        raiser=event.raiser,
        reason=event.reason,
        raised_at_block=position.block_number,
        raised_at_s=position.block_timestamp_s,
    )


def _settle(
    objections: MutableMapping[ObjectionKey, Objection],
    event: ObjectionClosed | ObjectionWithdrawn,
    state: ObjectionState,
) -> None:
    key = (event.position.address, event.objection_id)
    objection = objections.get(key)
    if objection is None:
        raise StatusContradictionError("objection_unknown", event)
    if objection.state is not ObjectionState.OPEN:
        raise StatusContradictionError("objection_settled", event)
    objections[key] = replace(objection, state=state)
