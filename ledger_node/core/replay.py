"""Replay: rebuilding every shared state from the chain's events alone.

Step 11 of the data flow (events -> state -> discrepancies). A pure fold in chain order; memory
grows with the state, not with the events. Spec: docs/spec/replay.md. Rules of the single
contracts: replay_governance.py, replay_rules.py, replay_catalogue.py; entry bundles: replay_log.py.

Invariants:
    * fold(a + b) = fold(b) from fold(a), wherever the events are cut into pages.
    * A doubled event changes nothing; a late, missing or contradicting one is named, never
      silently absorbed (a missing one at the latest by `event_counts`, or by comparing with the
      contracts' own storage).
    * Events are facts: the state follows them, also where a rule says they cannot be; the rule's
      objection is kept as a `Discrepancy`. A replay is clean when there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ledger_node.core.catalogue_events import (
    EditionProposed,
    EditionPublished,
    EditionVoteCast,
    ListOpened,
)
from ledger_node.core.event_types import (
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
    MemberAdmitted,
    MemberReinstated,
    MemberSuspended,
    ObjectionClosed,
    ObjectionRaised,
    ObjectionWithdrawn,
    Position,
    ProposalCreated,
    ProposalExecuted,
    StatusSet,
    UnknownEvent,
    UrlAnnounced,
    VoteCast,
)
from ledger_node.core.replay_catalogue import (
    apply_edition_proposed,
    apply_edition_published,
    apply_edition_vote,
    apply_list_opened,
)
from ledger_node.core.replay_governance import (
    apply_membership_rules,
    apply_proposal_created,
    apply_proposal_executed,
    apply_vote_cast,
)
from ledger_node.core.replay_rules import (
    apply_checkpoint_anchored,
    apply_generation_closed,
    apply_grant_consumed,
    apply_grant_recorded,
    apply_grant_revoked,
    apply_objection_raised,
    apply_objection_settled,
    apply_status_set,
)
from ledger_node.core.replay_state import (
    RECENT_EVENTS,
    DiscrepancyCode,
    ReplayState,
    where,
)

_Rule = Callable[[ReplayState, Event], None]

# Which contract says it, whether only the current version may, and the rule to apply.
_RULES: Mapping[type[Event], tuple[ContractRole, bool, _Rule]] = {
    MemberAdmitted: (ContractRole.MEMBERSHIP, False, apply_membership_rules),
    MemberSuspended: (ContractRole.MEMBERSHIP, False, apply_membership_rules),
    MemberReinstated: (ContractRole.MEMBERSHIP, False, apply_membership_rules),
    KeyAnnounced: (ContractRole.MEMBERSHIP, False, apply_membership_rules),
    UrlAnnounced: (ContractRole.MEMBERSHIP, False, apply_membership_rules),
    ChangeCancelled: (ContractRole.MEMBERSHIP, False, apply_membership_rules),
    KeyDistrusted: (ContractRole.MEMBERSHIP, False, apply_membership_rules),
    ContractRegistered: (ContractRole.MEMBERSHIP, False, apply_membership_rules),
    ProposalCreated: (ContractRole.MEMBERSHIP, False, apply_proposal_created),
    VoteCast: (ContractRole.MEMBERSHIP, False, apply_vote_cast),
    ProposalExecuted: (ContractRole.MEMBERSHIP, False, apply_proposal_executed),
    CheckpointAnchored: (ContractRole.CITY_LOG, True, apply_checkpoint_anchored),
    GenerationClosed: (ContractRole.CITY_LOG, True, apply_generation_closed),
    StatusSet: (ContractRole.MATERIAL_STATUS, True, apply_status_set),
    ObjectionRaised: (ContractRole.MATERIAL_STATUS, True, apply_objection_raised),
    ObjectionClosed: (ContractRole.MATERIAL_STATUS, False, apply_objection_settled),
    ObjectionWithdrawn: (ContractRole.MATERIAL_STATUS, False, apply_objection_settled),
    GrantRecorded: (ContractRole.GRANTS, True, apply_grant_recorded),
    GrantRevoked: (ContractRole.GRANTS, False, apply_grant_revoked),
    GrantConsumed: (ContractRole.GRANTS, True, apply_grant_consumed),
    ListOpened: (ContractRole.CATALOGUE, True, apply_list_opened),
    EditionProposed: (ContractRole.CATALOGUE, True, apply_edition_proposed),
    EditionVoteCast: (ContractRole.CATALOGUE, True, apply_edition_vote),
    EditionPublished: (ContractRole.CATALOGUE, True, apply_edition_published),
}


def replay(state: ReplayState, events: Iterable[Event]) -> ReplayState:
    """Fold events into a state.

    Args:
        state: Where the fold stands (`ReplayState(membership=…)` before the first event); not
            changed.
        events: In chain order: by block number, then log index. Overlapping pages are fine up to
            `RECENT_EVENTS` back; a full set in any order goes through `order_events` first.
    """
    state = state.copy()
    for event in events:
        if _take_position(state, event):
            _apply(state, event)
    return state


def order_events(events: Iterable[Event]) -> list[Event]:
    """Sort a full set of events into chain order; doubled ones stay and are the fold's to drop."""
    return sorted(events, key=lambda event: (event.position.block_number, event.position.log_index))


