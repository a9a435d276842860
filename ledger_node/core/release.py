"""Release: the digests a permit stands on, and the two state machines of a release.

Step 8 of the data flow (grant + request -> permit -> document in the other city). Spec: design
section 8, docs/spec/release.md. Vectors: tests/vectors/release/.

Invariants:
    * The release commitment binds one request and one answer; its salt is sealed in the answer, so
      the chain tells nothing, and the receiver can check the permit it got.
    * An answer leaves only from CONFIRMED on, that is after the consumption is final.
    * No event leaves a final state.
Not here: message formats (release_request.py, release_answer.py), decisions (grant.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from ledger_node.core.errors import IllegalTransitionError
from ledger_node.core.types import ReleaseCommitment, Salt


def compute_request_digest(data: bytes) -> bytes:
    """SHA-256 of a release request's canonical bytes, 32 bytes."""
    return hashlib.sha256(data).digest()


def compute_answer_digest(data: bytes) -> bytes:
    """SHA-256 of a release answer's canonical bytes, sealed part included, 32 bytes."""
    return hashlib.sha256(data).digest()


def compute_release_commitment(
    salt: Salt, request_digest: bytes, answer_digest: bytes
) -> ReleaseCommitment:
    """`SHA-256("tongban/release/v1\\n" || salt || request digest || answer digest)`.

    Requires 32 bytes of each.
    """
    assert len(salt) == len(request_digest) == len(answer_digest) == 32
    framed = b"tongban/release/v1\n" + salt + request_digest + answer_digest
    return ReleaseCommitment(hashlib.sha256(framed).digest())


class OutgoingState(StrEnum):
    """A release as the releasing city keeps it."""

    ANSWERED = "answered"  # the finished answer is stored
    CONSUME_SIGNED = "consume_signed"  # the signed transaction is stored
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"  # GrantConsumed is final: the permit
    SENT = "sent"  # fetched at least once
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"  # given up before anything was signed
    FAILED = "failed"  # the chain refused to consume, finally
    WITHHELD = "withheld"  # permitted, never fetched, and no longer given
    CLOSED = "closed"  # fetched, never acknowledged, and no longer given


class OutgoingEvent(StrEnum):
    """What happens to an outgoing release."""

    CONSUME_STORED = "consume_stored"
    TX_SUBMITTED = "tx_submitted"
    TX_DROPPED = "tx_dropped"
    CONSUME_FINAL = "consume_final"
    REVERT_FINAL = "revert_final"
    ANSWER_SENT = "answer_sent"
    ACKNOWLEDGEMENT_VERIFIED = "acknowledgement_verified"
    GIVEN_UP = "given_up"  # revoked, expired or erased before signing
    WINDOW_CLOSED = "window_closed"  # expired, revoked or erased after the permit


_O, _OE = OutgoingState, OutgoingEvent
OUTGOING_TRANSITIONS: Mapping[OutgoingState, Mapping[OutgoingEvent, OutgoingState]] = {
    _O.ANSWERED: {_OE.CONSUME_STORED: _O.CONSUME_SIGNED, _OE.GIVEN_UP: _O.REFUSED},
    # A crash between broadcast and its record leaves CONSUME_SIGNED; the chain may be further.
    _O.CONSUME_SIGNED: {
        _OE.TX_SUBMITTED: _O.SUBMITTED,
        _OE.CONSUME_FINAL: _O.CONFIRMED,
        _OE.REVERT_FINAL: _O.FAILED,
    },
    _O.SUBMITTED: {
        _OE.TX_DROPPED: _O.CONSUME_SIGNED,
        _OE.CONSUME_FINAL: _O.CONFIRMED,
        _OE.REVERT_FINAL: _O.FAILED,
    },
    _O.CONFIRMED: {_OE.ANSWER_SENT: _O.SENT, _OE.WINDOW_CLOSED: _O.WITHHELD},
    _O.SENT: {
        _OE.ANSWER_SENT: _O.SENT,
        _OE.ACKNOWLEDGEMENT_VERIFIED: _O.ACKNOWLEDGED,
        _OE.WINDOW_CLOSED: _O.CLOSED,
    },
    _O.CLOSED: {_OE.ACKNOWLEDGEMENT_VERIFIED: _O.ACKNOWLEDGED},  # a late one still counts
    _O.ACKNOWLEDGED: {},
    _O.REFUSED: {},
    _O.FAILED: {},  # a new attempt is a new release with a new salt
    _O.WITHHELD: {},
}


