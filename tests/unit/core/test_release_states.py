"""The release commitment and both tables of states."""

import pytest

from ledger_node.core.errors import IllegalTransitionError
from ledger_node.core.release import (
    INCOMING_TRANSITIONS,
    OUTGOING_TRANSITIONS,
    IncomingEvent,
    IncomingState,
    OutgoingEvent,
    OutgoingState,
    advance_incoming,
    advance_outgoing,
    compute_answer_digest,
    compute_release_commitment,
    compute_request_digest,
)
from tests.reference import exchange as x
from tests.reference import formats as f

TABLES = {
    "outgoing": (OUTGOING_TRANSITIONS, OutgoingState, OutgoingEvent, advance_outgoing),
    "incoming": (INCOMING_TRANSITIONS, IncomingState, IncomingEvent, advance_incoming),
}


def test_compute_release_commitment_equals_reference():
    request, answer, secrets = x.release_request(), x.release_answer(), x.release_secrets()
    digests = compute_request_digest(f.jcs(request)), compute_answer_digest(f.jcs(answer))
    computed = compute_release_commitment(bytes.fromhex(secrets["salt"]), *digests)
    assert computed == x.release_commitment(request, answer, secrets)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_compute_release_commitment_other_part_gives_another(place):
    parts = [bytes(32)] * 3
    changed = [b"\x01" * 32 if i == place else part for i, part in enumerate(parts)]
    assert compute_release_commitment(*parts) != compute_release_commitment(*changed)


@pytest.mark.parametrize("table", TABLES)
def test_advance_every_pair_follows_the_table(table):
    transitions, states, events, advance = TABLES[table]
    assert set(transitions) == set(states)
    allowed = 0
    for state in states:
        for event in events:
            if event in transitions[state]:
                assert advance(state, event) is transitions[state][event]
                allowed += 1
            else:
                with pytest.raises(IllegalTransitionError):
                    advance(state, event)
    assert allowed >= len(states)


@pytest.mark.parametrize("table", TABLES)
def test_transitions_every_state_is_reached_and_every_event_used(table):
    transitions, states, events, _ = TABLES[table]
    first = next(iter(states))
    reached = {first} | {after for row in transitions.values() for after in row.values()}
    assert reached == set(states)
    assert {event for row in transitions.values() for event in row} == set(events)


def test_outgoing_answer_leaves_only_after_the_permit_is_final():
    before = {
        OutgoingState.ANSWERED,
        OutgoingState.CONSUME_SIGNED,
        OutgoingState.SUBMITTED,
        OutgoingState.REFUSED,
        OutgoingState.FAILED,
    }
    for state in before:
        assert OutgoingEvent.ANSWER_SENT not in OUTGOING_TRANSITIONS[state]
        assert OutgoingState.SENT not in OUTGOING_TRANSITIONS[state].values()
    assert advance_outgoing(OutgoingState.CONFIRMED, OutgoingEvent.ANSWER_SENT) == "sent"


def test_transitions_final_states_are_never_left():
    final = [OutgoingState.ACKNOWLEDGED, OutgoingState.REFUSED, OutgoingState.FAILED]
    assert all(not OUTGOING_TRANSITIONS[state] for state in [*final, OutgoingState.WITHHELD])
    ended = [IncomingState.REFUSED, IncomingState.REJECTED, IncomingState.DESTROYED]
    assert all(not INCOMING_TRANSITIONS[state] for state in ended)
