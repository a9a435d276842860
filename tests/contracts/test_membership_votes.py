"""Membership: who is a member and which contracts hold changes only by two thirds of the votes."""

import pytest
from eth_abi import encode

from tests.contracts.consortium import (
    ADMIT_CITY,
    ANCHOR,
    CANCEL_CHANGE,
    CITIES,
    CITY_LOG,
    CLOSE_GENERATION,
    DISTRUST_KEY,
    GATE,
    GOVERN,
    GRANTS,
    MATERIAL_STATUS,
    NO_PAPER,
    PERIOD_S,
    REGISTER_CONTRACT,
    REINSTATE_CITY,
    REPLACE_KEY,
    SUSPEND_CITY,
    ZERO_ADDRESS,
    Consortium,
    key_of,
    keys_of,
    payload,
    signer,
    url_of,
)
from tests.contracts.evm import account, refused

FIRST, SECOND, THIRD, FOURTH, FIFTH = CITIES
NEW = 330106


def admission(city=NEW):
    return ADMIT_CITY, city, url_of(city), keys_of(city)


def test_propose_vote_execute_emit_what_they_did(consortium):
    data = payload(SUSPEND_CITY, FIFTH)
    paper = b"\x9a" * 32
    membership = consortium.membership
    proposed = membership.send(signer(FIRST, GOVERN), "propose", SUSPEND_CITY, data, paper)
    number = int.from_bytes(proposed.returned, "big")
    expires = consortium.evm.timestamp_s + PERIOD_S
    wanted = {
        "id": number,
        "city": FIRST,
        "kind": SUSPEND_CITY,
        "payload": data,
        "paper": paper,
        "expiresAt": expires,
    }
    assert proposed.events == [("ProposalCreated", wanted)]
    voted = membership.send(signer(SECOND, GOVERN), "vote", number, True)
    assert voted.events == [("VoteCast", {"id": number, "city": SECOND, "support": True})]
    assert membership.call("proposalOf", number) == (SUSPEND_CITY, data, expires, False, 1, 5)
    consortium.vote(number, FIRST, THIRD, FOURTH)
    executed = consortium.execute(number)
    assert executed.events == [
        ("ProposalExecuted", {"id": number}),
        ("MemberSuspended", {"city": FIFTH}),
    ]
    assert membership.call("proposalOf", number) == (SUSPEND_CITY, data, expires, True, 4, 4)


@pytest.mark.parametrize(("members", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4)])
def test_execute_needs_two_thirds_of_the_members(members, needed):
    consortium = Consortium(CITIES[:members], contracts=False)
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, *CITIES[: needed - 1])
    with refused("MembershipQuorumMissing", proposal, needed - 1, members):
        consortium.execute(proposal)
    consortium.vote(proposal, CITIES[needed - 1])
    consortium.execute(proposal)
    assert consortium.membership.call("members") == (*CITIES[:members], NEW)


def test_execute_admission_lets_the_city_act_and_vote(consortium):
    receipt = consortium.decide(*admission())
    names = [name for name, _ in receipt.events]
    assert names == ["ProposalExecuted", "MemberAdmitted", *["KeyAnnounced"] * 7]
    consortium.log.send(signer(NEW, ANCHOR), "anchor", 0, 1, b"\1" * 32, [])
    proposal = consortium.propose(SUSPEND_CITY, FIFTH, by=NEW)
    consortium.vote(proposal, FIRST, SECOND, NEW)
    with refused("MembershipQuorumMissing", proposal, 3, 6):
        consortium.execute(proposal)
    consortium.vote(proposal, THIRD)
    consortium.execute(proposal)


def test_execute_votes_of_members_suspended_meanwhile_do_not_count(consortium):
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, FIRST, SECOND, FIFTH)
    consortium.decide(SUSPEND_CITY, FIFTH)
    with refused("MembershipQuorumMissing", proposal, 2, 4):
        consortium.execute(proposal)
    consortium.vote(proposal, THIRD)
    consortium.execute(proposal)


