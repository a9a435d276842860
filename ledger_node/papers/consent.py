"""Consent slip: what a person agreed to, material by material, and how to take it back.

Who, what, why, how long, to whom by name (PIPL articles 17, 23, 15). The full revocation code
stands on the slip; the QR code carries its public part alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger_node.papers.values import CaseFacts, Office, Party


class ConfirmedBy(StrEnum):
    """How the person confirmed."""

    PAD = "签字屏手写签名"
    SLIP = "纸质签名"
    PASSKEY = "通行密钥"
    CITY_LOGIN = "城市统一身份认证"


class GrantorRole(StrEnum):
    """In which role somebody confirmed."""

    SELF = "本人"
    GUARDIAN = "监护人"
    AGENT = "代办人"


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One material and what may be done with it.

    Attributes:
        material: Name of the material or its type.
        what: 整份文件, or the fields by name.
        holder: City or office that hands it over.
        receiver: Office that receives it, by name.
        purpose: Why: the item and, if there is one, the case.
        valid_until: When the consent ends (aware).
        uses: How often it may be handed over.
    """

    material: str
    what: str
    holder: str
    receiver: str
    purpose: str
    valid_until: datetime
    uses: int = 1


@dataclass(frozen=True, slots=True)
class ConsentSlip:
    """Facts of a consent slip.

    Attributes:
        number: Of the slip.
        subject: Whose papers they are.
        grantor: Who confirmed; the subject for `GrantorRole.SELF`.
        lines: At least one.
        statement: The consent text that was shown.
        text_version: Its version, as pinned in the grants.
        confirmed_by, confirmed_at: How and when.
        officers: Names or work numbers of the officers who were there; may be empty.
        revocation_code: In full, as printed; empty if the person has no code.
        qr_text: What the QR code says: the code's public part, no personal data.
        withdraw_at: Where and how else to withdraw, for example a page address; may be empty.
        signature_png: Picture of the signature, or None.
        signature_line: Print a line to sign on (the slip path).
    """

    office: Office
    number: str
    subject: Party
    grantor: Party
    role: GrantorRole
    lines: tuple[ConsentLine, ...]
    statement: str
    text_version: str
    confirmed_by: ConfirmedBy
    confirmed_at: datetime
    made_at: datetime
    revocation_code: str = ""
    qr_text: str = ""
    withdraw_at: str = ""
    officers: tuple[str, ...] = ()
    case: CaseFacts | None = None
    signature_png: bytes | None = None
    signature_line: bool = False
