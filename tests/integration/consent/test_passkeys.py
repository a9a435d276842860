"""A citizen at home: enrols a passkey, sees what is held, confirms, withdraws, and sees it all."""

from __future__ import annotations

from typing import Any

import pytest

from ledger_node.core.evidence_parts import PasskeyError
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantBasis
from ledger_node.flows.citizen import (
    NoPasskeyError,
    OwnGrantNotFoundError,
    begin_self_find,
    list_found_elsewhere,
    list_own_grants,
    list_timeline,
    run_self_find,
    withdraw_own_grant,
)
from ledger_node.flows.facts import NotYetAnchoredError
from ledger_node.flows.granting import load_grant
from ledger_node.flows.node import Node
from ledger_node.flows.passkey_devices import PasskeyRefusedError, read_assertion
from ledger_node.flows.passkeys import (
    begin_enrolment,
    confirm_ceremony_by_passkey,
    finish_enrolment,
    list_passkeys,
)
from tests.fakes.software_authenticator import USER_PRESENT, SoftwareAuthenticator
from tests.support.consortium import Consortium
from tests.support.registration import assert_passkey, register_passkey
from tests.support.stock import BYSTANDER, ISSUER, NAME, NUMBER, RELIER, TYPE

pytestmark = pytest.mark.integration

RP, ORIGIN = "mianyang.localhost", "http://mianyang.localhost:8801"
PERSON = Subject("cn-resident-id", NUMBER, NAME)
OTHER = Subject("cn-resident-id", "11010519491231002X", "林一")
ACCOUNT = "citizen/1"


@pytest.fixture(scope="module")
def key(consortium: Consortium) -> SoftwareAuthenticator:
    """A passkey of the person, enrolled and anchored."""
    made = SoftwareAuthenticator(0x51, RP)
    node = consortium[RELIER].node
    enrol(node, made)
    consortium.settle(lambda: all(usable for _, _, usable in list_passkeys(node, PERSON)))
    consortium.pass_time(2)
    consortium.turn()
    return made


def enrol(node: Node, key: SoftwareAuthenticator, person: Subject = PERSON, **parts: Any) -> object:
    options = begin_enrolment(node, person, RP, "Mianyang")
    assert NUMBER not in options
    return finish_enrolment(
        node, person, RP, ORIGIN, register_passkey(key, options, ORIGIN, **parts)
    )


def test_self_find_confirmed_by_passkey_asks_every_city_and_is_seen_on_both_sides(
    consortium: Consortium, key: SoftwareAuthenticator
) -> None:
    node = consortium[RELIER].node
    ceremony = begin_self_find(node, PERSON, ACCOUNT, [TYPE])
    assert ceremony.challenge is not None
    answer = read_assertion(assert_passkey(key, ceremony.challenge, ORIGIN))
    confirmed = confirm_ceremony_by_passkey(node, ceremony, answer, RP, ORIGIN)
    assert len(confirmed.grants) == 2  # one bundle over both other cities
    held = [load_grant(node, grant_id) for _, grant_id in confirmed.grants]
    assert {each.terms.basis for each in held} == {GrantBasis.PASSKEY}
    outcomes = {each.city: each for each in run_self_find(node, confirmed)}
    assert {each.outcome for each in outcomes.values()} == {"answered"}
    found = {city: found for city, _, found in list_found_elsewhere(node, PERSON)}
    issuer = consortium[ISSUER].node
    assert found[issuer.city]
    assert not found[consortium[BYSTANDER].node.city]
    mine = {each.kind for each in list_timeline(node, PERSON)}
    assert {"consent", "find_made"} <= mine
    (question,) = [each for each in list_timeline(node, PERSON) if each.kind == "find_made"]
    assert question.cities == tuple(sorted(found))  # one question to two cities is one row
    theirs = [each for each in list_timeline(issuer, PERSON) if each.kind == "find_answered"]
    assert theirs
    assert theirs[0].cities == (node.city,)
    assert not list_timeline(issuer, OTHER)


def test_withdraw_own_grant_of_another_person_is_refused_and_of_oneself_revokes(
    consortium: Consortium, key: SoftwareAuthenticator
) -> None:
    node = consortium[RELIER].node
    ceremony = begin_self_find(node, PERSON, ACCOUNT, [TYPE])
    assert ceremony.challenge is not None
    answer = read_assertion(assert_passkey(key, ceremony.challenge, ORIGIN))
    confirmed = confirm_ceremony_by_passkey(node, ceremony, answer, RP, ORIGIN)
    grant_id = confirmed.grants[0][1]
    with pytest.raises(OwnGrantNotFoundError):
        withdraw_own_grant(node, OTHER, grant_id)
    withdraw_own_grant(node, PERSON, grant_id)

    def is_revoked() -> bool:
        consortium.turn((RELIER,))
        own = {each.grant_id: each.state for each in list_own_grants(node, PERSON)}
        return own[grant_id] == "revoked"

    consortium.settle(is_revoked)