def test_execute_member_reinstated_counts_again(consortium):
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, FIRST, SECOND, FIFTH)
    consortium.decide(SUSPEND_CITY, FIFTH)
    consortium.decide(REINSTATE_CITY, FIFTH)
    assert consortium.membership.call("proposalOf", proposal)[4:] == (3, 5)
    consortium.vote(proposal, THIRD)
    consortium.execute(proposal)


def test_vote_can_be_changed_but_not_repeated(consortium):
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, *CITIES[:4])
    with refused("MembershipAlreadyVoted", proposal, FOURTH):
        consortium.vote(proposal, FOURTH)
    consortium.vote(proposal, FOURTH, support=False)
    with refused("MembershipQuorumMissing", proposal, 3, 5):
        consortium.execute(proposal)
    consortium.vote(proposal, FOURTH)
    consortium.execute(proposal)


def test_vote_no_does_not_support(consortium):
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, *CITIES, support=False)
    with refused("MembershipQuorumMissing", proposal, 0, 5):
        consortium.execute(proposal)


def test_proposal_expires_for_votes_and_execution(consortium):
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, *CITIES[:4])
    consortium.evm.advance(seconds=PERIOD_S - 1)
    consortium.fork().execute(proposal)
    consortium.evm.advance(seconds=1)
    with refused("MembershipProposalExpired", proposal):
        consortium.vote(proposal, FIFTH)
    with refused("MembershipProposalExpired", proposal):
        consortium.execute(proposal)


def test_execute_twice_or_unknown_is_refused(consortium):
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, *CITIES)
    consortium.execute(proposal)
    with refused("MembershipProposalExecuted", proposal):
        consortium.execute(proposal)
    with refused("MembershipProposalExecuted", proposal):
        consortium.vote(proposal, FIRST, support=False)
    for unknown in (0, proposal + 1):
        with refused("MembershipUnknownProposal", unknown):
            consortium.execute(unknown)
        with refused("MembershipUnknownProposal", unknown):
            consortium.vote(unknown, FIRST)


def send_as(consortium, key, function, proposal):
    data = payload(SUSPEND_CITY, FIFTH)
    args = {
        "propose": (SUSPEND_CITY, data, NO_PAPER),
        "vote": (proposal, True),
        "execute": (proposal,),
    }[function]
    return consortium.membership.send(key, function, *args)


@pytest.mark.parametrize("function", ["propose", "vote", "execute"])
def test_governing_by_another_account_or_a_suspended_member_is_refused(consortium, function):
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, *CITIES[1:])
    for key in (signer(FIRST, ANCHOR), signer(FIRST, GATE), account(77)):
        with refused("MembershipNotAuthorised"):
            send_as(consortium, key, function, proposal)
    suspended = consortium.fork()
    suspended.decide(SUSPEND_CITY, FIRST)
    with refused("MembershipNotInGoodStanding", FIRST):
        send_as(suspended, signer(FIRST, GOVERN), function, proposal)
    send_as(consortium, signer(FIRST, GOVERN), function, proposal)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (SUSPEND_CITY, b""),
        (SUSPEND_CITY, payload(SUSPEND_CITY, FIFTH)[:-1]),
        (SUSPEND_CITY, payload(SUSPEND_CITY, FIFTH) + b"\0"),
        (SUSPEND_CITY, payload(SUSPEND_CITY, FIFTH) + bytes(32)),
        (REINSTATE_CITY, b"\xff" * 32),
        (REGISTER_CONTRACT, encode(["uint8", "address", "uint64"], [4, ZERO_ADDRESS, 0])),
        (DISTRUST_KEY, encode(["uint32", "uint8", "bytes32", "uint64"], [FIRST, 7, b"\1", 1])),
        (REPLACE_KEY, encode(["uint32", "uint8"], [FIRST, GATE])),
        (CANCEL_CHANGE, b"\1" * 32),
        (CLOSE_GENERATION, b"\0" * 127),
        (ADMIT_CITY, payload(*admission())[:-32]),
        (ADMIT_CITY, b"\xff" * 320),
    ],
)
def test_propose_malformed_payload_is_refused(consortium, kind, data):
    with refused("MembershipBadPayload"):
        consortium.membership.send(signer(FIRST, GOVERN), "propose", kind, data, NO_PAPER)


