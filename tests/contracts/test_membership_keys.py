"""Membership: a city's own keys and URL change by its announced and delayed way, once each."""

import pytest

from tests.contracts.consortium import (
    ANCHOR,
    CANCEL_CHANGE,
    CHECKPOINT,
    CITIES,
    COSIGNER,
    DELAY_S,
    DISTRUST_KEY,
    GATE,
    GOVERN,
    MESSAGE,
    PERIOD_S,
    REPLACE_KEY,
    SUSPEND_CITY,
    Consortium,
    key_of,
    keys_of,
    signer,
    url_of,
)
from tests.contracts.evm import START_S, Evm, account, refused

CITY, OTHER, THIRD = CITIES[:3]


def announce(consortium, role, key, by=CITY, signing_role=GOVERN):
    receipt = consortium.membership.send(signer(by, signing_role), "announceKey", role, key)
    return int.from_bytes(receipt.returned, "big")


def current(consortium, role, city=CITY):
    return consortium.membership.call("currentKey", city, role)[0]


def authorise_anchor(consortium, version=0):
    """Whether CityLog lets this version of the anchor account in (a head of one leaf)."""
    fork = consortium.fork()
    size = fork.log.call("head", CITY)[1]
    fork.log.send(signer(CITY, ANCHOR, version), "anchor", size, size + 1, b"\1" * 32, [])


def deploy(founders, delay_s=DELAY_S, period_s=PERIOD_S):
    evm = Evm()
    return evm.deploy("Membership", founders, delay_s, period_s)


def founder(city=CITY, url="http://127.0.0.1:1", keys=None):
    return (city, url, keys or keys_of(city))


def test_constructor_admits_founders_with_events():
    consortium = Consortium(contracts=False)
    assert consortium.membership.call("members") == CITIES
    for city in CITIES:
        assert consortium.membership.call("isMember", city)
        assert consortium.membership.call("inGoodStanding", city)
        assert consortium.membership.call("urlOf", city) == url_of(city)
        for role in range(7):
            held = consortium.membership.call("currentKey", city, role)
            assert held == (key_of(city, role), START_S, 0)
    assert not consortium.membership.call("isMember", 999_999)
    assert consortium.membership.call("keyChangeDelay_s") == DELAY_S
    assert consortium.membership.call("proposalPeriod_s") == PERIOD_S
    assert consortium.membership.call("keyAt", CITY, GATE, START_S - 1) == (bytes(32), 0, 0)


def keys_with(role, key):
    keys = keys_of(CITY)
    keys[role] = key
    return keys


@pytest.mark.parametrize(
    ("founders", "error"),
    [
        ([], "MembershipNoFounders"),
        ([founder(99_999)], "MembershipBadCity"),
        ([founder(1_000_000)], "MembershipBadCity"),
        ([founder(), founder(keys=keys_of(OTHER))], "MembershipAlreadyMember"),
        ([founder(url="")], "MembershipBadUrl"),
        ([founder(url="h" * 201)], "MembershipBadUrl"),
        ([founder(keys=keys_with(ANCHOR, bytes(32)))], "MembershipBadKey"),
        ([founder(keys=keys_with(CHECKPOINT, bytes(32)))], "MembershipBadKey"),
        ([founder(keys=keys_with(GATE, b"\1" * 32))], "MembershipBadKey"),
        ([founder(keys=keys_with(GOVERN, bytes(11) + b"\1" * 21))], "MembershipBadKey"),
        ([founder(keys=keys_with(GATE, key_of(CITY, ANCHOR)))], "MembershipKeyUsed"),
        ([founder(keys=keys_with(COSIGNER, key_of(CITY, CHECKPOINT)))], "MembershipKeyUsed"),
        ([founder(OTHER), founder(keys=keys_with(GATE, key_of(OTHER, GATE)))], "MembershipKeyUsed"),
    ],
)
def test_constructor_bad_founder_is_refused(founders, error):
    with refused(error):
        deploy(founders)


