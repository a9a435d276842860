"""Catalogue: editions of lists, published by the votes of the cities concerned and nobody else."""

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.contracts.consortium import (
    CATALOGUE,
    CITIES,
    GATE,
    GOVERN,
    PERIOD_S,
    REINSTATE_CITY,
    SUSPEND_CITY,
    signer,
)
from tests.contracts.evm import refused

CONSORTIUM, BILATERAL, DIRECTED = range(3)
ONE, TWO, THIRD = sorted(CITIES)[:3]
DIGEST, OTHER, PAPER = b"\xd1" * 32, b"\xd2" * 32, b"\x70" * 32
DAY_S = 86_400


def pack(*cities):
    return b"".join(city.to_bytes(4, "big") for city in cities)


def list_of(kind, code, parties):
    return keccak(encode(["uint8", "string", "bytes"], [kind, code, parties]))


PAIR = (BILATERAL, "pair-1", pack(ONE, TWO))
ALL = (CONSORTIUM, "all-1", b"")


@pytest.fixture(scope="module")
def built(built_consortium):
    made = built_consortium.fork()
    made.catalogue = made.evm.deploy("Catalogue", made.membership.address)
    made.register(CATALOGUE, made.catalogue)
    return made


@pytest.fixture
def world(built):
    made = built.fork()
    made.catalogue = built.catalogue.on(made.evm)
    return made


def edition(world, named=PAIR, number=1, digest=DIGEST, ahead_s=DAY_S):
    return (*named, number, digest, world.evm.timestamp_s + ahead_s)


def propose(world, named=PAIR, by=ONE, role=GOVERN, paper=PAPER, **changes):
    wanted = edition(world, named, **changes)
    return world.catalogue.send(signer(by, role), "propose", wanted, paper)


def vote(world, *cities, number=1, support=True):
    for city in cities:
        world.catalogue.send(signer(city, GOVERN), "vote", number, support)


def publish(world, number=1, by=ONE):
    return world.catalogue.send(signer(by, GOVERN), "publish", number)


def test_publish_pair_says_everything_in_events_and_views(world):
    receipt = propose(world)
    effective = world.evm.timestamp_s + DAY_S
    list_id = list_of(*PAIR)
    opened, proposed = receipt.events
    assert opened == (
        "ListOpened",
        {"listId": list_id, "kind": BILATERAL, "code": "pair-1", "parties": PAIR[2]},
    )
    name, values = proposed
    assert name == "EditionProposed"
    assert (values["id"], values["listId"], values["city"]) == (1, list_id, ONE)
    assert (values["edition"], values["digest"], values["paper"]) == (1, DIGEST, PAPER)
    assert values["expiresAt"] - values["effectiveFrom"] == PERIOD_S - DAY_S
    vote(world, ONE, TWO)
    assert world.catalogue.call("voteOf", 1)[3:] == (2, 2)
    (event,) = publish(world).events
    at = values["effectiveFrom"]
    assert event == (
        "EditionPublished",
        {"id": 1, "listId": list_id, "edition": 1, "digest": DIGEST, "effectiveFrom": at},
    )
    assert world.catalogue.call("editionAt", list_id, at) == (1, DIGEST, at)
    assert world.catalogue.call("editionAt", list_id, at - 1) == (0, bytes(32), 0)
    assert world.catalogue.call("editionCount", list_id) == 1
    assert world.catalogue.call("listOf", *PAIR) == list_id
    assert effective <= at + 60


def test_publish_next_edition_leaves_the_one_before_to_its_days(world):
    for number, digest, ahead in ((1, DIGEST, DAY_S), (2, OTHER, 2 * DAY_S)):
        propose(world, number=number, digest=digest, ahead_s=ahead)
        vote(world, ONE, TWO, number=number)
        publish(world, number)
    list_id = list_of(*PAIR)
    first = world.catalogue.call("editionAt", list_id, world.evm.timestamp_s + DAY_S)
    second = world.catalogue.call("editionAt", list_id, world.evm.timestamp_s + 2 * DAY_S)
    assert (first[:2], second[:2]) == ((1, DIGEST), (2, OTHER))


def test_publish_pair_with_one_vote_is_refused(world):
    propose(world)
    vote(world, ONE)
    with refused("CatalogueVotesMissing"):
        publish(world)
    vote(world, TWO, support=False)
    with refused("CatalogueVotesMissing"):
        publish(world)
    vote(world, TWO)
    publish(world)


def test_publish_pair_with_a_suspended_party_is_refused(world):
    propose(world)
    vote(world, ONE, TWO)
    world.decide(SUSPEND_CITY, TWO)
    with refused("CatalogueVotesMissing"):
        publish(world)
    world.decide(REINSTATE_CITY, TWO)
    publish(world)