@pytest.mark.parametrize(
    ("parts", "origin", "error"),
    [
        ({"flags": USER_PRESENT}, ORIGIN, PasskeyError),
        ({}, "https://elsewhere.example", PasskeyError),
        ({"rp_id": "wuhou.localhost"}, ORIGIN, PasskeyError),
    ],
)
def test_confirm_ceremony_by_passkey_falsified_is_refused(
    consortium: Consortium,
    key: SoftwareAuthenticator,
    parts: dict[str, Any],
    origin: str,
    error: type[Exception],
) -> None:
    node = consortium[RELIER].node
    ceremony = begin_self_find(node, PERSON, ACCOUNT, [TYPE])
    assert ceremony.challenge is not None
    answer = read_assertion(assert_passkey(key, ceremony.challenge, origin, **parts))
    with pytest.raises(error):
        confirm_ceremony_by_passkey(node, ceremony, answer, RP, ORIGIN)
    other = read_assertion(assert_passkey(key, bytes(32), ORIGIN))
    with pytest.raises(PasskeyError):
        confirm_ceremony_by_passkey(node, ceremony, other, RP, ORIGIN)
    right = read_assertion(assert_passkey(key, ceremony.challenge, ORIGIN))
    assert confirm_ceremony_by_passkey(node, ceremony, right, RP, ORIGIN).grants


def test_confirm_ceremony_by_passkey_sign_count_that_does_not_rise_is_refused(
    consortium: Consortium, key: SoftwareAuthenticator
) -> None:
    node = consortium[RELIER].node
    ceremony = begin_self_find(node, PERSON, ACCOUNT, [TYPE])
    assert ceremony.challenge is not None
    copy = SoftwareAuthenticator(key.secret, RP)  # a copied key that starts again from nothing
    with node.database.read() as tx:
        assert tx.consent.list_passkeys(ceremony.row.subject_tag)[0].sign_count > 0
    answer = read_assertion(assert_passkey(copy, ceremony.challenge, ORIGIN))
    with pytest.raises(PasskeyError):
        confirm_ceremony_by_passkey(node, ceremony, answer, RP, ORIGIN)


def test_confirm_ceremony_by_passkey_of_another_person_is_refused(
    consortium: Consortium, key: SoftwareAuthenticator
) -> None:
    node = consortium[RELIER].node
    theirs = SoftwareAuthenticator(0x52, RP)
    enrol(node, theirs, OTHER)
    ceremony = begin_self_find(node, PERSON, ACCOUNT, [TYPE])
    assert ceremony.challenge is not None
    answer = read_assertion(assert_passkey(theirs, ceremony.challenge, ORIGIN))
    with pytest.raises(PasskeyRefusedError):
        confirm_ceremony_by_passkey(node, ceremony, answer, RP, ORIGIN)
    own = begin_self_find(node, OTHER, "citizen/2", [TYPE])
    assert own.challenge is not None
    answer = read_assertion(assert_passkey(theirs, own.challenge, ORIGIN))
    with pytest.raises(NotYetAnchoredError):  # enrolled, not anchored yet
        confirm_ceremony_by_passkey(node, own, answer, RP, ORIGIN)


@pytest.mark.parametrize(
    "parts", [{"flags": USER_PRESENT}, {"challenge": "AAAA"}, {"rp_id": "wuhou.localhost"}]
)
def test_finish_enrolment_falsified_is_refused(
    consortium: Consortium, parts: dict[str, Any]
) -> None:
    node = consortium[RELIER].node
    third = Subject("passport", "E12345678", "Ada")
    with pytest.raises(PasskeyRefusedError):
        enrol(node, SoftwareAuthenticator(0x53, RP), third, **parts)
    with pytest.raises(NoPasskeyError):
        begin_self_find(node, third, "citizen/3", [TYPE])


def test_finish_enrolment_twice_with_one_challenge_is_refused(consortium: Consortium) -> None:
    node = consortium[RELIER].node
    person = Subject("passport", "E87654321", "Eve")
    options = begin_enrolment(node, person, RP, "Mianyang")
    answer = register_passkey(SoftwareAuthenticator(0x54, RP), options, ORIGIN)
    assert finish_enrolment(node, person, RP, ORIGIN, answer)
    with pytest.raises(PasskeyRefusedError):
        finish_enrolment(node, person, RP, ORIGIN, answer)