def test_propose_padded_payload_is_refused_its_canonical_twin_passes(consortium):
    send = consortium.membership.send
    data = payload(*admission())
    with refused("MembershipBadPayload"):
        send(signer(FIRST, GOVERN), "propose", ADMIT_CITY, data + bytes(32), NO_PAPER)
    send(signer(FIRST, GOVERN), "propose", ADMIT_CITY, data, NO_PAPER)


@pytest.mark.parametrize(
    ("kind", "values", "error"),
    [
        (ADMIT_CITY, admission(FIRST)[1:], "MembershipAlreadyMember"),
        (ADMIT_CITY, (99_999, "u", keys_of(NEW)), "MembershipBadCity"),
        (ADMIT_CITY, (NEW, "", keys_of(NEW)), "MembershipBadUrl"),
        (ADMIT_CITY, (NEW, "u", [bytes(32)] * 7), "MembershipBadKey"),
        (ADMIT_CITY, (NEW, "u", keys_of(FIRST)), "MembershipKeyUsed"),
        (SUSPEND_CITY, (NEW,), "MembershipNotMember"),
        (REINSTATE_CITY, (NEW,), "MembershipNotMember"),
        (REINSTATE_CITY, (FIRST,), "MembershipNotSuspended"),
        (REGISTER_CONTRACT, (GRANTS, ZERO_ADDRESS, 0), "MembershipNotAContract"),
        (REGISTER_CONTRACT, (GRANTS, "0x" + "11" * 20, 0), "MembershipNotAContract"),
        (CANCEL_CHANGE, (1,), "MembershipUnknownChange"),
        (CLOSE_GENERATION, (NEW, 1, 0, NO_PAPER), "MembershipNotMember"),
    ],
)
def test_propose_impossible_is_refused(consortium, kind, values, error):
    with refused(error):
        consortium.propose(kind, *values)


def test_execute_what_became_impossible_is_refused(consortium):
    first, second = consortium.propose(*admission()), consortium.propose(*admission())
    for proposal in (first, second):
        consortium.vote(proposal, *CITIES)
    consortium.execute(first)
    with refused("MembershipAlreadyMember", NEW):
        consortium.execute(second)
    assert consortium.membership.call("members") == (*CITIES, NEW)


def test_suspend_city_last_in_good_standing_is_refused():
    consortium = Consortium(CITIES[:2], contracts=False)
    both = [consortium.propose(SUSPEND_CITY, city) for city in CITIES[:2]]
    for proposal in both:
        consortium.vote(proposal, *CITIES[:2])
    consortium.execute(both[1])
    with refused("MembershipLastMember", FIRST):
        consortium.execute(both[0])
    assert consortium.membership.call("inGoodStanding", FIRST)


def test_suspend_city_twice_is_refused(consortium):
    consortium.decide(SUSPEND_CITY, FIFTH)
    with refused("MembershipNotInGoodStanding", FIFTH):
        consortium.propose(SUSPEND_CITY, FIFTH)
    consortium.decide(REINSTATE_CITY, FIFTH)
    consortium.propose(SUSPEND_CITY, FIFTH)


def test_register_contract_first_of_its_role_is_current_at_once():
    consortium = Consortium(contracts=False)
    grants = consortium.evm.deploy("Grants", consortium.membership.address)
    assert consortium.membership.call("currentContract", GRANTS) == ZERO_ADDRESS
    assert not consortium.membership.call("isCurrent", GRANTS, ZERO_ADDRESS)
    receipt = consortium.decide(REGISTER_CONTRACT, GRANTS, grants.address, 0)
    registered = dict(receipt.events)["ContractRegistered"]
    assert registered["fromBlock"] == consortium.evm.block_number
    assert consortium.membership.call("isCurrent", GRANTS, grants.address)
    assert not consortium.membership.call("isCurrent", CITY_LOG, grants.address)


