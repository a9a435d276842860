"""CityLog: a city's log only grows, and only a vote closes a generation."""

import hashlib
import itertools

import pytest

from tests.contracts.consortium import (
    ANCHOR,
    CITIES,
    CITY_LOG,
    CLOSE_GENERATION,
    GATE,
    GOVERN,
    SUSPEND_CITY,
    Consortium,
    signer,
)
from tests.contracts.evm import account, refused
from tests.reference import tree

CITY, OTHER = CITIES[:2]
ENTRIES = [bytes([1, 1]) + i.to_bytes(32, "big") for i in range(40)]
EMPTY_ROOT = hashlib.sha256().digest()


def anchor(consortium, old, new, entries=ENTRIES, city=CITY, log=None):
    log = log or consortium.log
    proof = tree.proof(old, entries[:new])
    return log.send(signer(city, ANCHOR), "anchor", old, new, tree.mth(entries[:new]), proof)


def test_anchor_growing_log_emits_every_head(consortium):
    sizes = [0, 1, 2, 3, 4, 7, 8, 9, 16, 31, 32, 33, 40]
    for old, new in itertools.pairwise(sizes):
        consortium.evm.advance()
        root = tree.mth(ENTRIES[:new])
        wanted = {"city": CITY, "generation": 1, "size": new, "root": root}
        assert anchor(consortium, old, new).events == [("CheckpointAnchored", wanted)]
        held = (1, new, root, consortium.evm.block_number)
        assert consortium.log.call("head", CITY) == held
    assert consortium.log.call("head", OTHER) == (1, 0, bytes(32), 0)


def test_anchor_old_size_not_held_is_refused(consortium):
    anchor(consortium, 0, 5)
    for old in (0, 3, 4, 6):
        with refused("CityLogWrongOldSize", 5, old):
            anchor(consortium, old, 9)
    anchor(consortium, 5, 9)


def test_anchor_not_growing_is_refused(consortium):
    with refused("CityLogNotGrowing", 0, 0):
        anchor(consortium, 0, 0)
    anchor(consortium, 0, 5)
    for new in (5, 4, 0):
        with refused("CityLogNotGrowing", 5, new):
            consortium.log.send(signer(CITY, ANCHOR), "anchor", 5, new, tree.mth(ENTRIES[:new]), [])
    anchor(consortium, 5, 6)


def test_anchor_first_with_proof_is_refused(consortium):
    send = consortium.log.send
    with refused("CityLogProofNotEmpty", 1):
        send(signer(CITY, ANCHOR), "anchor", 0, 2, tree.mth(ENTRIES[:2]), [bytes(32)])
    send(signer(CITY, ANCHOR), "anchor", 0, 2, tree.mth(ENTRIES[:2]), [])


def test_anchor_rewritten_history_is_refused(consortium):
    anchor(consortium, 0, 6)
    forged = [*ENTRIES[:2], b"forged", *ENTRIES[3:]]
    with refused("Rfc6962RootMismatch"):
        anchor(consortium, 6, 9, forged)
    anchor(consortium, 6, 9)


@pytest.mark.parametrize("old", [1, 2, 4, 8, 16, 3, 7])
def test_anchor_wrong_proof_length_is_refused(consortium, old):
    anchor(consortium, 0, old)
    root, proof = tree.mth(ENTRIES[:21]), tree.proof(old, ENTRIES[:21])
    send = consortium.log.send
    for wrong in (proof[:-1], [*proof, proof[-1]], []):
        with refused("Rfc6962MalformedProof"):
            send(signer(CITY, ANCHOR), "anchor", old, 21, root, wrong)
    # the seed of a power of two stands for the old root; given again it is one hash too many
    if old & (old - 1) == 0:
        with refused("Rfc6962MalformedProof"):
            seed = tree.mth(ENTRIES[:old])
            send(signer(CITY, ANCHOR), "anchor", old, 21, root, [seed, *proof])
    send(signer(CITY, ANCHOR), "anchor", old, 21, root, proof)


