"""Grants: the gate. Every refusal stands beside a twin that passes with one thing changed."""

import pytest

from tests.contracts.consortium import (
    ANCHOR,
    CITIES,
    GATE,
    GOVERN,
    GRANTS,
    REINSTATE_CITY,
    SUSPEND_CITY,
    signer,
)
from tests.contracts.evm import START_S, refused

RELEASING, RECEIVING, RECORDER, BYSTANDER, FIFTH = CITIES
TERMS, OTHER_TERMS = b"\x71" * 32, b"\x72" * 32
EVIDENCE = b"\xee" * 32
BEGIN, END = START_S + 1_000, START_S + 2_000
FIELDS = ("releasing", "receiving", "not_before", "not_after", "uses", "basis", "evidence")
NORMAL = dict(zip(FIELDS, (RELEASING, RECEIVING, BEGIN, END, 2, 2, EVIDENCE), strict=True))


def release(number):
    return number.to_bytes(32, "big")


def record(consortium, terms=TERMS, by=RECORDER, role=GATE, grants=None, **changes):
    values = [(NORMAL | changes)[field] for field in FIELDS]
    return (grants or consortium.grants).send(signer(by, role), "record", terms, *values)


def revoke(consortium, terms=TERMS, by=RECORDER, grants=None):
    return (grants or consortium.grants).send(signer(by, GATE), "revoke", terms)


def consume(consortium, number=1, terms=TERMS, by=RELEASING, role=GATE, grants=None):
    return (grants or consortium.grants).send(signer(by, role), "consume", terms, release(number))


@pytest.fixture
def granted(consortium):
    """A recorded grant in the middle of its window."""
    record(consortium)
    consortium.evm.advance(seconds=BEGIN - consortium.evm.timestamp_s)
    return consortium


def test_record_emits_and_holds_what_was_given(consortium):
    (event,) = record(consortium).events
    assert event == (
        "GrantRecorded",
        {
            "terms": TERMS,
            "releasing": RELEASING,
            "receiving": RECEIVING,
            "recorder": RECORDER,
            "notBefore": BEGIN,
            "notAfter": END,
            "uses": 2,
            "basis": 2,
            "evidence": EVIDENCE,
        },
    )
    held = (1, RELEASING, RECEIVING, RECORDER, BEGIN, END, 2, 2, EVIDENCE)
    assert consortium.grants.call("grantOf", TERMS) == held
    assert consortium.grants.call("grantOf", OTHER_TERMS) == (0,) * 8 + (bytes(32),)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"terms": bytes(32)}, "GrantsZeroCommitment"),
        ({"evidence": bytes(32)}, "GrantsZeroCommitment"),
        ({"receiving": RELEASING}, "GrantsSameCity"),
        ({"releasing": 999_999}, "GrantsCityNotInGoodStanding"),
        ({"receiving": 999_999}, "GrantsCityNotInGoodStanding"),
        ({"not_before": END}, "GrantsBadWindow"),
        ({"not_before": 1, "not_after": START_S}, "GrantsBadWindow"),
        ({"not_after": 2**48}, "GrantsBadWindow"),
        ({"uses": 0}, "GrantsNoUses"),
        ({"basis": 0}, "GrantsBadBasis"),
        ({"basis": 5}, "GrantsBadBasis"),
        ({"by": RECORDER, "role": ANCHOR}, "MembershipNotAuthorised"),
        ({"by": RECORDER, "role": GOVERN}, "MembershipNotAuthorised"),
    ],
)
def test_record_bad_field_is_refused(consortium, changes, error):
    base = {"terms": TERMS} | changes
    with refused(error):
        record(consortium, **base)
    record(consortium)


@pytest.mark.parametrize("changes", [{"not_before": 1, "not_after": START_S + 9}, {"basis": 4}])
def test_record_at_the_edge_of_the_allowed_passes(consortium, changes):
    record(consortium, **changes)


def test_record_terms_seen_are_refused_for_ever(consortium):
    record(consortium)
    for by in (RECORDER, RELEASING):
        with refused("GrantsTermsSeen", TERMS):
            record(consortium, by=by, uses=1)
    revoke(consortium)
    with refused("GrantsTermsSeen", TERMS):
        record(consortium)
    record(consortium, terms=OTHER_TERMS)


def test_record_spent_terms_are_refused(granted):
    consume(granted, 1)
    consume(granted, 2)
    with refused("GrantsTermsSeen", TERMS):
        record(granted)


@pytest.mark.parametrize("city", [RELEASING, RECEIVING, RECORDER])
def test_record_suspended_city_is_refused_until_reinstated(consortium, city):
    consortium.decide(SUSPEND_CITY, city)
    caller = city == RECORDER
    error = "MembershipNotInGoodStanding" if caller else "GrantsCityNotInGoodStanding"
    with refused(error, city):
        record(consortium)
    consortium.decide(REINSTATE_CITY, city)
    record(consortium)


def test_consume_counts_down_and_emits(granted):
    assert consume(granted, 1).events == [
        ("GrantConsumed", {"terms": TERMS, "releaseCommitment": release(1), "usesLeft": 1})
    ]
    assert granted.grants.call("releaseUsed", release(1))
    assert not granted.grants.call("releaseUsed", release(2))
    assert consume(granted, 2).events[0][1]["usesLeft"] == 0
    with refused("GrantsUsedUp", TERMS):
        consume(granted, 3)


def test_consume_unknown_is_refused(granted):
    with refused("GrantsUnknown", OTHER_TERMS):
        consume(granted, terms=OTHER_TERMS)
    consume(granted)