class IncomingState(StrEnum):
    """A release as the receiving city keeps it."""

    PREPARED = "prepared"  # the request is stored
    REQUESTED = "requested"  # sent at least once
    ANSWERED = "answered"  # the answer is stored
    VERIFIED = "verified"  # permit, inclusion and disclosures hold
    COMPLETE = "complete"  # all documents stored and their digests right
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"  # the releasing city refused, or time ran out
    REJECTED = "rejected"  # the answer or a document does not hold: evidence against the sender
    DESTROYED = "destroyed"  # erased here, destruction notice signed


class IncomingEvent(StrEnum):
    """What happens to an incoming release."""

    REQUEST_SENT = "request_sent"
    REFUSAL_RECEIVED = "refusal_received"
    ANSWER_STORED = "answer_stored"
    ANSWER_VERIFIED = "answer_verified"
    ANSWER_REJECTED = "answer_rejected"
    DOCUMENTS_STORED = "documents_stored"
    DOCUMENT_REJECTED = "document_rejected"
    ACKNOWLEDGEMENT_SENT = "acknowledgement_sent"
    DESTRUCTION_SIGNED = "destruction_signed"


_I, _IE = IncomingState, IncomingEvent
INCOMING_TRANSITIONS: Mapping[IncomingState, Mapping[IncomingEvent, IncomingState]] = {
    _I.PREPARED: {_IE.REQUEST_SENT: _I.REQUESTED},
    _I.REQUESTED: {
        _IE.REQUEST_SENT: _I.REQUESTED,  # the same bytes again
        _IE.REFUSAL_RECEIVED: _I.REFUSED,
        _IE.ANSWER_STORED: _I.ANSWERED,
    },
    _I.ANSWERED: {_IE.ANSWER_VERIFIED: _I.VERIFIED, _IE.ANSWER_REJECTED: _I.REJECTED},
    _I.VERIFIED: {
        _IE.DOCUMENTS_STORED: _I.COMPLETE,
        _IE.DOCUMENT_REJECTED: _I.REJECTED,
        _IE.REFUSAL_RECEIVED: _I.REFUSED,  # revoked, expired or erased before the documents came
        _IE.DESTRUCTION_SIGNED: _I.DESTROYED,
    },
    _I.COMPLETE: {
        _IE.ACKNOWLEDGEMENT_SENT: _I.ACKNOWLEDGED,
        _IE.DESTRUCTION_SIGNED: _I.DESTROYED,
    },
    _I.ACKNOWLEDGED: {_IE.DESTRUCTION_SIGNED: _I.DESTROYED},
    _I.REFUSED: {},
    _I.REJECTED: {},
    _I.DESTROYED: {},
}


def advance_outgoing(state: OutgoingState, event: OutgoingEvent) -> OutgoingState:
    """State after an event.

    Raises:
        IllegalTransitionError: The table has no such transition.
    """
    after = OUTGOING_TRANSITIONS[state].get(event)
    if after is None:
        raise IllegalTransitionError("outgoing release", state.value, event.value)
    return after


def advance_incoming(state: IncomingState, event: IncomingEvent) -> IncomingState:
    """State after an event.

    Raises:
        IllegalTransitionError: The table has no such transition.
    """
    after = INCOMING_TRANSITIONS[state].get(event)
    if after is None:
        raise IllegalTransitionError("incoming release", state.value, event.value)
    return after