def test_anchor_largest_size_is_checked_like_any_other(consortium):
    largest = 2**64 - 1
    anchor(consortium, 0, 1)
    send = consortium.log.send
    proof = [bytes([i]) * 32 for i in range(64)]
    root = tree.mth(ENTRIES[:1])
    for sibling in proof:
        root = tree.node_hash(root, sibling)
    with refused("Rfc6962MalformedProof"):
        send(signer(CITY, ANCHOR), "anchor", 1, largest, root, proof[:-1])
    with refused("Rfc6962MalformedProof"):
        send(signer(CITY, ANCHOR), "anchor", 1, largest, root, [*proof, proof[0]])
    with refused("Rfc6962RootMismatch"):
        send(signer(CITY, ANCHOR), "anchor", 1, largest, bytes(32), proof)
    send(signer(CITY, ANCHOR), "anchor", 1, largest, root, proof)
    assert consortium.log.call("head", CITY)[1] == largest
    with refused("CityLogNotGrowing"):
        send(signer(CITY, ANCHOR), "anchor", largest, largest, root, [])


@pytest.mark.parametrize("role", [GATE, GOVERN])
def test_anchor_other_account_of_the_city_is_refused(consortium, role):
    with refused("MembershipNotAuthorised"):
        consortium.log.send(signer(CITY, role), "anchor", 0, 1, tree.mth(ENTRIES[:1]), [])
    anchor(consortium, 0, 1)


def test_anchor_other_city_writes_its_own_log_only(consortium):
    anchor(consortium, 0, 5)
    anchor(consortium, 0, 3, city=OTHER)
    assert consortium.log.call("head", CITY)[1] == 5
    assert consortium.log.call("head", OTHER)[1] == 3


def test_anchor_suspended_member_is_refused_and_reads_on(consortium):
    anchor(consortium, 0, 5)
    consortium.decide(SUSPEND_CITY, CITY)
    with refused("MembershipNotInGoodStanding", CITY):
        anchor(consortium, 5, 6)
    assert consortium.log.call("head", CITY)[1] == 5
    anchor(consortium, 0, 6, city=OTHER)


def test_anchor_contract_not_registered_is_refused():
    consortium = Consortium(contracts=False)
    log = consortium.evm.deploy("CityLog", consortium.membership.address, "0x" + "00" * 20)
    with refused("MembershipNotCurrent"):
        anchor(consortium, 0, 1, log=log)
    consortium.register(CITY_LOG, log)
    anchor(consortium, 0, 1, log=log)


def test_anchor_new_version_continues_the_old_head(consortium):
    anchor(consortium, 0, 5)
    old = consortium.log
    new = consortium.evm.deploy("CityLog", consortium.membership.address, old.address)
    with refused("MembershipNotCurrent"):
        anchor(consortium, 5, 6, log=new)
    anchor(consortium, 5, 7)
    consortium.register(CITY_LOG, new)
    assert new.call("head", CITY) == old.call("head", CITY)
    with refused("CityLogWrongOldSize", 7, 0):
        anchor(consortium, 0, 9, log=new)
    with refused("MembershipNotCurrent"):
        anchor(consortium, 7, 9, log=old)
    anchor(consortium, 7, 9, log=new)
    anchor(consortium, 0, 2, city=OTHER, log=new)
    assert (new.call("head", CITY)[1], old.call("head", CITY)[1]) == (9, 7)


def test_close_generation_by_vote_opens_an_empty_one(consortium):
    anchor(consortium, 0, 5)
    root = tree.mth(ENTRIES[:3])
    receipt = consortium.decide(CLOSE_GENERATION, CITY, 1, 3, root)
    wanted = {"city": CITY, "generation": 1, "size": 3, "root": root}
    assert ("GenerationClosed", wanted) in receipt.events
    assert consortium.log.call("head", CITY)[:3] == (2, 0, bytes(32))
    assert consortium.log.call("closedHead", CITY, 1) == (3, root)
    assert consortium.log.call("closedHead", CITY, 2) == (0, bytes(32))
    with refused("CityLogWrongOldSize", 0, 5):
        anchor(consortium, 5, 6)
    assert anchor(consortium, 0, 2).events[0][1]["generation"] == 2