def test_register_contract_replacement_counts_from_its_block(consortium):
    def is_current(contract):
        return consortium.membership.call("isCurrent", GRANTS, contract.address)

    old, new = consortium.grants, consortium.evm.deploy("Grants", consortium.membership.address)
    from_block = consortium.evm.block_number + 10
    receipt = consortium.decide(REGISTER_CONTRACT, GRANTS, new.address, from_block)
    assert dict(receipt.events)["ContractRegistered"]["fromBlock"] == from_block
    consortium.evm.advance(blocks=9)
    assert (is_current(old), is_current(new)) == (True, False)
    consortium.evm.advance(blocks=1)
    assert (is_current(old), is_current(new)) == (False, True)


def test_register_contract_replacement_is_never_current_in_its_own_block(consortium):
    new = consortium.evm.deploy("Grants", consortium.membership.address)
    now = consortium.evm.block_number
    receipt = consortium.decide(REGISTER_CONTRACT, GRANTS, new.address, 1)
    assert dict(receipt.events)["ContractRegistered"]["fromBlock"] == now + 1
    assert consortium.membership.call("isCurrent", GRANTS, consortium.grants.address)
    consortium.evm.advance()
    assert consortium.membership.call("isCurrent", GRANTS, new.address)


def test_register_contract_later_vote_drops_a_registration_not_in_force(consortium):
    at = consortium.membership.address
    far, near = consortium.evm.deploy("Grants", at), consortium.evm.deploy("Grants", at)
    consortium.decide(REGISTER_CONTRACT, GRANTS, far.address, 2**64 - 1)
    consortium.decide(REGISTER_CONTRACT, GRANTS, near.address, 0)
    assert consortium.membership.call("isCurrent", GRANTS, consortium.grants.address)
    consortium.evm.advance()
    assert consortium.membership.call("isCurrent", GRANTS, near.address)


def test_register_contract_old_version_never_comes_back(consortium):
    new = consortium.evm.deploy("Grants", consortium.membership.address)
    consortium.register(GRANTS, new)
    for contract in (consortium.grants, new):
        with refused("MembershipContractUsed"):
            consortium.propose(REGISTER_CONTRACT, GRANTS, contract.address, 0)


def test_register_contract_of_another_membership_is_refused(consortium):
    other = consortium.evm.deploy(
        "Membership", [(NEW, url_of(NEW), keys_of(NEW))], PERIOD_S, PERIOD_S
    )
    foreign = consortium.evm.deploy("MaterialStatus", other.address)
    for contract in (foreign, other):
        with refused("MembershipForeignContract"):
            consortium.propose(REGISTER_CONTRACT, MATERIAL_STATUS, contract.address, 0)
    own = consortium.evm.deploy("MaterialStatus", consortium.membership.address)
    consortium.propose(REGISTER_CONTRACT, MATERIAL_STATUS, own.address, 0)


def test_register_contract_city_log_must_continue_the_current_one(consortium):
    at = consortium.membership.address
    for predecessor in (ZERO_ADDRESS, consortium.grants.address):
        wrong = consortium.evm.deploy("CityLog", at, predecessor)
        with refused("MembershipWrongPredecessor"):
            consortium.propose(REGISTER_CONTRACT, CITY_LOG, wrong.address, 0)
    right = consortium.evm.deploy("CityLog", at, consortium.log.address)
    consortium.propose(REGISTER_CONTRACT, CITY_LOG, right.address, 0)


def test_close_generation_without_a_city_log_is_refused():
    consortium = Consortium(contracts=False)
    with refused("MembershipNoContract", CITY_LOG):
        consortium.propose(CLOSE_GENERATION, FIRST, 1, 0, NO_PAPER)


def test_stolen_govern_account_loses_its_vote_to_the_replacement(consortium):
    proposal = consortium.propose(*admission())
    consortium.vote(proposal, FIRST, SECOND, THIRD, FIFTH)
    others = consortium.propose(REPLACE_KEY, FIFTH, GOVERN, key_of(FIFTH, GOVERN, 1))
    consortium.vote(others, *CITIES[:4])
    consortium.execute(others)
    consortium.membership.send(signer(FIFTH, GOVERN, 1), "vote", proposal, False)
    with refused("MembershipQuorumMissing", proposal, 3, 5):
        consortium.execute(proposal)