def test_constructor_at_the_edge_of_the_allowed_passes():
    deploy([founder(100_000, url="h" * 200), founder(999_999, keys=keys_of(OTHER))])


@pytest.mark.parametrize("periods", [(0, PERIOD_S), (DELAY_S, 0)])
def test_constructor_zero_period_is_refused(periods):
    with refused("MembershipZeroPeriod"):
        deploy([founder()], *periods)
    deploy([founder()], 1, 1)


def test_announce_key_takes_effect_after_the_delay(consortium):
    new = key_of(CITY, ANCHOR, 1)
    change = announce(consortium, ANCHOR, new)
    consortium.evm.advance(seconds=DELAY_S - 1)
    assert current(consortium, ANCHOR) == key_of(CITY, ANCHOR)
    authorise_anchor(consortium)
    with refused("MembershipNotAuthorised"):
        authorise_anchor(consortium, version=1)
    consortium.evm.advance(seconds=1)
    assert current(consortium, ANCHOR) == new
    authorise_anchor(consortium, version=1)
    with refused("MembershipNotAuthorised"):
        authorise_anchor(consortium)
    now = consortium.evm.timestamp_s
    key_at = consortium.membership.call
    assert key_at("keyAt", CITY, ANCHOR, now - 1)[0] == key_of(CITY, ANCHOR)
    assert key_at("keyAt", CITY, ANCHOR, now) == (new, now, 0)
    with refused("MembershipChangeClosed", change):
        consortium.membership.send(signer(CITY, GOVERN), "cancelChange", change)


@pytest.mark.parametrize("role", [ANCHOR, GATE])
def test_announce_key_by_another_account_is_refused(consortium, role):
    with refused("MembershipNotAuthorised"):
        announce(consortium, MESSAGE, key_of(CITY, MESSAGE, 1), signing_role=role)
    with refused("MembershipNotAuthorised"):
        consortium.membership.send(signer(CITY, role), "announceUrl", "http://x")
    announce(consortium, MESSAGE, key_of(CITY, MESSAGE, 1))


def test_announce_key_second_while_one_is_pending_is_refused(consortium):
    change = announce(consortium, MESSAGE, key_of(CITY, MESSAGE, 1))
    with refused("MembershipChangePending", change):
        announce(consortium, MESSAGE, key_of(CITY, MESSAGE, 2))
    announce(consortium, COSIGNER, key_of(CITY, COSIGNER, 1))
    announce(consortium, MESSAGE, key_of(OTHER, MESSAGE, 1), by=OTHER)
    consortium.evm.advance(seconds=DELAY_S)
    announce(consortium, MESSAGE, key_of(CITY, MESSAGE, 2))


def test_announce_key_used_anywhere_before_is_refused(consortium):
    for key in (key_of(CITY, GATE), key_of(CITY, ANCHOR), key_of(OTHER, GATE)):
        with refused("MembershipKeyUsed", key):
            announce(consortium, GATE, key)
    new = key_of(CITY, GATE, 1)
    change = announce(consortium, GATE, new)
    consortium.membership.send(signer(CITY, GATE), "cancelChange", change)
    with refused("MembershipKeyUsed", new):
        announce(consortium, GATE, new)
    with refused("MembershipKeyUsed", new):
        announce(consortium, GATE, new, by=OTHER)
    announce(consortium, GATE, key_of(CITY, GATE, 2))


def test_announce_key_malformed_is_refused(consortium):
    for role, key in ((GATE, bytes(32)), (GATE, b"\1" * 32), (MESSAGE, bytes(32))):
        with refused("MembershipBadKey", role, key):
            announce(consortium, role, key)
    announce(consortium, MESSAGE, b"\1" * 32)