def test_close_generation_new_version_keeps_closed_heads_and_generation(consortium):
    anchor(consortium, 0, 5)
    consortium.decide(CLOSE_GENERATION, CITY, 1, 5, tree.mth(ENTRIES[:5]))
    new = consortium.evm.deploy("CityLog", consortium.membership.address, consortium.log.address)
    consortium.register(CITY_LOG, new)
    assert new.call("head", CITY)[:2] == (2, 0)
    assert new.call("closedHead", CITY, 1) == (5, tree.mth(ENTRIES[:5]))
    consortium.decide(CLOSE_GENERATION, CITY, 2, 0, EMPTY_ROOT)
    assert new.call("head", CITY)[:2] == (3, 0)


def test_close_generation_outside_a_vote_is_refused(consortium):
    anchor(consortium, 0, 5)
    for role in (ANCHOR, GATE, GOVERN):
        with refused("CityLogNotMembership"):
            consortium.log.send(
                signer(CITY, role), "closeGeneration", CITY, 1, 5, tree.mth(ENTRIES[:5])
            )
    consortium.decide(CLOSE_GENERATION, CITY, 1, 5, tree.mth(ENTRIES[:5]))


def test_close_generation_root_contradicting_the_held_head_is_refused(consortium):
    anchor(consortium, 0, 5)
    for size, root in ((5, tree.mth(ENTRIES[:4])), (0, bytes(32)), (3, bytes(32))):
        with refused("CityLogWrongClosingRoot", size, root):
            consortium.decide(CLOSE_GENERATION, CITY, 1, size, root)
    consortium.decide(CLOSE_GENERATION, CITY, 1, 0, EMPTY_ROOT)


def test_close_generation_stale_second_vote_is_refused(consortium):
    anchor(consortium, 0, 5)
    stale = consortium.propose(CLOSE_GENERATION, CITY, 1, 4, tree.mth(ENTRIES[:4]))
    consortium.decide(CLOSE_GENERATION, CITY, 1, 5, tree.mth(ENTRIES[:5]))
    anchor(consortium, 0, 9)
    consortium.vote(stale, *CITIES)
    with refused("MembershipBadClosing", CITY, 1, 4):
        consortium.execute(stale)
    assert consortium.log.call("head", CITY)[:2] == (2, 9)


def test_close_generation_beyond_the_held_head_is_refused(consortium):
    anchor(consortium, 0, 5)
    with refused("MembershipBadClosing", CITY, 1, 6):
        consortium.propose(CLOSE_GENERATION, CITY, 1, 6, tree.mth(ENTRIES[:6]))
    with refused("MembershipBadClosing", CITY, 2, 0):
        consortium.propose(CLOSE_GENERATION, CITY, 2, 0, EMPTY_ROOT)
    consortium.propose(CLOSE_GENERATION, CITY, 1, 5, tree.mth(ENTRIES[:5]))


def test_close_generation_checks_for_itself_what_membership_checked(consortium):
    voter = account(4321)  # stands for a Membership that checked nothing
    log = consortium.evm.deploy(
        "CityLog", voter.public_key.to_canonical_address(), consortium.log.address
    )
    anchor(consortium, 0, 5)
    with refused("CityLogWrongGeneration", 1, 2):
        log.send(voter, "closeGeneration", CITY, 2, 5, tree.mth(ENTRIES[:5]))
    with refused("CityLogClosesBeyondHead", 5, 6):
        log.send(voter, "closeGeneration", CITY, 1, 6, tree.mth(ENTRIES[:6]))
    log.send(voter, "closeGeneration", CITY, 1, 5, tree.mth(ENTRIES[:5]))
