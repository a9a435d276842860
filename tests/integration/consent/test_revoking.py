"""Withdrawing with the code on the slip: at the recording city, and at another city's window."""

from __future__ import annotations

import pytest

from ledger_node.core.revocation_code import RevocationCode, RevocationCodeError, parse_code
from ledger_node.core.revocation_messages import CardShown, FactsTold, RevocationOutcome
from ledger_node.flows.consenting import Ceremony, confirm_ceremony_at_counter
from ledger_node.flows.node import Node
from ledger_node.flows.revoking import (
    LOCKED_FOR,
    MAX_FAILURES,
    issue_revocation_code,
    revoke_by_code,
)
from tests.support.ceremonies import OFFICER, begin_signed, signers
from tests.support.consortium import Consortium
from tests.support.stock import BYSTANDER, NUMBER, RELIER, make_stock

pytestmark = pytest.mark.integration

CARD = CardShown("cn-resident-id", NUMBER)
FACTS = FactsTold(f"{NUMBER[6:10]}-{NUMBER[10:12]}-{NUMBER[12:14]}", NUMBER[-4:])
REVOKED, REFUSED = RevocationOutcome.REVOKED, RevocationOutcome.REFUSED


@pytest.fixture
def node(consortium: Consortium) -> Node:
    return consortium[RELIER].node


@pytest.fixture
def confirmed(node: Node) -> tuple[Ceremony, RevocationCode]:
    stock = make_stock()
    ceremony = confirm_ceremony_at_counter(node, begin_signed(node, stock), signers(stock, OFFICER))
    return ceremony, issue_revocation_code(node, ceremony)


def is_revoked(consortium: Consortium, ceremony: Ceremony) -> bool:
    consortium.turn((RELIER,))
    with consortium[RELIER].node.database.read() as tx:
        return all(tx.chain.find_revocation(each) is not None for _, each in ceremony.grants)


@pytest.mark.parametrize(("slug", "shown"), [(RELIER, FACTS), (BYSTANDER, CARD)])
def test_revoke_by_code_with_facts_or_card_revokes_at_any_window(
    consortium: Consortium,
    confirmed: tuple[Ceremony, RevocationCode],
    slug: str,
    shown: CardShown | FactsTold,
) -> None:
    ceremony, code = confirmed
    outcome = revoke_by_code(consortium[slug].node, code.printed.lower(), shown)
    assert outcome == (REVOKED, 1)
    consortium.settle(lambda: is_revoked(consortium, ceremony))


@pytest.mark.parametrize(
    "shown",
    [
        FactsTold("1990-03-08", NUMBER[-4:]),
        FactsTold(FACTS.born_on, "0048"),
        CardShown("cn-resident-id", "510107199003070030"),
    ],
)
def test_revoke_by_code_of_another_person_is_refused(
    node: Node, confirmed: tuple[Ceremony, RevocationCode], shown: CardShown | FactsTold
) -> None:
    _, code = confirmed
    assert revoke_by_code(node, code.text, shown) == (REFUSED, 0)
    assert revoke_by_code(node, code.text, CARD) == (REVOKED, 1)


def test_revoke_by_code_unknown_wrong_and_locked_are_one_answer(
    consortium: Consortium, confirmed: tuple[Ceremony, RevocationCode]
) -> None:
    _ceremony, code = confirmed
    node, other = consortium[RELIER].node, consortium[BYSTANDER].node
    wrong = guess(code)
    assert revoke_by_code(other, wrong.text, CARD) == (REFUSED, 0)
    for _ in range(MAX_FAILURES - 1):
        assert revoke_by_code(node, wrong.text, CARD) == (REFUSED, 0)
    assert revoke_by_code(node, code.text, CARD) == (REFUSED, 0)  # locked, and not said
    assert revoke_by_code(other, code.text, CARD) == (REFUSED, 0)
    consortium.pass_time(int(LOCKED_FOR.total_seconds()) + 1)
    consortium.turn()
    assert revoke_by_code(node, code.text, CARD) == (REVOKED, 1)


def test_issue_revocation_code_again_voids_the_first(
    node: Node, confirmed: tuple[Ceremony, RevocationCode]
) -> None:
    ceremony, first = confirmed
    second = issue_revocation_code(node, ceremony)
    assert revoke_by_code(node, first.text, CARD) == (REFUSED, 0)
    assert revoke_by_code(node, second.text, CARD) == (REVOKED, 1)


def test_issue_revocation_code_keeps_no_secret(
    node: Node, confirmed: tuple[Ceremony, RevocationCode]
) -> None:
    _, code = confirmed
    with node.database.read() as tx:
        row = tx.consent.find_code(code.selector)
    assert row is not None
    assert code.secret not in repr(row)


def test_revoke_by_code_mistyped_is_told(
    node: Node, confirmed: tuple[Ceremony, RevocationCode]
) -> None:
    _, code = confirmed
    with pytest.raises(RevocationCodeError):
        revoke_by_code(node, code.text[:-2] + code.text[-1] + code.text[-2] + "0", CARD)
    assert parse_code(code.printed) == code


def guess(code: RevocationCode) -> RevocationCode:
    """Another secret that reads as a code."""
    for char in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
        other = RevocationCode(code.city, code.selector, code.secret[:-1] + char)
        if other == code:
            continue
        try:
            parse_code(other.text)
        except (RevocationCodeError, IndexError):
            continue
        return other
    raise AssertionError("no other code")