@pytest.mark.parametrize("role", [ANCHOR, GATE, GOVERN])
def test_cancel_change_by_any_account_of_the_city_restores_the_old_key(consortium, role):
    change = announce(consortium, GATE, key_of(CITY, GATE, 1))
    receipt = consortium.membership.send(signer(CITY, role), "cancelChange", change)
    assert receipt.events == [("ChangeCancelled", {"changeId": change, "city": CITY})]
    consortium.evm.advance(seconds=10 * DELAY_S)
    assert current(consortium, GATE) == key_of(CITY, GATE)
    assert consortium.membership.call("cityOfAccount", address(CITY, GATE), GATE) == CITY
    with refused("MembershipNotAuthorised"):
        consortium.membership.call("cityOfAccount", address(CITY, GATE, 1), GATE)
    with refused("MembershipChangeClosed", change):
        consortium.membership.send(signer(CITY, role), "cancelChange", change)


def address(city, role, version=0):
    return signer(city, role, version).public_key.to_canonical_address()


def test_cancel_change_by_others_is_refused(consortium):
    change = announce(consortium, GATE, key_of(CITY, GATE, 1))
    with refused("MembershipForeignChange", change, OTHER):
        consortium.membership.send(signer(OTHER, GOVERN), "cancelChange", change)
    with refused("MembershipNotAuthorised"):
        consortium.membership.send(account(77), "cancelChange", change)
    with refused("MembershipNotAuthorised"):  # announced, not in force yet
        consortium.membership.send(signer(CITY, GATE, 1), "cancelChange", change)
    with refused("MembershipUnknownChange", change + 1):
        consortium.membership.send(signer(CITY, GOVERN), "cancelChange", change + 1)
    consortium.membership.send(signer(CITY, GOVERN), "cancelChange", change)


def test_cancel_change_account_in_a_signing_role_is_refused(consortium):
    intruder = account(78)
    raw = intruder.public_key.to_canonical_address().rjust(32, b"\0")
    announce(consortium, MESSAGE, raw)
    consortium.evm.advance(seconds=DELAY_S)
    change = announce(consortium, GATE, key_of(CITY, GATE, 1))
    with refused("MembershipNotAuthorised"):
        consortium.membership.send(intruder, "cancelChange", change)
    consortium.membership.send(signer(CITY, ANCHOR), "cancelChange", change)


def test_cancel_change_of_a_suspended_member_works(consortium):
    consortium.decide(SUSPEND_CITY, CITY)
    change = announce(consortium, GATE, key_of(CITY, GATE, 1))
    consortium.membership.send(signer(CITY, ANCHOR), "cancelChange", change)


def test_cancel_change_by_vote_of_the_others(consortium):
    change = announce(consortium, GOVERN, key_of(CITY, GOVERN, 1))
    proposal = consortium.propose(CANCEL_CHANGE, change, by=OTHER)
    consortium.vote(proposal, *CITIES[1:])
    receipt = consortium.execute(proposal, by=OTHER)
    assert ("ChangeCancelled", {"changeId": change, "city": CITY}) in receipt.events
    consortium.evm.advance(seconds=DELAY_S)
    assert current(consortium, GOVERN) == key_of(CITY, GOVERN)


def test_announce_url_takes_effect_after_the_delay_and_can_be_cancelled(consortium):
    def send(function, *args):
        return consortium.membership.send(signer(CITY, GOVERN), function, *args)

    def url():
        return consortium.membership.call("urlOf", CITY)

    send("announceUrl", "http://new")
    with refused("MembershipChangePending", 1):
        send("announceUrl", "http://newer")
    consortium.evm.advance(seconds=DELAY_S - 1)
    assert url() == url_of(CITY)
    consortium.evm.advance(seconds=1)
    assert url() == "http://new"
    send("announceUrl", "http://newer")
    assert url() == "http://new"
    send("cancelChange", 2)
    consortium.evm.advance(seconds=2 * DELAY_S)
    assert url() == "http://new"
    send("announceUrl", "http://newest")
    consortium.evm.advance(seconds=DELAY_S)
    assert url() == "http://newest"
    for bad in ("", "h" * 201):
        with refused("MembershipBadUrl", len(bad)):
            send("announceUrl", bad)


