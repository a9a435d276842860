"""A window opens a person's own pages on the person's phone: a one-time token, good for minutes.

Only for a person who stands there itself with a card that a device read. The token names the
ceremony it was made in; of its secret only a digest is kept, and it counts once.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from ledger_node.core.canonical import encode_base64url
from ledger_node.core.errors import NotFoundError, NotPermittedError
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantorKind
from ledger_node.flows.consenting import Ceremony, open_ceremony
from ledger_node.flows.node import Node

WELCOME_LIFE: Final = timedelta(minutes=10)
_SECRET_BYTES: Final = 32
_ID_CHARS: Final = 36


class WelcomeEndedError(NotFoundError):
    """The one-time address was used, is too old, or never was."""

    code = "welcome_ended"

    def __init__(self) -> None:
        super().__init__(
            "这个一次性链接已用过或已过期，请到窗口重新打开。",
            "This one-time link was used or is too old; ask the window for another.",
        )


class CardNotReadError(NotPermittedError):
    """Own pages are opened at a window only for a person whose own card a device read."""

    code = "card_not_read"

    def __init__(self) -> None:
        super().__init__(
            "须本人持证并经读卡器核验后，才能开通“我的材料”。",
            "The person has to be there with a card that a device read.",
        )


def open_welcome(node: Node, ceremony: Ceremony) -> str:
    """A one-time token for the person's phone.

    Raises:
        CardNotReadError: The card was not read, or somebody acts for the person.
    """
    body = ceremony.body
    if not body.read_by_device or body.grantor.kind is not GrantorKind.SELF:
        raise CardNotReadError
    secret = encode_base64url(node.entropy(_SECRET_BYTES))
    until = node.clock.now() + WELCOME_LIFE
    with node.database.transaction() as tx:
        tx.consent.store_challenge(_hash(secret), ceremony.row.subject_tag, until)
    return f"{ceremony.ceremony_id}{secret}"


def take_welcome(node: Node, token: str) -> Subject:
    """The person a token was made for; it is used up.

    Raises:
        WelcomeEndedError: Used, too old, or none.
    """
    ceremony_id, secret = token[:_ID_CHARS], token[_ID_CHARS:]
    with node.database.transaction() as tx:
        row = tx.consent.find_ceremony(ceremony_id)
        taken = row is not None and tx.consent.take_challenge(
            _hash(secret), row.subject_tag, node.clock.now()
        )
    if row is None or not taken:
        raise WelcomeEndedError
    return open_ceremony(node, row).body.subject


def _hash(secret: str) -> bytes:
    return hashlib.sha256(b"tongban/welcome/v1\n" + secret.encode()).digest()
