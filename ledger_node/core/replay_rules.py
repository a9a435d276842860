"""Replay rules of `CityLog`, `MaterialStatus` and `Grants`: what their events must fit to.

Step 11 of the data flow, promises P2 and P4. Used by replay.py, which has checked that the event
comes from the right contract. Spec: docs/spec/replay.md.

Invariants:
    * The rules are the contracts' own, checked again from events alone; each breach is noted and
      the event is applied all the same, except where there is nothing to apply it to.
"""

from __future__ import annotations

from dataclasses import replace

from ledger_node.core.event_types import (
    CheckpointAnchored,
    Event,
    GenerationClosed,
    GrantConsumed,
    GrantRecorded,
    GrantRevoked,
    ObjectionClosed,
    ObjectionRaised,
    ObjectionWithdrawn,
    ProposalKind,
    StatusFlag,
    StatusSet,
)
from ledger_node.core.grant_facts import GrantOnChain
from ledger_node.core.merkle import TreeHead
from ledger_node.core.replay_governance import check_member, check_number, check_voted
from ledger_node.core.replay_state import (
    AnchoredHead,
    Consumption,
    DiscrepancyCode,
    ReplayedGrant,
    ReplayState,
    where,
)
from ledger_node.core.status import (
    MAX_OPEN_OBJECTIONS,
    ObjectionState,
    StatusContradictionError,
    apply_status_event,
)

MAX_FOREIGN_REVOCATIONS = 20  # of one city a day, as the contract has it
_DAY_S = 86_400
_ZERO = bytes(32)


def apply_checkpoint_anchored(state: ReplayState, event: Event) -> None:
    """A city's head only grows, in its current generation."""
    assert isinstance(event, CheckpointAnchored)
    check_member(state, event.city, event)
    generation, held = state.held_head(event.city)
    if event.generation != generation:
        state.note(
            DiscrepancyCode.GENERATION_WRONG,
            where(event.position),
            f"{event.city} anchors generation {event.generation}, current is {generation}",
        )
    if event.size <= (held.size if held else 0):
        state.note(
            DiscrepancyCode.HEAD_NOT_GROWING,
            where(event.position),
            f"{event.city} anchors size {event.size} after {held.size if held else 0}",
        )
    head = AnchoredHead(TreeHead(event.size, event.root), event.position)
    state.heads.setdefault((event.city, event.generation), []).append(head)


def apply_generation_closed(state: ReplayState, event: Event) -> None:
    """Only a vote closes a generation, at a head it had or an explained one below."""
    assert isinstance(event, GenerationClosed)
    check_member(state, event.city, event, good_standing=False)
    check_voted(state, event, (ProposalKind.CLOSE_GENERATION,))
    generation, held = state.held_head(event.city)
    if event.generation != generation:
        state.note(
            DiscrepancyCode.GENERATION_WRONG,
            where(event.position),
            f"generation {event.generation} of {event.city} is closed, current is {generation}",
        )
    size = held.size if held else 0
    if event.size > size or (held and event.size == size and event.root != held.root):
        state.note(
            DiscrepancyCode.CLOSING_WRONG,
            where(event.position),
            f"{event.city} is closed at size {event.size} against the held head of size {size}",
        )
    state.closed[event.city, event.generation] = TreeHead(event.size, event.root)
    state.generations[event.city] = event.generation + 1


def _apply_status(state: ReplayState, event: Event) -> bool:
    try:
        apply_status_event(state.leaves, state.objections, event)
    except StatusContradictionError as error:
        state.note(
            DiscrepancyCode.STATUS_CONTRADICTION,
            where(event.position),
            f"{type(event).__name__}: {error.problem}",
        )
        return False
    return True


def apply_status_set(state: ReplayState, event: Event) -> None:
    """A suspended issuer may still withdraw and erase."""
    assert isinstance(event, StatusSet)
    protective = event.status in (StatusFlag.WITHDRAWN, StatusFlag.ERASED)
    check_member(state, event.city, event, good_standing=not protective)
    _apply_status(state, event)


def apply_objection_raised(state: ReplayState, event: Event) -> None:
    """Numbered per contract; a raiser has at most so many open."""
    assert isinstance(event, ObjectionRaised)
    address = event.position.address
    check_member(state, event.raiser, event)
    check_member(state, event.city, event, good_standing=False)
    last = state.objection_counts.get(address, 0)
    check_number(state, event, event.objection_id, last)
    state.objection_counts[address] = max(last, event.objection_id)
    if not _apply_status(state, event):
        return
    count = state.open_objections.get((address, event.raiser), 0) + 1
    state.open_objections[address, event.raiser] = count
    if count > MAX_OPEN_OBJECTIONS:
        state.note(
            DiscrepancyCode.TOO_MANY_OBJECTIONS,
            where(event.position),
            f"{event.raiser} has {count} open objections",
        )


def apply_objection_settled(state: ReplayState, event: Event) -> None:
    """The issuer closes (in good standing), the raiser withdraws."""
    assert isinstance(event, (ObjectionClosed, ObjectionWithdrawn))
    address = event.position.address
    objection = state.objections.get((address, event.objection_id))
    if objection is not None and isinstance(event, ObjectionClosed):
        check_member(state, objection.city, event)
    if _apply_status(state, event):
        settled = state.objections[address, event.objection_id]
        assert settled.state is not ObjectionState.OPEN
        state.open_objections[address, settled.raiser] -= 1


