"""A consent ceremony at Mianyang's window over the shared stock."""

from __future__ import annotations

from typing import Any

from ledger_node.core.sealed import Subject
from ledger_node.core.terms import Grantor, GrantorKind, TypeGrant
from ledger_node.flows.consenting import (
    Ceremony,
    CeremonyRequest,
    Signer,
    begin_ceremony,
    choose_options,
    open_screen,
    sign_on_pad,
)
from ledger_node.flows.granting import ConsentRequest
from ledger_node.flows.node import Node
from tests.support.pads import draw_pad
from tests.support.stock import FIELDS, ISSUER, NAME, NUMBER, RELIER, TYPE, Stock

ACCOUNT = "account-1"
OFFICER, SECOND = "my-registrar-01", "my-supervisor-01"
OTHER_TYPE = "hukou-book"


def build_request(
    stock: Stock, *, types: tuple[str, ...] = (TYPE,), read: bool = True, **changes: Any
) -> CeremonyRequest:
    """What the window asks for."""
    consent = ConsentRequest(
        (stock.city[ISSUER],),
        stock.city[RELIER],
        Subject("cn-resident-id", NUMBER, NAME),
        changes.pop("grantor", Grantor(GrantorKind.SELF, None)),
        tuple(TypeGrant(code, FIELDS, True) for code in types),
        "hpf-loan-remote",
        "MY-2026-1",
        1800,
    )
    return CeremonyRequest(consent, ACCOUNT, OFFICER, "cn-resident-id", read, **changes)


def signers(stock: Stock, *names: str) -> tuple[Signer, ...]:
    """Officers as the ceremony wants them."""
    return tuple((name, stock.officers[name].sign) for name in names)


def sign_shown(node: Node, ceremony: Ceremony, *codes: str) -> Ceremony:
    """The person ticks the types and signs."""
    ceremony, _ = open_screen(node, ceremony)
    ceremony = choose_options(node, ceremony, {f"t-{code}" for code in codes})
    assert ceremony.challenge is not None
    return sign_on_pad(node, ceremony, draw_pad(), ceremony.challenge)


def begin_signed(node: Node, stock: Stock, **changes: Any) -> Ceremony:
    """A ceremony up to the person's signature, everything ticked."""
    request = build_request(stock, **changes)
    codes = [each.code for each in request.consent.types]
    return sign_shown(node, begin_ceremony(node, request), *codes)
