"""Verification certificate: what checking a receipt found, in four lines, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger_node.core.receipt import ReceiptKind
from ledger_node.core.verdict import VerdictLine
from ledger_node.papers.values import Office


@dataclass(frozen=True, slots=True)
class VerificationCertificate:
    """Facts of a verification certificate.

    Attributes:
        number: Of the certificate.
        receipt_id, receipt_kind: Which receipt was checked.
        issuer: City that issued the receipt, by name.
        lines: The four verdict lines, in the order of `Question`.
        as_of: Time of the newest facts the verdict reaches to (aware), or None if there were none.
        as_of_block: Their block number, or None.
        checked_at: When it was checked (aware).
        file_checked: Whether a file was compared with the receipt.
        evidence: What it rests on: (label, value) such as root hash, log size, transaction.
        material: Name of the material, or empty.
        verify_url: Where anybody can check again; in the QR code; may be empty.
    """

    office: Office
    number: str
    receipt_id: str
    receipt_kind: ReceiptKind
    issuer: str
    lines: tuple[VerdictLine, ...]
    as_of: datetime | None
    as_of_block: int | None
    checked_at: datetime
    file_checked: bool
    evidence: tuple[tuple[str, str], ...]
    made_at: datetime
    material: str = ""
    verify_url: str = ""