def test_consume_revoked_is_refused(granted):
    record(granted, terms=OTHER_TERMS)
    consume(granted, 1)
    revoke(granted)
    with refused("GrantsRevoked", TERMS):
        consume(granted, 2)
    consume(granted, 2, terms=OTHER_TERMS)


@pytest.mark.parametrize(
    ("at", "error"),
    [
        (BEGIN - 1, "GrantsNotYetValid"),
        (BEGIN, None),
        (END - 1, None),
        (END, "GrantsExpired"),
    ],
)
def test_consume_window_is_half_open(consortium, at, error):
    record(consortium)
    consortium.evm.advance(seconds=at - consortium.evm.timestamp_s)
    if error is None:
        consume(consortium)
    else:
        with refused(error):
            consume(consortium)


@pytest.mark.parametrize("by", [RECEIVING, RECORDER, BYSTANDER])
def test_consume_other_city_is_refused(granted, by):
    with refused("GrantsNotReleaser", TERMS, by):
        consume(granted, by=by)
    consume(granted)


@pytest.mark.parametrize("role", [ANCHOR, GOVERN])
def test_consume_other_account_of_the_releaser_is_refused(granted, role):
    with refused("MembershipNotAuthorised"):
        consume(granted, role=role)
    consume(granted)


@pytest.mark.parametrize("city", [RELEASING, RECEIVING, RECORDER])
def test_consume_party_suspended_is_refused_until_reinstated(granted, city):
    granted.decide(SUSPEND_CITY, city)
    error = "MembershipNotInGoodStanding" if city == RELEASING else "GrantsCityNotInGoodStanding"
    with refused(error, city):
        consume(granted)
    granted.decide(REINSTATE_CITY, city)
    consume(granted)


def test_consume_release_commitment_serves_once_over_all_grants(granted):
    record(granted, terms=OTHER_TERMS)
    consume(granted, 1)
    for terms in (TERMS, OTHER_TERMS):
        with refused("GrantsReleaseUsed", release(1)):
            consume(granted, 1, terms=terms)
    with refused("GrantsZeroCommitment"):
        consume(granted, 0, terms=OTHER_TERMS)
    consume(granted, 2, terms=OTHER_TERMS)


def test_consume_and_record_in_a_replaced_version_are_refused_revoke_works(granted):
    old = granted.grants
    new = granted.evm.deploy("Grants", granted.membership.address)
    consume(granted, 1)
    granted.register(GRANTS, new)
    for call in (consume, record):
        with refused("MembershipNotCurrent"):
            call(granted, terms=TERMS)
    revoke(granted)
    assert old.call("grantOf", TERMS)[0] == 2
    assert new.call("grantOf", TERMS)[0] == 0
    record(granted, grants=new)
    consume(granted, 1, grants=new)


@pytest.mark.parametrize("by", [RECORDER, RELEASING, RECEIVING])
def test_revoke_by_a_party_is_not_counted(consortium, by):
    many = [bytes([9, i]) * 16 for i in range(22)]
    for terms in many:
        record(consortium, terms=terms)
    for terms in many:
        assert revoke(consortium, terms, by).events == [
            ("GrantRevoked", {"terms": terms, "city": by})
        ]


def test_revoke_by_others_and_of_unknown_terms_is_capped_per_day(consortium):
    many = [bytes([9, i]) * 16 for i in range(11)]
    for terms in many:
        record(consortium, terms=terms)
    consortium.evm.advance(seconds=86_400 - consortium.evm.timestamp_s % 86_400)
    for terms in many[:10]:
        revoke(consortium, terms, BYSTANDER)
    for i in range(10):
        revoke(consortium, bytes([7, i]) * 16, BYSTANDER)
    for terms in (many[10], OTHER_TERMS):
        with refused("GrantsDailyCapReached", BYSTANDER, 20):
            revoke(consortium, terms, BYSTANDER)
    revoke(consortium, OTHER_TERMS, FIFTH)
    revoke(consortium, many[10], RECORDER)
    consortium.evm.advance(seconds=86_399)
    with refused("GrantsDailyCapReached"):
        revoke(consortium, b"\x66" * 32, BYSTANDER)
    consortium.evm.advance(seconds=1)
    revoke(consortium, b"\x66" * 32, BYSTANDER)


def test_revoke_unknown_terms_burns_them(consortium):
    revoke(consortium, TERMS, BYSTANDER)
    with refused("GrantsTermsSeen", TERMS):
        record(consortium)
    with refused("GrantsAlreadyRevoked", TERMS):
        revoke(consortium, TERMS, RECORDER)
    with refused("GrantsRevoked", TERMS):
        consume(consortium)
    record(consortium, terms=OTHER_TERMS)


def test_revoke_twice_is_refused(consortium):
    record(consortium)
    revoke(consortium, by=RECEIVING)
    with refused("GrantsAlreadyRevoked", TERMS):
        revoke(consortium, by=RECORDER)


@pytest.mark.parametrize("city", [RECORDER, BYSTANDER])
def test_revoke_by_a_suspended_member_works(consortium, city):
    record(consortium)
    consortium.decide(SUSPEND_CITY, city)
    revoke(consortium, by=city)
    assert consortium.grants.call("grantOf", TERMS)[0] == 2


@pytest.mark.parametrize("role", [ANCHOR, GOVERN])
def test_revoke_by_another_account_is_refused(consortium, role):
    record(consortium)
    with refused("MembershipNotAuthorised"):
        consortium.grants.send(signer(RECORDER, role), "revoke", TERMS)
    revoke(consortium)
