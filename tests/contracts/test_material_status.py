"""MaterialStatus: flags only ever added by the issuer; objections bound to anchored leaves."""

import pytest

from tests.contracts.consortium import (
    ANCHOR,
    CITIES,
    GATE,
    GOVERN,
    MATERIAL_STATUS,
    SUSPEND_CITY,
    signer,
)
from tests.contracts.evm import refused
from tests.reference import tree

ISSUER, RAISER, THIRD = CITIES[:3]
ENTRIES = [bytes([1, 1]) + i.to_bytes(32, "big") for i in range(11)]
LEAF = tree.leaf_hash(ENTRIES[4])
WITHDRAWN, SUPERSEDED, SPENT, ERASED = 1, 2, 4, 8
NONE, SUCCESSOR, REASON = bytes(32), b"\x5c" * 32, b"\x4e" * 32


def set_status(consortium, status, successor=NONE, by=ISSUER, role=GATE, leaf=LEAF, at=None):
    return (at or consortium.status).send(signer(by, role), "setStatus", leaf, status, successor)


def raise_objection(consortium, by=RAISER, role=GATE, index=4, leaf=LEAF, reason=REASON, at=None):
    proof = tree.path(4, ENTRIES)
    receipt = (at or consortium.status).send(
        signer(by, role), "raiseObjection", ISSUER, leaf, index, proof, reason
    )
    return int.from_bytes(receipt.returned, "big")


@pytest.fixture
def anchored(consortium):
    root = tree.mth(ENTRIES)
    consortium.log.send(signer(ISSUER, ANCHOR), "anchor", 0, len(ENTRIES), root, [])
    return consortium


def test_set_status_adds_flags_in_any_order(consortium):
    flags = 0
    for status in (SPENT, SUPERSEDED, WITHDRAWN, ERASED):
        successor = SUCCESSOR if status == SUPERSEDED else NONE
        (event,) = set_status(consortium, status, successor).events
        assert event == (
            "StatusSet",
            {"city": ISSUER, "leafHash": LEAF, "status": status, "successor": successor},
        )
        flags |= status
        assert consortium.status.call("statusOf", ISSUER, LEAF)[0] == flags
    assert consortium.status.call("statusOf", ISSUER, LEAF) == (15, SUCCESSOR)
    assert consortium.status.call("statusOf", RAISER, LEAF) == (0, NONE)


@pytest.mark.parametrize("status", [WITHDRAWN, SUPERSEDED, SPENT, ERASED])
def test_set_status_twice_is_refused(consortium, status):
    successor = SUCCESSOR if status == SUPERSEDED else NONE
    set_status(consortium, status, successor)
    with refused("MaterialStatusAlreadySet", ISSUER, LEAF, status):
        set_status(consortium, status, successor)
    set_status(consortium, status, successor, by=RAISER)


@pytest.mark.parametrize("status", [0, 3, 5, 9, 16, 255])
def test_set_status_not_exactly_one_flag_is_refused(consortium, status):
    with refused("MaterialStatusBadStatus", status):
        set_status(consortium, status)
    set_status(consortium, WITHDRAWN)


def test_set_status_successor_belongs_to_superseded_only(consortium):
    with refused("MaterialStatusBadSuccessor"):
        set_status(consortium, SUPERSEDED, NONE)
    for status in (WITHDRAWN, SPENT, ERASED):
        with refused("MaterialStatusBadSuccessor"):
            set_status(consortium, status, SUCCESSOR)
    set_status(consortium, SUPERSEDED, SUCCESSOR)


def test_set_status_zero_leaf_is_refused(consortium):
    with refused("MaterialStatusZeroHash"):
        set_status(consortium, WITHDRAWN, leaf=NONE)


@pytest.mark.parametrize("role", [ANCHOR, GOVERN])
@pytest.mark.parametrize("status", [WITHDRAWN, SPENT])
def test_set_status_other_account_is_refused(consortium, role, status):
    with refused("MembershipNotAuthorised"):
        set_status(consortium, status, role=role)
    set_status(consortium, status)


def test_set_status_suspended_member_may_withdraw_and_erase_only(consortium):
    consortium.decide(SUSPEND_CITY, ISSUER)
    for status, successor in ((SUPERSEDED, SUCCESSOR), (SPENT, NONE)):
        with refused("MembershipNotInGoodStanding", ISSUER):
            set_status(consortium, status, successor)
    set_status(consortium, WITHDRAWN)
    set_status(consortium, ERASED)


def test_set_status_in_a_replaced_version_is_refused(consortium):
    new = consortium.evm.deploy("MaterialStatus", consortium.membership.address)
    with refused("MaterialStatusNotCurrent"):
        set_status(consortium, WITHDRAWN, at=new)
    consortium.register(MATERIAL_STATUS, new)
    with refused("MaterialStatusNotCurrent"):
        set_status(consortium, WITHDRAWN)
    with refused("MembershipNotCurrent"):
        set_status(consortium, SPENT)
    set_status(consortium, WITHDRAWN, at=new)
    set_status(consortium, SPENT, at=new)


def test_raise_objection_proven_leaf_emits_and_counts(anchored):
    receipt = anchored.status.send(
        signer(RAISER, GATE), "raiseObjection", ISSUER, LEAF, 4, tree.path(4, ENTRIES), REASON
    )
    wanted = {"id": 1, "city": ISSUER, "leafHash": LEAF, "raiser": RAISER, "reason": REASON}
    assert receipt.events == [("ObjectionRaised", wanted)]
    assert anchored.status.call("objectionOf", 1) == (ISSUER, RAISER, 0, LEAF)
    assert anchored.status.call("openObjections", RAISER) == 1