def test_publish_consortium_takes_two_thirds_in_good_standing(world):
    propose(world, ALL)
    vote(world, *CITIES[:3])
    assert world.catalogue.call("voteOf", 1)[3:] == (3, 4)
    with refused("CatalogueVotesMissing"):
        publish(world)
    world.decide(SUSPEND_CITY, CITIES[4])
    assert world.catalogue.call("voteOf", 1)[3:] == (3, 3)
    publish(world)


def test_publish_consortium_of_three_counts_only_those(world):
    named = (CONSORTIUM, "three-1", pack(ONE, TWO, THIRD))
    propose(world, named)
    vote(world, ONE)
    assert world.catalogue.call("voteOf", 1)[3:] == (1, 2)
    vote(world, TWO)
    publish(world)


@pytest.mark.parametrize("action", ["propose", "vote", "publish"])
def test_call_by_a_city_not_concerned_is_refused(world, action):
    outsider = next(city for city in CITIES if city not in (ONE, TWO))
    if action != "propose":
        propose(world)
    with refused("CatalogueNotConcerned"):
        if action == "propose":
            propose(world, by=outsider)
        elif action == "vote":
            vote(world, outsider)
        else:
            publish(world, by=outsider)


def test_propose_by_another_key_or_a_suspended_city_is_refused(world):
    with refused("MembershipNotAuthorised"):
        propose(world, role=GATE)
    world.decide(SUSPEND_CITY, ONE)
    with refused("MembershipNotInGoodStanding"):
        propose(world)


def test_propose_at_a_contract_that_is_not_current_is_refused(world):
    world.catalogue = world.evm.deploy("Catalogue", world.membership.address)
    with refused("MembershipNotCurrent"):
        propose(world)


BAD_PARTIES = {
    "one": pack(ONE),
    "none": b"",
    "twice": pack(ONE, ONE),
    "descending": pack(TWO, ONE),
    "stranger": pack(ONE, 999_999),
    "odd-bytes": pack(ONE, TWO) + b"\0",
    "too-many": pack(*range(1, 66)),
}


@pytest.mark.parametrize("name", BAD_PARTIES)
def test_propose_bad_parties_is_refused(world, name):
    with refused("CatalogueBadParties"):
        propose(world, (BILATERAL, "pair-1", BAD_PARTIES[name]))


@pytest.mark.parametrize("code", ["", "a" * 65, "清单", "a b", "a\x00", "a:b", "a@b", "a,b"])
def test_propose_bad_code_is_refused(world, code):
    with refused("CatalogueBadCode"):
        propose(world, (BILATERAL, code, PAIR[2]))


def test_propose_code_of_every_allowed_character_is_taken(world):
    propose(world, (BILATERAL, "aA-zZ.0/9_", PAIR[2]))


@pytest.mark.parametrize("number", [0, 2])
def test_propose_edition_out_of_order_is_refused(world, number):
    with refused("CatalogueBadEdition"):
        propose(world, number=number)


def test_publish_second_vote_on_the_same_edition_is_refused(world):
    propose(world)
    propose(world, digest=OTHER)
    for number in (1, 2):
        vote(world, ONE, TWO, number=number)
    publish(world, 2)
    with refused("CatalogueBadEdition"):
        publish(world, 1)


def test_propose_zero_digest_is_refused(world):
    with refused("CatalogueZeroDigest"):
        propose(world, digest=bytes(32))


def test_propose_in_the_past_or_too_far_ahead_is_refused(world):
    with refused("CatalogueTooEarly"):
        propose(world, ahead_s=-10)
    with refused("CatalogueTooLate"):
        propose(world, ahead_s=3_661 * DAY_S)


def test_publish_after_its_day_is_refused(world):
    propose(world, ahead_s=3_600)
    vote(world, ONE, TWO)
    world.evm.advance(3_600)
    with refused("CatalogueTooEarly"):
        publish(world)


def test_publish_not_after_the_edition_before_is_refused(world):
    propose(world, ahead_s=2 * DAY_S)
    vote(world, ONE, TWO)
    publish(world)
    with refused("CatalogueTooEarly"):
        propose(world, number=2, ahead_s=DAY_S)


def test_vote_same_twice_unknown_or_over_is_refused(world):
    propose(world)
    vote(world, ONE)
    with refused("CatalogueAlreadyVoted"):
        vote(world, ONE)
    with refused("CatalogueUnknownVote"):
        vote(world, ONE, number=2)
    vote(world, TWO)
    publish(world)
    with refused("CatalogueAlreadyPublished"):
        vote(world, ONE, support=False)
    with refused("CatalogueAlreadyPublished"):
        publish(world)
    propose(world, number=2, ahead_s=30 * DAY_S)
    world.evm.advance(PERIOD_S)
    with refused("CatalogueVoteExpired"):
        vote(world, ONE, number=2)


def test_lists_of_one_code_with_other_parties_are_two_lists(world):
    propose(world)
    other = (BILATERAL, "pair-1", pack(TWO, THIRD))
    assert propose(world, other, by=TWO).events[0][0] == "ListOpened"
    assert list_of(*PAIR) != list_of(*other)
