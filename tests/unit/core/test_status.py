"""Flags, objections and standing."""

import pytest

from ledger_node.core import event_types as t
from ledger_node.core.status import (
    EMPTY_STATUS_BOOK,
    ObjectionState,
    Standing,
    StatusContradictionError,
    compute_status_book,
    decide_standing,
)
from tests.unit.core.chain_histories import STATUS, History, digest, moved

WUHOU, MIANYANG = "510107", "510700"
LEAF = digest("leaf")
FLAG = t.StatusFlag


def book_of(history):
    return compute_status_book(EMPTY_STATUS_BOOK, history.events)


def emit_status(history, flag, successor=None):
    if successor is None:
        successor = digest("successor") if flag is FLAG.SUPERSEDED else bytes(32)
    return history.emit(t.StatusSet, WUHOU, LEAF, flag, successor, address=STATUS)


def emit_objection(history, number):
    values = (number, WUHOU, LEAF, MIANYANG, digest("why"))
    return history.emit(t.ObjectionRaised, *values, address=STATUS)


@pytest.mark.parametrize(
    ("flags", "objections", "standing"),
    [
        (FLAG(0), 0, Standing.ACTIVE),
        (FLAG(0), 1, Standing.DISPUTED),
        (FLAG.SUPERSEDED, 1, Standing.SUPERSEDED),
        (FLAG.SPENT | FLAG.SUPERSEDED, 0, Standing.SPENT),
        (FLAG.WITHDRAWN | FLAG.SPENT | FLAG.SUPERSEDED, 0, Standing.WITHDRAWN),
        (FLAG.ERASED | FLAG.WITHDRAWN | FLAG.SPENT | FLAG.SUPERSEDED, 1, Standing.ERASED),
    ],
)
def test_decide_standing_names_the_gravest(flags, objections, standing):
    assert decide_standing(flags, objections) is standing


def test_compute_status_book_flags_add_up_and_keep_their_blocks():
    history = History()
    emit_status(history, FLAG.SUPERSEDED)
    first = history.block
    history.next_block()
    emit_status(history, FLAG.ERASED)
    book = book_of(history)
    status = book.leaves[WUHOU, LEAF]
    assert status.flags == FLAG.SUPERSEDED | FLAG.ERASED
    assert status.successor == digest("successor")
    assert [(each.flag, each.block_number) for each in status.set_at] == [
        (FLAG.SUPERSEDED, first),
        (FLAG.ERASED, history.block),
    ]
    assert book.standing_of(WUHOU, LEAF) is Standing.ERASED
    assert book.standing_of(MIANYANG, LEAF) is Standing.ACTIVE


@pytest.mark.parametrize(
    ("kind", "values", "state"),
    [
        (t.ObjectionClosed, (t.ObjectionOutcome.UPHELD,), ObjectionState.UPHELD),
        (t.ObjectionClosed, (t.ObjectionOutcome.REJECTED,), ObjectionState.REJECTED),
        (t.ObjectionClosed, (t.ObjectionOutcome.CORRECTED,), ObjectionState.CORRECTED),
        (t.ObjectionWithdrawn, (), ObjectionState.WITHDRAWN),
    ],
)
def test_compute_status_book_objection_disputes_until_settled(kind, values, state):
    history = History()
    emit_objection(history, 1)
    book = book_of(history)
    assert book.standing_of(WUHOU, LEAF) is Standing.DISPUTED
    (objection,) = book.open_objections_of(WUHOU, LEAF)
    assert (objection.raised_at_block, objection.raised_at_s) == (history.block, history.time_s)
    history.emit(kind, 1, *values, address=STATUS)
    book = book_of(history)
    assert book.standing_of(WUHOU, LEAF) is Standing.ACTIVE
    assert book.objections[STATUS, 1].state is state


def test_compute_status_book_other_version_counts_objections_apart_and_may_set_again():
    history = History()
    emit_status(history, FLAG.WITHDRAWN)
    emit_objection(history, 1)
    other = b"\x77" * 20
    history.events += [moved(event, address=other) for event in list(history.events)]
    book = book_of(history)
    assert book.objections.keys() == {(STATUS, 1), (other, 1)}
    assert len(book.leaves[WUHOU, LEAF].set_at) == 2


@pytest.mark.parametrize(
    ("problem", "build"),
    [
        ("status_repeated", lambda h: [emit_status(h, FLAG.SPENT), emit_status(h, FLAG.SPENT)]),
        ("successor_misplaced", lambda h: emit_status(h, FLAG.SPENT, digest("successor"))),
        ("successor_misplaced", lambda h: emit_status(h, FLAG.SUPERSEDED, bytes(32))),
        ("objection_repeated", lambda h: [emit_objection(h, 1), emit_objection(h, 1)]),
        ("objection_unknown", lambda h: h.emit(t.ObjectionWithdrawn, 9, address=STATUS)),
        (
            "objection_settled",
            lambda h: [
                emit_objection(h, 1),
                h.emit(t.ObjectionWithdrawn, 1, address=STATUS),
                h.emit(t.ObjectionClosed, 1, t.ObjectionOutcome.UPHELD, address=STATUS),
            ],
        ),
    ],
)
def test_compute_status_book_impossible_event_names_the_problem(problem, build):
    history = History()
    build(history)
    with pytest.raises(StatusContradictionError) as caught:
        book_of(history)
    assert caught.value.problem == problem


def test_compute_status_book_does_not_change_its_input():
    history = History()
    emit_status(history, FLAG.SPENT)
    book = book_of(history)
    emit_objection(history, 1)
    after = compute_status_book(book, history.events[1:])
    assert (len(book.objections), len(after.objections)) == (0, 1)
    assert compute_status_book(book, History().found().events) == book
