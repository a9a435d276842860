"""A consent given at home is enough at the window, for what it covers: nobody signs again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger_node.core.reuse import RunState
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantorKind, TypeGrant
from ledger_node.core.visit import IdentifiedBy
from ledger_node.flows.citizen import begin_own_ceremony, withdraw_own_grant
from ledger_node.flows.consenting import Ceremony, choose_options
from ledger_node.flows.finding import find_materials
from ledger_node.flows.home_consents import (
    HomeConsentEndedError,
    list_home_consents,
    use_home_consent,
)
from ledger_node.flows.node import Node
from ledger_node.flows.passkey_devices import read_assertion
from ledger_node.flows.passkeys import (
    begin_enrolment,
    confirm_ceremony_by_passkey,
    finish_enrolment,
    list_passkeys,
)
from ledger_node.flows.reusing import resume_reusing
from ledger_node.flows.window import (
    SHOWN_FIELDS,
    build_visit,
    choose_service,
    load_run,
    open_run,
    take_up_signatures,
)
from ledger_node.seed import load_catalogue
from tests.fakes.software_authenticator import SoftwareAuthenticator
from tests.support.consortium import Consortium
from tests.support.registration import assert_passkey, register_passkey
from tests.support.stock import ISSUER, NAME, NUMBER, RELIER, TYPE
from tests.support.window import CLERK, ITEM, identify

pytestmark = pytest.mark.integration
RP, ORIGIN = "mianyang.localhost", "http://mianyang.localhost:8801"
PERSON = Subject("cn-resident-id", NUMBER, NAME)
CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def key(consortium: Consortium) -> SoftwareAuthenticator:
    made, node = SoftwareAuthenticator(0x91, RP), consortium[RELIER].node
    options = begin_enrolment(node, PERSON, RP, "Mianyang")
    finish_enrolment(node, PERSON, RP, ORIGIN, register_passkey(made, options, ORIGIN))
    consortium.settle(lambda: all(usable for _, _, usable in list_passkeys(node, PERSON)))
    consortium.pass_time(2)
    consortium.turn()
    return made


@pytest.fixture
def node(consortium: Consortium) -> Node:
    return consortium[RELIER].node


def agree(
    node: Node,
    key: SoftwareAuthenticator,
    item: str = ITEM,
    *codes: str,
    fields: tuple[str, ...] = SHOWN_FIELDS,
) -> Ceremony:
    """The person confirms a request on the own pages."""
    types = tuple(TypeGrant(code, fields, True) for code in codes or (TYPE,))
    ceremony = begin_own_ceremony(node, PERSON, "citizen/1", item, types)
    ceremony = choose_options(node, ceremony, {each.key for each in ceremony.body.options})
    assert ceremony.challenge is not None
    answer = read_assertion(assert_passkey(key, ceremony.challenge, ORIGIN))
    return confirm_ceremony_by_passkey(node, ceremony, answer, RP, ORIGIN)


def test_use_home_consent_goes_on_without_a_signature_and_the_paper_arrives(
    consortium: Consortium, node: Node, key: SoftwareAuthenticator
) -> None:
    ceremony = agree(node, key)
    run = identify(node)
    (offered,) = list_home_consents(node, run, CATALOGUE)
    assert offered.ceremony_id == ceremony.ceremony_id
    assert offered.types == (TYPE,)
    assert TYPE not in {code for need in offered.missing for code in need.any_of}
    run = use_home_consent(node, run, CATALOGUE, offered.ceremony_id)
    assert run.state is RunState.RUNNING
    assert run.visit.asked == (TYPE,)
    assert {step.grant_id for step in run.steps} == {each for _, each in ceremony.grants}
    assert take_up_signatures(node) == 0

    def is_ready() -> bool:
        consortium.turn()
        resume_reusing(node, CATALOGUE)
        return load_run(node, run.row.run_id, CLERK.account_id).state is RunState.READY

    consortium.settle(is_ready)
    steps = load_run(node, run.row.run_id, CLERK.account_id).steps
    came = {step.city: step.state for step in steps}
    assert came[consortium[ISSUER].node.city] == "arrived"
    again = identify(node)  # used for one city; what is left has nothing of Wuhou's
    for each in list_home_consents(node, again, CATALOGUE):
        assert consortium[ISSUER].node.city not in {city for city, _ in each.grants}


def test_list_home_consents_of_another_service_person_or_agent_are_none(
    node: Node, key: SoftwareAuthenticator
) -> None:
    before = {each.ceremony_id for each in list_home_consents(node, identify(node), CATALOGUE)}
    other_item = next(code for code in CATALOGUE.items if code != ITEM)
    agree(node, key, other_item)
    agree(node, key, ITEM, fields=("issuer",))  # too little for the window
    assert {
        each.ceremony_id for each in list_home_consents(node, identify(node), CATALOGUE)
    } == before
    mine = agree(node, key)
    run = identify(node)
    assert mine.ceremony_id in {
        each.ceremony_id for each in list_home_consents(node, run, CATALOGUE)
    }
    stranger = Subject("cn-resident-id", "11010519491231002X", "林一")
    theirs = open_run(node, CLERK, build_visit(node, stranger, IdentifiedBy.CARD, device="sim"))
    visit = choose_service(node, load_run(node, theirs, CLERK.account_id), CATALOGUE, ITEM, ())
    assert list_home_consents(node, visit, CATALOGUE) == ()
    with pytest.raises(HomeConsentEndedError):
        use_home_consent(node, visit, CATALOGUE, mine.ceremony_id)
    agent = replace(run.visit, by=GrantorKind.AGENT, agent=stranger)
    assert list_home_consents(node, replace(run, visit=agent), CATALOGUE) == ()


def test_use_home_consent_withdrawn_or_over_is_refused(
    consortium: Consortium, node: Node, key: SoftwareAuthenticator
) -> None:
    ceremony, run = agree(node, key), identify(node)
    for _, grant_id in ceremony.grants:
        withdraw_own_grant(node, PERSON, grant_id)
    with pytest.raises(HomeConsentEndedError):
        use_home_consent(node, run, CATALOGUE, ceremony.ceremony_id)
    assert find_materials(node, [ceremony.grants[0][1]], "my-registrar-01")[0].outcome != "answered"
    late = agree(node, key)
    consortium.pass_time(7 * 24 * 3600)
    consortium.turn()
    with pytest.raises(HomeConsentEndedError):
        use_home_consent(node, identify(node), CATALOGUE, late.ceremony_id)
