"""受理通知书: the office accepts the application; from here the time limit runs.

Follows the Administrative Licensing Law, article 32 (a written notice with the office's seal and
the date). On 80 mm it is the slip a person takes home from the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ledger_node.papers.values import CaseFacts, Office


@dataclass(frozen=True, slots=True)
class AcceptedMaterial:
    """One line of what was handed in or reused.

    Attributes:
        name: Of the material.
        form: 原件核验 / 复印件 / 电子材料.
        source: 本人提交, or the city it was reused from.
        copies, pages: Counts; None where they say nothing.
    """

    name: str
    form: str = ""
    source: str = ""
    copies: int | None = None
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class DeferredMaterial:
    """容缺后补: may follow until a day."""

    name: str
    due_on: date


@dataclass(frozen=True, slots=True)
class AcceptanceNotice:
    """Facts of a 受理通知书.

    Attributes:
        document_number: 文号, for example 武审受〔2026〕18号.
        received_on, accepted_on: Days; the limit counts from acceptance.
        statutory_days, promised_days: 工作日; None where the item has none.
        due_on: Day the promised limit ends; None if it is not known.
        due_estimated: That day lies in a year whose holidays are not announced.
        materials, deferred: What was taken; what may follow.
        issued_on: 成文日期.
        made_at: When the file is made (aware); the only time inside the file itself.
        basis: Article the notice follows.
        progress_url: Where the progress can be asked for; in the QR code; may be empty.
    """

    office: Office
    document_number: str
    case: CaseFacts
    received_on: date
    accepted_on: date
    materials: tuple[AcceptedMaterial, ...]
    issued_on: date
    made_at: datetime
    statutory_days: int | None = None
    promised_days: int | None = None
    due_on: date | None = None
    due_estimated: bool = False
    deferred: tuple[DeferredMaterial, ...] = ()
    basis: str = "《中华人民共和国行政许可法》第三十二条"
    progress_url: str = ""