def _take_position(state: ReplayState, event: Event) -> bool:
    """Check an event's place against those before it; False if it is not to be applied."""
    position = event.position
    place = (position.block_number, position.log_index)
    known = state.recent.get(place)
    if known is not None:
        if known != event:
            state.note(
                DiscrepancyCode.EVENT_CONTRADICTED,
                where(position),
                f"two different events stand here: {type(known).__name__} and "
                f"{type(event).__name__}",
            )
        return False
    last = state.last
    if last is not None and place <= (last.block_number, last.log_index):
        state.note(
            DiscrepancyCode.EVENT_OUT_OF_ORDER,
            where(position),
            f"a {type(event).__name__} arrives after {where(last)}",
        )
        return False
    _check_block(state, last, position)
    state.last = position
    state.recent[place] = event
    if len(state.recent) > RECENT_EVENTS:
        state.recent.popitem(last=False)
    return True


def _check_block(state: ReplayState, last: Position | None, position: Position) -> None:
    same_block = last is not None and last.block_number == position.block_number
    if last is not None and same_block:
        if (last.block_hash, last.block_timestamp_s) != (
            position.block_hash,
            position.block_timestamp_s,
        ):
            state.note(
                DiscrepancyCode.BLOCK_CONTRADICTED,
                where(position),
                "events of one block name two block hashes or times",
            )
    elif last is not None and position.block_timestamp_s < last.block_timestamp_s:
        state.note(
            DiscrepancyCode.BLOCK_TIME_BACKWARDS,
            where(position),
            f"block time {position.block_timestamp_s} is before {last.block_timestamp_s}",
        )
    expected = last.log_index + 1 if last is not None and same_block else 0
    if state.contiguous and position.log_index != expected:
        state.note(
            DiscrepancyCode.EVENT_GAP,
            where(position),
            f"log {expected} of the block was expected first: events are missing",
        )


def _apply(state: ReplayState, event: Event) -> None:
    name = type(event).__name__
    state.event_counts[name] = state.event_counts.get(name, 0) + 1
    rule = _RULES.get(type(event))
    if rule is None:
        topic = event.topics[0].hex() if isinstance(event, UnknownEvent) and event.topics else "-"
        state.note(
            DiscrepancyCode.EVENT_UNKNOWN, where(event.position), f"topic {topic} is not known"
        )
        return
    role, current_only, apply = rule
    _check_contract(state, event, role, current_only=current_only)
    apply(state, event)


def _check_contract(
    state: ReplayState, event: Event, role: ContractRole, *, current_only: bool
) -> None:
    position = event.position
    if role is ContractRole.MEMBERSHIP:
        known = position.address == state.membership
    else:
        known = state.consortium.role_of_contract(position.address) is role
    if not known:
        state.note(
            DiscrepancyCode.CONTRACT_UNKNOWN,
            where(position),
            f"0x{position.address.hex()} is no {role.name} of this consortium",
        )
    elif current_only and position.address != state.consortium.contract_at(
        role, position.block_number
    ):
        state.note(
            DiscrepancyCode.CONTRACT_NOT_CURRENT,
            where(position),
            f"{type(event).__name__} from a {role.name} that is not current in this block",
        )