def test_replace_key_by_vote_is_immediate_and_drops_what_was_pending(consortium):
    stolen = announce(consortium, GOVERN, key_of(CITY, GOVERN, 1))
    consortium.evm.advance()
    receipt = consortium.decide(REPLACE_KEY, CITY, GOVERN, key_of(CITY, GOVERN, 2))
    assert ("ChangeCancelled", {"changeId": stolen, "city": CITY}) in receipt.events
    assert current(consortium, GOVERN) == key_of(CITY, GOVERN, 2)
    consortium.evm.advance(seconds=DELAY_S)
    assert current(consortium, GOVERN) == key_of(CITY, GOVERN, 2)
    for version in (0, 1):
        with refused("MembershipNotAuthorised"):
            consortium.membership.send(
                signer(CITY, GOVERN, version), "announceKey", GATE, key_of(CITY, GATE, 1)
            )
    consortium.membership.send(signer(CITY, GOVERN, 2), "announceKey", GATE, key_of(CITY, GATE, 1))


def test_replace_key_of_a_stranger_or_with_a_used_key_is_refused(consortium):
    with refused("MembershipNotMember", 999_999):
        consortium.propose(REPLACE_KEY, 999_999, GATE, key_of(CITY, GATE, 1))
    with refused("MembershipKeyUsed"):
        consortium.propose(REPLACE_KEY, CITY, GATE, key_of(OTHER, GATE))
    with refused("MembershipBadKey"):
        consortium.propose(REPLACE_KEY, CITY, GATE, b"\1" * 32)
    consortium.propose(REPLACE_KEY, CITY, GATE, key_of(CITY, GATE, 1))


def test_distrust_key_by_vote_shuts_the_account_out(consortium):
    consortium.evm.advance(blocks=9)
    since = consortium.evm.block_number - 5
    authorise_anchor(consortium)
    key = key_of(CITY, ANCHOR)
    receipt = consortium.decide(DISTRUST_KEY, CITY, ANCHOR, key, since)
    wanted = {"city": CITY, "role": ANCHOR, "key": key, "sinceBlock": since}
    assert ("KeyDistrusted", wanted) in receipt.events
    assert consortium.membership.call("currentKey", CITY, ANCHOR) == (key, START_S, since)
    with refused("MembershipKeyDistrusted", key, since):
        authorise_anchor(consortium)
    with refused("MembershipKeyDistrusted"):
        consortium.membership.call("cityOfAccount", address(CITY, ANCHOR), ANCHOR)
    consortium.decide(REPLACE_KEY, CITY, ANCHOR, key_of(CITY, ANCHOR, 1))
    authorise_anchor(consortium, version=1)


def test_distrust_key_wrong_key_or_block_is_refused(consortium):
    consortium.evm.advance(blocks=9)
    now = consortium.evm.block_number
    key = key_of(CITY, MESSAGE)
    for values in ((CITY, COSIGNER, key), (OTHER, MESSAGE, key), (CITY, MESSAGE, b"\7" * 32)):
        with refused("MembershipUnknownKey"):
            consortium.propose(DISTRUST_KEY, *values, now)
    for block in (0, now + 1):
        with refused("MembershipBadSinceBlock", block):
            consortium.propose(DISTRUST_KEY, CITY, MESSAGE, key, block)
    consortium.decide(DISTRUST_KEY, CITY, MESSAGE, key, now - 3)
    for block in (now - 3, now):
        with refused("MembershipAlreadyDistrusted", key, now - 3):
            consortium.propose(DISTRUST_KEY, CITY, MESSAGE, key, block)
    consortium.decide(DISTRUST_KEY, CITY, MESSAGE, key, now - 4)


def test_authorise_answers_only_to_the_current_contract(consortium):
    call = consortium.membership.call
    with refused("MembershipNotCurrent"):
        call("authorise", address(THIRD, GATE), GATE, 2)
    assert call("cityOfAccount", address(THIRD, GATE), GATE) == THIRD
    with refused("MembershipNotAuthorised"):
        call("cityOfAccount", address(THIRD, GATE), ANCHOR)
