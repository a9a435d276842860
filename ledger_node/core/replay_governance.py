"""Replay rules of `Membership`: members, keys and contracts change only as they may.

Step 11 of the data flow, promise P10. Used by replay.py. Spec: docs/spec/replay.md.

Invariants:
    * Whatever only a vote may change follows, in the same transaction, an executed proposal of
      that kind, except for the founding transaction that created Membership.
    * Proposals and announced changes are numbered 1, 2, 3 …: a skipped number is a missing event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ledger_node.core.event_types import (
    ContractRegistered,
    Event,
    KeyAnnounced,
    KeyDistrusted,
    MemberAdmitted,
    MemberReinstated,
    MemberSuspended,
    ProposalCreated,
    ProposalExecuted,
    ProposalKind,
    UrlAnnounced,
    VoteCast,
)
from ledger_node.core.membership import MembershipContradictionError, apply_membership_event
from ledger_node.core.replay_state import DiscrepancyCode, Proposal, ReplayState, where
from ledger_node.core.types import CityId

_VOTED: Mapping[type[Event], tuple[ProposalKind, ...]] = {
    MemberAdmitted: (ProposalKind.ADMIT_CITY,),
    MemberSuspended: (ProposalKind.SUSPEND_CITY,),
    MemberReinstated: (ProposalKind.REINSTATE_CITY,),
    ContractRegistered: (ProposalKind.REGISTER_CONTRACT,),
    KeyDistrusted: (ProposalKind.DISTRUST_KEY,),
    KeyAnnounced: (ProposalKind.ADMIT_CITY, ProposalKind.REPLACE_KEY),
}
_FOUNDING = (MemberAdmitted, KeyAnnounced)


def check_member(
    state: ReplayState, city: CityId, event: Event, *, good_standing: bool = True
) -> None:
    """Note it when a city acts, or is named, that is no member (in good standing)."""
    if city not in state.consortium.members:
        state.note(
            DiscrepancyCode.NOT_A_MEMBER,
            where(event.position),
            f"{type(event).__name__} of {city}, which is no member",
        )
    elif good_standing and not state.consortium.in_good_standing(city):
        state.note(
            DiscrepancyCode.NOT_IN_GOOD_STANDING,
            where(event.position),
            f"{type(event).__name__} of {city}, which is suspended",
        )


def check_voted(state: ReplayState, event: Event, kinds: tuple[ProposalKind, ...]) -> None:
    """Note it when an event that takes a vote does not follow one in its transaction."""
    tx_hash = event.position.tx_hash
    if isinstance(event, _FOUNDING) and state.founding == tx_hash:
        return
    if state.vote is None or state.vote[0] != tx_hash or state.vote[1] not in kinds:
        state.note(
            DiscrepancyCode.CHANGE_WITHOUT_VOTE,
            where(event.position),
            f"{type(event).__name__} follows no executed proposal of its kind",
        )


def apply_membership_rules(state: ReplayState, event: Event) -> None:
    """Fold an event into the consortium, with the checks the fold itself does not make."""
    if state.founding is None:
        state.founding = event.position.tx_hash
    announced = isinstance(event, (KeyAnnounced, UrlAnnounced)) and event.change_id
    if announced:
        check_number(state, event, announced, state.changes)
        state.changes = max(state.changes, announced)
    elif type(event) in _VOTED:
        check_voted(state, event, _VOTED[type(event)])
    try:
        state.consortium = apply_membership_event(state.consortium, event)
    except MembershipContradictionError as error:
        state.note(
            DiscrepancyCode.MEMBERSHIP_CONTRADICTION,
            where(event.position),
            f"{type(event).__name__}: {error.problem}",
        )


def check_number(state: ReplayState, event: Event, number: int, last: int) -> None:
    """Note it when a running number does not follow the last one: events are missing."""
    if number != last + 1:
        state.note(
            DiscrepancyCode.NUMBER_SKIPPED,
            where(event.position),
            f"{type(event).__name__} has number {number} after {last}",
        )


def apply_proposal_created(state: ReplayState, event: Event) -> None:
    """Keep a new proposal."""
    assert isinstance(event, ProposalCreated)
    check_number(state, event, event.proposal_id, max(state.proposals, default=0))
    check_member(state, event.city, event)
    state.proposals[event.proposal_id] = Proposal(
        city=event.city,
        kind=event.kind,
        payload=event.payload,
        paper=event.paper,
        expires_at_s=event.expires_at_s,
        votes={},
    )


def _open_proposal(state: ReplayState, event: VoteCast | ProposalExecuted) -> Proposal | None:
    proposal = state.proposals.get(event.proposal_id)
    name = f"{type(event).__name__} of proposal {event.proposal_id}"
    if proposal is None:
        state.note(
            DiscrepancyCode.PROPOSAL_UNKNOWN, where(event.position), f"{name}, never created"
        )
    elif proposal.executed or event.position.block_timestamp_s >= proposal.expires_at_s:
        state.note(
            DiscrepancyCode.PROPOSAL_OVER,
            where(event.position),
            f"{name}, which was executed or had expired",
        )
    return proposal


def apply_vote_cast(state: ReplayState, event: Event) -> None:
    """Keep a vote; it replaces the city's earlier one."""
    assert isinstance(event, VoteCast)
    check_member(state, event.city, event)
    proposal = _open_proposal(state, event)
    if proposal is None:
        return
    if proposal.votes.get(event.city) == event.support:
        state.note(
            DiscrepancyCode.VOTE_REPEATED,
            where(event.position),
            f"{event.city} voted the same on proposal {event.proposal_id} before",
        )
    votes = {**proposal.votes, event.city: event.support}
    state.proposals[event.proposal_id] = replace(proposal, votes=votes)


def apply_proposal_executed(state: ReplayState, event: Event) -> None:
    """Check the two thirds among members in good standing now, and mark the proposal."""
    assert isinstance(event, ProposalExecuted)
    proposal = _open_proposal(state, event)
    if proposal is None:
        return
    good = [city for city in state.consortium.members if state.consortium.in_good_standing(city)]
    yes = sum(1 for city in good if proposal.votes.get(city))
    if 3 * yes < 2 * len(good):
        state.note(
            DiscrepancyCode.QUORUM_MISSING,
            where(event.position),
            f"proposal {event.proposal_id} had {yes} of {len(good)} votes",
        )
    state.proposals[event.proposal_id] = replace(proposal, executed=True)
    state.vote = (event.position.tx_hash, proposal.kind)
