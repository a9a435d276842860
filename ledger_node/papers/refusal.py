"""不予受理决定书: the office does not take the case, why, and what a person can do against it.

Follows the Administrative Licensing Law, article 32 (a written, sealed and dated decision) and
article 38 (reasons, and the right to ask for review or to sue).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ledger_node.papers.blocks import (
    put_contact,
    put_facts,
    put_gap,
    put_heading,
    put_note,
    put_paragraph,
    put_section,
    put_sign_off,
)
from ledger_node.papers.drawing import demand_a4, draw_paper
from ledger_node.papers.notice_parts import list_case_facts, put_addressee
from ledger_node.papers.numerals import format_count, format_day, format_day_en
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import CaseFacts, Fonts, Office, PaperFactsError, PaperSize


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


PAPER = "不予受理决定书"
_ARTICLES = {
    RefusalGround.NOT_REQUIRED: "《中华人民共和国行政许可法》第三十二条第一款第一项",
    RefusalGround.NOT_COMPETENT: "《中华人民共和国行政许可法》第三十二条第一款第二项",
    RefusalGround.INCOMPLETE: "《中华人民共和国行政许可法》第三十二条第一款",
    RefusalGround.NOT_ELIGIBLE: "",
}
_FINDINGS = {
    RefusalGround.NOT_REQUIRED: "申请事项依法不需要取得行政许可或者办理该手续",
    RefusalGround.NOT_COMPETENT: "申请事项依法不属于本机关职权范围",
    RefusalGround.INCOMPLETE: "经一次性告知，申请材料仍不齐全或者不符合法定形式",
    RefusalGround.NOT_ELIGIBLE: "申请不符合该事项的受理条件",
}


def render_refusal_decision(decision: RefusalDecision, paper: PaperSize, fonts: Fonts) -> bytes:
    """Draw a 不予受理决定书; A4 only, it is sealed and filed.

    Raises:
        GlyphMissingError: The font lacks a character.
        PaperFactsError: A reason, the article or the competent office is missing.
        PaperSizeNotOfferedError: The roll was asked for.
    """
    demand_a4(paper, PAPER)
    _check_facts(decision)

    def draw(sheet: Sheet) -> None:
        number = decision.document_number
        put_heading(sheet, decision.office, PAPER, "Decision Not to Accept", number)
        put_addressee(sheet, decision.case)
        put_paragraph(sheet, _build_reasons(decision))
        if decision.competent_office:
            put_paragraph(sheet, f"请向{decision.competent_office}提出申请。")
        put_gap(sheet, 2)
        facts = list_case_facts(decision.case)
        put_facts(sheet, [*facts, ("申请日期", format_day(decision.received_on))])
        put_section(sheet, "救济途径")
        put_paragraph(sheet, _build_remedy(decision.remedy))
        put_gap(sheet, 1.5)
        put_note(sheet, _build_english(decision))
        put_sign_off(sheet, decision.office, format_day(decision.issued_on))
        put_contact(sheet, decision.office)

    return draw_paper(draw, paper, fonts, decision.made_at, f"办件编号：{decision.case.number}")


def _check_facts(decision: RefusalDecision) -> None:
    if not decision.reason.strip():
        raise PaperFactsError(PAPER, "未写明理由", "no reason is given")
    if not (decision.article or _ARTICLES[decision.ground]):
        raise PaperFactsError(PAPER, "未写明依据的条款", "no article is named")
    if decision.ground is RefusalGround.NOT_COMPETENT and not decision.competent_office:
        raise PaperFactsError(PAPER, "未写明有权机关", "the competent office is not named")
    if not (decision.remedy.review_body and decision.remedy.court):
        raise PaperFactsError(PAPER, "未写明救济途径", "no remedy is named")


def _build_reasons(decision: RefusalDecision) -> str:
    articles = "、".join(each for each in (_ARTICLES[decision.ground], decision.article) if each)
    return (
        f"你（单位）于{format_day(decision.received_on)}提出的“{decision.case.item_name}”申请收悉。"
        f"经审查，{decision.reason.rstrip('。；')}。本机关认为，{_FINDINGS[decision.ground]}。"
        f"根据{articles}的规定，本机关决定不予受理。"
    )


def _build_remedy(remedy: Remedy) -> str:
    return (
        f"如不服本决定，可以自知道本决定之日起{format_count(remedy.review_days)}日内向"
        f"{remedy.review_body}申请行政复议，也可以自知道本决定之日起"
        f"{format_count(remedy.court_months)}个月内依法向{remedy.court}提起行政诉讼。"
    )


def _build_english(decision: RefusalDecision) -> str:
    return (
        f"The application of {format_day_en(decision.received_on)} (case {decision.case.number}) "
        f"is not accepted. You may ask for administrative review within "
        f"{decision.remedy.review_days} days, or sue within {decision.remedy.court_months} months, "
        "of learning of this decision."
    )