def apply_grant_recorded(state: ReplayState, event: Event) -> None:
    """A terms commitment once seen is refused for ever, revoked and spent ones included."""
    assert isinstance(event, GrantRecorded)
    for city in (event.recorder, event.releasing, event.receiving):
        check_member(state, city, event)
    position = event.position
    if (
        event.releasing == event.receiving
        or not event.not_before_s < event.not_after_s
        or event.not_after_s <= position.block_timestamp_s
        or event.uses == 0
        or _ZERO in (event.grant_id, event.evidence)
    ):
        state.note(
            DiscrepancyCode.GRANT_MALFORMED,
            where(position),
            f"grant {event.grant_id.hex()} has equal cities, an empty or past window, no uses, "
            "or a zero commitment",
        )
    key = (position.address, event.grant_id)
    if key in state.grants:
        state.note(
            DiscrepancyCode.GRANT_REPEATED,
            where(position),
            f"terms {event.grant_id.hex()} were seen before",
        )
        return
    grant = GrantOnChain(
        grant_id=event.grant_id,
        releasing=event.releasing,
        receiving=event.receiving,
        recorder=event.recorder,
        not_before_s=event.not_before_s,
        not_after_s=event.not_after_s,
        uses=event.uses,
        uses_left=event.uses,
        basis=event.basis,
        evidence=event.evidence,
        revoked=False,
    )
    state.grants[key] = ReplayedGrant(grant, position, None, None)


def apply_grant_revoked(state: ReplayState, event: Event) -> None:
    """Ends a grant for ever, or burns terms not recorded yet."""
    assert isinstance(event, GrantRevoked)
    check_member(state, event.city, event, good_standing=False)
    position = event.position
    key = (position.address, event.grant_id)
    known = state.grants.get(key, ReplayedGrant(None, None, None, None))
    if known.revoked is not None:
        state.note(
            DiscrepancyCode.GRANT_REVOKED_TWICE,
            where(position),
            f"grant {event.grant_id.hex()} was revoked before",
        )
        return
    grant = known.grant
    if grant is None or event.city not in (grant.recorder, grant.releasing, grant.receiving):
        _count_foreign_revocation(state, event)
    state.grants[key] = ReplayedGrant(
        grant=None if grant is None else replace(grant, revoked=True),
        recorded=known.recorded,
        revoked=position,
        revoked_by=event.city,
    )


def _count_foreign_revocation(state: ReplayState, event: GrantRevoked) -> None:
    key = (event.position.address, event.city)
    day = event.position.block_timestamp_s // _DAY_S
    last_day, count = state.foreign_revocations.get(key, (day, 0))
    count = count + 1 if last_day == day else 1
    state.foreign_revocations[key] = (day, count)
    if count > MAX_FOREIGN_REVOCATIONS:
        state.note(
            DiscrepancyCode.REVOCATION_CAP,
            where(event.position),
            f"{event.city} ended {count} grants of others on one day",
        )


def apply_grant_consumed(state: ReplayState, event: Event) -> None:
    """P4: consumed means that a grant was there, unrevoked, in its window, with uses left."""
    assert isinstance(event, GrantConsumed)
    position = event.position
    release_key = (position.address, event.release_commitment)
    if release_key in state.consumptions:
        state.note(
            DiscrepancyCode.RELEASE_REPEATED,
            where(position),
            f"release commitment {event.release_commitment.hex()} was used before",
        )
    state.consumptions.setdefault(release_key, Consumption(event.grant_id, position))
    key = (position.address, event.grant_id)
    known = state.grants.get(key)
    name = f"grant {event.grant_id.hex()}"
    if known is None or known.grant is None:
        state.note(
            DiscrepancyCode.GRANT_UNKNOWN, where(position), f"{name} is consumed, never recorded"
        )
        return
    _check_consumable(state, event, known.grant, name)
    grant = replace(known.grant, uses_left=event.uses_left)
    state.grants[key] = replace(known, grant=grant)


def _check_consumable(
    state: ReplayState, event: GrantConsumed, grant: GrantOnChain, name: str
) -> None:
    place = where(event.position)
    for city in (grant.releasing, grant.receiving, grant.recorder):
        check_member(state, city, event)
    if grant.revoked:
        state.note(DiscrepancyCode.GRANT_REVOKED, place, f"{name} is consumed after revocation")
    if not grant.not_before_s <= event.position.block_timestamp_s < grant.not_after_s:
        state.note(
            DiscrepancyCode.GRANT_OUTSIDE_WINDOW, place, f"{name} is consumed outside its window"
        )
    if grant.uses_left == 0:
        state.note(DiscrepancyCode.GRANT_USED_UP, place, f"{name} is consumed with no use left")
    elif event.uses_left != grant.uses_left - 1:
        state.note(
            DiscrepancyCode.USES_LEFT_WRONG,
            place,
            f"{name} has {event.uses_left} uses left after {grant.uses_left}",
        )
