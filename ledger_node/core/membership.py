"""Folding the events of `Membership` into the consortium.

Governance. A pure fold; nothing is voted or decided again here, the contract did that. Types and
questions are in consortium.py and are re-exported. Spec: docs/spec/events.md, design section 5.

Invariants:
    * A cancelled announcement leaves the intervals of the other keys as if it had not been made.
    * An event that the contract cannot have emitted after the ones before it is an error, never
      ignored: the log is incomplete or not our contract's.
Not here: other contracts' events (status.py, replay.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ledger_node.core.consortium import (
    EMPTY_CONSORTIUM,
    Consortium,
    KeyInterval,
    Member,
    NotAMemberError,
    Registration,
    StandingChange,
    UrlInterval,
    is_key_trusted_at,
    select_key_at,
)
from ledger_node.core.errors import InvariantError
from ledger_node.core.event_types import (
    ChangeCancelled,
    ContractRegistered,
    Event,
    KeyAnnounced,
    KeyDistrusted,
    KeyRole,
    MemberAdmitted,
    MemberReinstated,
    MemberSuspended,
    UrlAnnounced,
)
from ledger_node.core.types import CityId

__all__ = [
    "EMPTY_CONSORTIUM",
    "Consortium",
    "KeyInterval",
    "Member",
    "MembershipContradictionError",
    "NotAMemberError",
    "Registration",
    "StandingChange",
    "UrlInterval",
    "apply_membership_event",
    "compute_consortium",
    "is_key_trusted_at",
    "select_key_at",
]


class MembershipContradictionError(InvariantError):
    """An event that Membership cannot have emitted after the ones before it.

    Fields: problem (stable name), event.
    """

    code = "membership_contradiction"

    def __init__(self, problem: str, event: Event) -> None:
        name = type(event).__name__
        super().__init__(
            f"成员合约事件 {name} 与此前的事件矛盾（{problem}），区块 "
            f"{event.position.block_number}。请停止并人工核查。",
            f"event {name} in block {event.position.block_number} contradicts the ones before it "
            f"({problem}); stop and look into it.",
            problem=problem,
            event=event,
        )
        self.problem = problem


def compute_consortium(consortium: Consortium, events: Iterable[Event]) -> Consortium:
    """Fold events, in chain order, into a consortium; events of other contracts change nothing.

    Raises:
        MembershipContradictionError: Membership cannot have emitted this event here.
    """
    for event in events:
        consortium = apply_membership_event(consortium, event)
    return consortium


def apply_membership_event(consortium: Consortium, event: Event) -> Consortium:
    """One step of `compute_consortium`."""
    match event:
        case MemberAdmitted():
            return _admit(consortium, event)
        case MemberSuspended():
            return _change_standing(consortium, event, good=False)
        case MemberReinstated():
            return _change_standing(consortium, event, good=True)
        case KeyAnnounced():
            return _announce_key(consortium, event)
        case UrlAnnounced():
            member = _acting_member(consortium, event.city, event)
            url = UrlInterval(event.url, event.valid_from_s, event.change_id)
            urls = tuple(sorted((*member.urls, url), key=lambda known: known.valid_from_s))
            return _with_member(consortium, replace(member, urls=urls))
        case ChangeCancelled():
            return _cancel(consortium, event)
        case KeyDistrusted():
            return _distrust(consortium, event)
        case ContractRegistered():
            return _register(consortium, event)
        case _:
            return consortium


def _with_member(consortium: Consortium, member: Member) -> Consortium:
    return replace(consortium, members={**consortium.members, member.city: member})


def _acting_member(consortium: Consortium, city: CityId, event: Event) -> Member:
    member = consortium.members.get(city)
    if member is None:
        raise MembershipContradictionError("member_unknown", event)
    return member


def _admit(consortium: Consortium, event: MemberAdmitted) -> Consortium:
    if event.city in consortium.members:
        raise MembershipContradictionError("member_repeated", event)
    position = event.position
    member = Member(
        city=event.city,
        standing=(StandingChange(position.block_number, good=True),),
        urls=(UrlInterval(event.url, position.block_timestamp_s),),
        keys={},
    )
    return _with_member(consortium, member)


def _change_standing(
    consortium: Consortium, event: MemberSuspended | MemberReinstated, *, good: bool
) -> Consortium:
    member = _acting_member(consortium, event.city, event)
    if member.standing[-1].good == good:
        raise MembershipContradictionError("standing_unchanged", event)
    change = StandingChange(event.position.block_number, good)
    return _with_member(consortium, replace(member, standing=(*member.standing, change)))


def _announce_key(consortium: Consortium, event: KeyAnnounced) -> Consortium:
    member = _acting_member(consortium, event.city, event)
    for other in consortium.members.values():
        if any(known.key == event.key for keys in other.keys.values() for known in keys):
            raise MembershipContradictionError("key_repeated", event)
    interval = KeyInterval(event.role, event.key, event.valid_from_s, change_id=event.change_id)
    return _with_keys(consortium, member, event.role, (*member.keys.get(event.role, ()), interval))


def _with_keys(
    consortium: Consortium, member: Member, role: KeyRole, keys: Iterable[KeyInterval]
) -> Consortium:
    """Replace a role's keys and let each end where the next one in force begins."""
    intervals: list[KeyInterval] = []
    end: int | None = None
    by_time = sorted(keys, key=lambda each: each.valid_from_s)  # stable: then as announced
    for known in reversed(by_time):
        if known.cancelled:
            intervals.append(replace(known, valid_until_s=known.valid_from_s))
        else:
            intervals.append(replace(known, valid_until_s=end))
            end = known.valid_from_s
    ordered = tuple(reversed(intervals))
    return _with_member(consortium, replace(member, keys={**member.keys, role: ordered}))


