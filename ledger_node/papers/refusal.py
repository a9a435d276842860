"""不予受理决定书: the office does not take the case, why, and what a person can do against it.

Follows the Administrative Licensing Law, article 32 (a written, sealed and dated decision) and
article 38 (reasons, and the right to ask for review or to sue).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ledger_node.papers.values import CaseFacts, Office


class RefusalGround(StrEnum):
    """Why a case is not taken."""

    NOT_REQUIRED = "not_required"  # 依法不需要取得许可或办理
    NOT_COMPETENT = "not_competent"  # 不属于本机关职权范围
    INCOMPLETE = "incomplete"  # 经告知仍未补正
    NOT_ELIGIBLE = "not_eligible"  # 不符合受理条件


@dataclass(frozen=True, slots=True)
class Remedy:
    """What can be done against the decision.

    Attributes:
        review_body: 行政复议机关.
        court: 人民法院 that hears the case.
        review_days: Days to ask for review, from knowing of the decision.
        court_months: Months to sue directly, from knowing of the decision.
    """

    review_body: str
    court: str
    review_days: int = 60
    court_months: int = 6


@dataclass(frozen=True, slots=True)
class RefusalDecision:
    """Facts of a 不予受理决定书.

    Attributes:
        document_number: 文号.
        received_on: Day of the application.
        ground: Why.
        reason: The facts, in one or two sentences.
        article: Article of the item's own law the decision stands on; may be empty.
        competent_office: Who is competent; needed for `NOT_COMPETENT`.
        remedy: Always named.
        issued_on, made_at: As in the acceptance notice.
    """

    office: Office
    document_number: str
    case: CaseFacts
    received_on: date
    ground: RefusalGround
    reason: str
    remedy: Remedy
    issued_on: date
    made_at: datetime
    article: str = ""
    competent_office: str = ""
