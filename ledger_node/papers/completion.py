"""一次性告知书: everything that is still missing, said at once.

Follows the Administrative Licensing Law, article 32 (4): on the spot or within five days, all of
it; not asked in time, the application counts as accepted from receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ledger_node.papers.values import CaseFacts, Office


@dataclass(frozen=True, slots=True)
class MissingMaterial:
    """One thing to bring or mend.

    Attributes:
        name: Of the material.
        problem: What is wrong: 未提交, 已过有效期 …
        remedy: What to do about it, and where it can be had.
        basis: Why it is asked for; may be empty.
    """

    name: str
    problem: str
    remedy: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class CompletionNotice:
    """Facts of a 一次性告知书.

    Attributes:
        document_number: 文号.
        received_on: Day the papers were taken; issued_on must lie within the time the law gives.
        missing: At least one.
        reply_by: Day until which the person should complete, or None.
        held: Names of materials that are held or were taken and need not be brought again.
        issued_on, made_at, basis: As in the acceptance notice.
    """

    office: Office
    document_number: str
    case: CaseFacts
    received_on: date
    missing: tuple[MissingMaterial, ...]
    issued_on: date
    made_at: datetime
    reply_by: date | None = None
    held: tuple[str, ...] = ()
    basis: str = "《中华人民共和国行政许可法》第三十二条第一款第四项"