def _cancel(consortium: Consortium, event: ChangeCancelled) -> Consortium:
    member = _acting_member(consortium, event.city, event)
    for role, keys in member.keys.items():
        for known in keys:
            if event.change_id and known.change_id == event.change_id:
                _demand_pending(known.cancelled, known.valid_from_s, event)
                kept = [replace(each, cancelled=each.cancelled or each is known) for each in keys]
                return _with_keys(consortium, member, role, kept)
    for url in member.urls:
        if event.change_id and url.change_id == event.change_id:
            _demand_pending(False, url.valid_from_s, event)
            urls = tuple(other for other in member.urls if other is not url)
            return _with_member(consortium, replace(member, urls=urls))
    raise MembershipContradictionError("change_unknown", event)


def _demand_pending(cancelled: bool, valid_from_s: int, event: ChangeCancelled) -> None:
    if cancelled or valid_from_s <= event.position.block_timestamp_s:
        raise MembershipContradictionError("change_closed", event)


def _distrust(consortium: Consortium, event: KeyDistrusted) -> Consortium:
    member = _acting_member(consortium, event.city, event)
    keys = member.keys.get(event.role, ())
    if all(known.key != event.key for known in keys):
        raise MembershipContradictionError("key_unknown", event)
    changed = tuple(
        replace(known, distrusted_since_block=event.since_block)
        if known.key == event.key and is_key_trusted_at(known, event.since_block)
        else known
        for known in keys
    )
    return _with_member(consortium, replace(member, keys={**member.keys, event.role: changed}))


def _register(consortium: Consortium, event: ContractRegistered) -> Consortium:
    if consortium.role_of_contract(event.contract_address) is not None:
        raise MembershipContradictionError("contract_repeated", event)
    known = [
        registration
        for registration in consortium.contracts.get(event.role, ())
        if registration.from_block <= event.position.block_number
    ]
    known.append(Registration(event.contract_address, event.from_block))
    return replace(consortium, contracts={**consortium.contracts, event.role: tuple(known)})
