"""A ceremony at the counter: what is ticked is what is granted, and who has to sign."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ledger_node.core.ceremony import CeremonyState, UnknownOptionError
from ledger_node.core.errors import IllegalTransitionError
from ledger_node.core.evidence_parts import CounterEvidence
from ledger_node.core.pad_image import PadImageError
from ledger_node.flows.consenting import (
    CEREMONY_LIFE,
    CeremonyMovedError,
    CeremonyNotFoundError,
    SecondOfficerNeededError,
    SignatureMissingError,
    begin_ceremony,
    choose_options,
    confirm_ceremony_at_counter,
    decline_ceremony,
    load_ceremony,
    load_screen,
    open_screen,
    open_signature,
    sign_on_pad,
    strike_ceremony,
    sweep_consents,
)
from ledger_node.flows.granting import load_grant
from ledger_node.flows.node import Node
from tests.support.ceremonies import (
    ACCOUNT,
    OFFICER,
    OTHER_TYPE,
    SECOND,
    begin_signed,
    build_request,
    sign_shown,
    signers,
)
from tests.support.consortium import Consortium
from tests.support.pads import draw_pad
from tests.support.stock import RELIER, TYPE, make_stock

pytestmark = pytest.mark.integration


@pytest.fixture
def node(consortium: Consortium) -> Node:
    return consortium[RELIER].node


def test_confirm_ceremony_at_counter_signed_on_the_pad_stores_what_was_ticked(node: Node) -> None:
    stock = make_stock()
    ceremony = begin_ceremony(node, build_request(stock, types=(TYPE, OTHER_TYPE)))
    assert not ceremony.body.ticked  # nothing is ticked before the person ticks it
    ceremony = sign_shown(node, ceremony, TYPE)
    confirmed = confirm_ceremony_at_counter(node, ceremony, signers(stock, OFFICER))
    ((_, grant_id),) = confirmed.grants
    held = load_grant(node, grant_id)
    assert [each.code for each in held.terms.types] == [TYPE]
    assert isinstance(held.evidence, CounterEvidence)
    image = open_signature(node, confirmed)
    assert image == draw_pad()
    assert held.evidence.signature_digest == hashlib.sha256(image).digest()
    with node.database.read() as tx:
        assert tx.consent.list_grants_of_ceremony(ceremony.ceremony_id) == [grant_id]
    again = load_ceremony(node, ceremony.ceremony_id, ACCOUNT)
    assert confirm_ceremony_at_counter(node, again, ()).grants == confirmed.grants


def test_confirm_ceremony_at_counter_unsigned_is_refused(node: Node) -> None:
    stock = make_stock()
    ceremony, _ = open_screen(node, begin_ceremony(node, build_request(stock)))
    with pytest.raises(SignatureMissingError):
        confirm_ceremony_at_counter(node, ceremony, signers(stock, OFFICER))
    ceremony = choose_options(node, ceremony, {f"t-{TYPE}"})
    with pytest.raises(SignatureMissingError):
        confirm_ceremony_at_counter(node, ceremony, signers(stock, OFFICER))
    slip = b"%PDF-1.7 signed slip"
    assert confirm_ceremony_at_counter(node, ceremony, signers(stock, OFFICER), slip=slip).grants


def test_choose_options_after_the_signature_voids_it(node: Node) -> None:
    stock = make_stock()
    ceremony = begin_signed(node, stock, types=(TYPE, OTHER_TYPE))
    assert ceremony.challenge is not None
    changed = choose_options(node, ceremony, {f"t-{TYPE}"})
    assert changed.challenge != ceremony.challenge
    with pytest.raises(SignatureMissingError):
        confirm_ceremony_at_counter(node, changed, signers(stock, OFFICER))
    with pytest.raises(CeremonyMovedError):  # signed for what stood there before
        sign_on_pad(node, changed, draw_pad(), ceremony.challenge)
    with pytest.raises(CeremonyMovedError):  # the older state of the row
        confirm_ceremony_at_counter(node, ceremony, signers(stock, OFFICER))
    assert changed.challenge is not None
    signed = sign_on_pad(node, changed, draw_pad(), changed.challenge)
    assert confirm_ceremony_at_counter(node, signed, signers(stock, OFFICER)).grants


def test_choose_options_not_offered_or_none_is_refused(node: Node) -> None:
    ceremony, _ = open_screen(node, begin_ceremony(node, build_request(make_stock())))
    for ticked in (set(), {f"t-{OTHER_TYPE}"}, {f"t-{TYPE}", "t-"}):
        with pytest.raises(UnknownOptionError):
            choose_options(node, ceremony, ticked)
    assert choose_options(node, ceremony, {f"t-{TYPE}"}).challenge


@pytest.mark.parametrize("image", [b"", draw_pad(drawn=False), draw_pad()[:200], b"GIF89a" * 20])
def test_sign_on_pad_no_signature_is_refused(node: Node, image: bytes) -> None:
    ceremony, _ = open_screen(node, begin_ceremony(node, build_request(make_stock())))
    ceremony = choose_options(node, ceremony, {f"t-{TYPE}"})
    assert ceremony.challenge is not None
    with pytest.raises(PadImageError):
        sign_on_pad(node, ceremony, image, ceremony.challenge)
    signed = sign_on_pad(node, ceremony, draw_pad(), ceremony.challenge)
    assert signed.state is CeremonyState.SIGNED


def test_confirm_ceremony_at_counter_unread_card_wants_a_second_officer(node: Node) -> None:
    stock = make_stock()
    ceremony = begin_signed(node, stock, read=False)
    with pytest.raises(SecondOfficerNeededError) as refused:
        confirm_ceremony_at_counter(node, ceremony, signers(stock, OFFICER))
    assert refused.value.fields["reason"] == "unread_card"
    assert confirm_ceremony_at_counter(node, ceremony, signers(stock, OFFICER, SECOND)).grants


def test_load_screen_other_or_old_token_finds_nothing(node: Node, consortium: Consortium) -> None:
    ceremony, first = open_screen(node, begin_ceremony(node, build_request(make_stock())))
    ceremony, token = open_screen(node, ceremony)
    assert load_screen(node, token).ceremony_id == ceremony.ceremony_id
    for other in (first, token[:-1], ceremony.ceremony_id):
        with pytest.raises(CeremonyNotFoundError):
            load_screen(node, other)
    with node.database.read() as tx:  # the token itself is nowhere
        assert token.encode() not in repr(tx.consent.find_ceremony(ceremony.ceremony_id)).encode()


def test_load_ceremony_of_another_account_finds_nothing(node: Node) -> None:
    ceremony = begin_ceremony(node, build_request(make_stock()))
    with pytest.raises(CeremonyNotFoundError):
        load_ceremony(node, ceremony.ceremony_id, "account-2")
    assert load_ceremony(node, ceremony.ceremony_id, ACCOUNT).state is CeremonyState.DRAFTED


@pytest.mark.parametrize("end", [decline_ceremony, strike_ceremony])
def test_end_of_a_ceremony_leaves_nothing_to_confirm(node: Node, end: Callable) -> None:
    stock = make_stock()
    ended = end(node, begin_signed(node, stock))
    assert ended.row.sealed_signature is None
    with pytest.raises((SignatureMissingError, IllegalTransitionError)):
        confirm_ceremony_at_counter(node, ended, signers(stock, OFFICER))
    with pytest.raises(IllegalTransitionError):
        confirm_ceremony_at_counter(node, ended, signers(stock, OFFICER), slip=b"%PDF-")


def test_expire_ceremonies_after_their_time_ends_them(node: Node, consortium: Consortium) -> None:
    ceremony = begin_signed(node, make_stock())
    consortium.pass_time(int(CEREMONY_LIFE.total_seconds()) + 1)
    with node.database.transaction() as tx:
        tx.consent.store_challenge(b"old" * 10, bytes(32), node.clock.now())
        tx.consent.store_challenge(b"new" * 10, bytes(32), node.clock.now() + CEREMONY_LIFE)
    assert sweep_consents(node) >= 2
    with node.database.read() as tx:
        row = tx.consent.find_ceremony(ceremony.ceremony_id)
        assert row is not None
        assert (row.state, row.sealed_signature) == ("expired", None)
    assert load_ceremony(node, ceremony.ceremony_id, ACCOUNT).state is CeremonyState.EXPIRED
    with pytest.raises(IllegalTransitionError):
        sign_on_pad(node, ceremony, draw_pad(), ceremony.challenge or b"")
    consortium.turn()


def test_sweep_consents_with_nothing_overdue_writes_nothing(node: Node) -> None:
    sweep_consents(node)
    begin_signed(node, make_stock())

    @contextmanager
    def refuse() -> Iterator[None]:
        raise AssertionError("a write for nothing")
        yield

    class ReadOnly:
        read = staticmethod(node.database.read)
        transaction = staticmethod(refuse)

    assert sweep_consents(replace(node, database=ReadOnly())) == 0  # type: ignore[arg-type]