def test_raise_objection_leaf_not_in_the_held_head_is_refused(anchored):
    with refused("Rfc6962RootMismatch"):
        raise_objection(anchored, leaf=tree.leaf_hash(ENTRIES[5]))
    with refused("Rfc6962RootMismatch"):
        raise_objection(anchored, index=5)
    with refused("Rfc6962MalformedProof"):
        raise_objection(anchored, index=11)
    raise_objection(anchored)


def test_raise_objection_nothing_anchored_is_refused(consortium):
    with refused("MaterialStatusNoHead", ISSUER):
        raise_objection(consortium)


def test_raise_objection_without_reason_is_refused(anchored):
    with refused("MaterialStatusZeroHash"):
        raise_objection(anchored, reason=NONE)
    raise_objection(anchored)


def test_raise_objection_wrong_account_or_suspended_member_is_refused(anchored):
    for role in (ANCHOR, GOVERN):
        with refused("MembershipNotAuthorised"):
            raise_objection(anchored, role=role)
    anchored.decide(SUSPEND_CITY, RAISER)
    with refused("MembershipNotInGoodStanding", RAISER):
        raise_objection(anchored)
    raise_objection(anchored, by=THIRD)


def test_raise_objection_hundred_open_per_member_is_the_limit(anchored):
    for _ in range(100):
        raise_objection(anchored)
    with refused("MaterialStatusTooManyOpen", RAISER, 100):
        raise_objection(anchored)
    raise_objection(anchored, by=THIRD)
    anchored.status.send(signer(RAISER, GATE), "withdrawObjection", 7)
    raise_objection(anchored)
    with refused("MaterialStatusTooManyOpen"):
        raise_objection(anchored)


@pytest.mark.parametrize("outcome", [1, 2, 3])
def test_close_objection_by_the_issuer_settles_it(anchored, outcome):
    number = raise_objection(anchored)
    receipt = anchored.status.send(signer(ISSUER, GATE), "closeObjection", number, outcome)
    assert receipt.events == [("ObjectionClosed", {"id": number, "outcome": outcome})]
    assert anchored.status.call("objectionOf", number)[2] == outcome
    assert anchored.status.call("openObjections", RAISER) == 0
    with refused("MaterialStatusObjectionClosed", number):
        anchored.status.send(signer(ISSUER, GATE), "closeObjection", number, outcome)
    with refused("MaterialStatusObjectionClosed", number):
        anchored.status.send(signer(RAISER, GATE), "withdrawObjection", number)


@pytest.mark.parametrize("outcome", [0, 4, 255])
def test_close_objection_unknown_outcome_is_refused(anchored, outcome):
    number = raise_objection(anchored)
    with refused("MaterialStatusBadOutcome", outcome):
        anchored.status.send(signer(ISSUER, GATE), "closeObjection", number, outcome)
    anchored.status.send(signer(ISSUER, GATE), "closeObjection", number, 1)


def test_close_objection_by_another_city_is_refused(anchored):
    number = raise_objection(anchored)
    for by in (RAISER, THIRD):
        with refused("MaterialStatusNotIssuer", number, by):
            anchored.status.send(signer(by, GATE), "closeObjection", number, 1)
    with refused("MembershipNotAuthorised"):
        anchored.status.send(signer(ISSUER, GOVERN), "closeObjection", number, 1)
    with refused("MaterialStatusUnknownObjection", 2):
        anchored.status.send(signer(ISSUER, GATE), "closeObjection", 2, 1)
    anchored.status.send(signer(ISSUER, GATE), "closeObjection", number, 1)


def test_close_objection_by_a_suspended_issuer_is_refused_withdrawing_is_not(anchored):
    number = raise_objection(anchored)
    anchored.decide(SUSPEND_CITY, ISSUER)
    with refused("MaterialStatusNotInGoodStanding", ISSUER):
        anchored.status.send(signer(ISSUER, GATE), "closeObjection", number, 1)
    anchored.decide(SUSPEND_CITY, RAISER)
    anchored.status.send(signer(RAISER, GATE), "withdrawObjection", number)


def test_withdraw_objection_by_another_city_is_refused(anchored):
    number = raise_objection(anchored)
    for by in (ISSUER, THIRD):
        with refused("MaterialStatusNotRaiser", number, by):
            anchored.status.send(signer(by, GATE), "withdrawObjection", number)
    receipt = anchored.status.send(signer(RAISER, GATE), "withdrawObjection", number)
    assert receipt.events == [("ObjectionWithdrawn", {"id": number})]
    assert anchored.status.call("objectionOf", number)[2] == 4


def test_objections_of_a_replaced_version_can_still_be_settled(anchored):
    first, second = raise_objection(anchored), raise_objection(anchored)
    new = anchored.evm.deploy("MaterialStatus", anchored.membership.address)
    anchored.register(MATERIAL_STATUS, new)
    with refused("MembershipNotCurrent"):
        raise_objection(anchored)
    anchored.status.send(signer(ISSUER, GATE), "closeObjection", first, 3)
    anchored.status.send(signer(RAISER, GATE), "withdrawObjection", second)
    raise_objection(anchored, at=new)
