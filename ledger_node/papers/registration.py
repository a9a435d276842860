"""登记回执: a paper was registered; the person need not bring it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ledger_node.papers.values import Office, Party

GRADES = {
    "A": "A(出具机关生成)",
    "B": "B(窗口核对原件)",
    "C": "C(自行上传,未核对原件)",
    "D": "D(告知承诺)",
}


@dataclass(frozen=True, slots=True)
class RegisteredPart:
    """One part of the paper: what it is and how many pages."""

    name: str
    pages: int


@dataclass(frozen=True, slots=True)
class RegistrationSlip:
    """Facts of a 登记回执.

    Attributes:
        number: Of the registration receipt.
        material: Name of the material.
        subjects: Whom it concerns.
        issuer: Office that issued the paper.
        document_number: As printed on it, normally masked; may be empty.
        parts: In order.
        grade: A, B, C or D.
        recorded: 已存证 (final) or still 存证中.
        typed_by_hand: The identity was typed, not read from a card.
        issued_on, valid_until: Of the paper, or None.
        officer: Name or work number of who registered it; may be empty.
        verify_url: Where the receipt can be checked; in the QR code; may be empty.
    """

    office: Office
    number: str
    material: str
    subjects: tuple[Party, ...]
    issuer: str
    parts: tuple[RegisteredPart, ...]
    grade: str
    recorded: bool
    registered_at: datetime
    made_at: datetime
    document_number: str = ""
    issued_on: date | None = None
    valid_until: date | None = None
    typed_by_hand: bool = False
    officer: str = ""
    verify_url: str = ""
