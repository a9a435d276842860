"""受理通知书: the office accepts the application; from here the time limit runs.

Follows the Administrative Licensing Law, article 32 (a written notice with the office's seal and
the date). On 80 mm it is the slip a person takes home from the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ledger_node.papers.blocks import (
    Column,
    put_contact,
    put_facts,
    put_gap,
    put_heading,
    put_note,
    put_paragraph,
    put_qr_beside,
    put_section,
    put_sign_off,
    put_table,
)
from ledger_node.papers.drawing import draw_paper
from ledger_node.papers.notice_parts import list_case_facts, list_private_texts, put_addressee
from ledger_node.papers.numerals import format_count, format_day, format_day_en
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import CaseFacts, Fonts, Office, PaperSize, check_qr_text


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


PAPER = "受理通知书"


def render_acceptance_notice(notice: AcceptanceNotice, paper: PaperSize, fonts: Fonts) -> bytes:
    """Draw a 受理通知书.

    Raises:
        GlyphMissingError: The font lacks a character.
        QrContentError: The progress address carries a name or number of the paper.
    """
    if notice.progress_url:
        check_qr_text(PAPER, notice.progress_url, list_private_texts(notice.case))

    def draw(sheet: Sheet) -> None:
        put_heading(sheet, notice.office, PAPER, "Notice of Acceptance", notice.document_number)
        put_addressee(sheet, notice.case)
        put_paragraph(sheet, _build_decision(notice))
        put_gap(sheet, 2)
        put_facts(sheet, _list_facts(notice))
        _put_materials(sheet, notice)
        put_section(sheet, "告知事项")
        for ordinal, text in enumerate(_list_advice(notice), 1):
            put_paragraph(sheet, f"{ordinal}. {text}")
        put_gap(sheet, 1.5)
        put_note(sheet, _build_english(notice))
        if notice.progress_url:
            put_gap(sheet, 2)
            lines = ("扫码查询办理进度", "Scan to follow the progress", notice.progress_url)
            put_qr_beside(sheet, notice.progress_url, "办理进度查询二维码", lines)
        put_sign_off(sheet, notice.office, format_day(notice.issued_on))
        put_contact(sheet, notice.office)

    return draw_paper(draw, paper, fonts, notice.made_at, f"办件编号：{notice.case.number}")


def _build_decision(notice: AcceptanceNotice) -> str:
    complete = "申请材料齐全、符合法定形式"
    if notice.deferred:
        complete = "主要申请材料齐全、符合法定形式，其余材料可以容缺后补"
    return (
        f"你（单位）于{format_day(notice.received_on)}提出的“{notice.case.item_name}”申请及所提交的"
        f"材料收悉。经审查，申请事项属于本机关职权范围，{complete}。根据{notice.basis}的规定，"
        f"本机关决定于{format_day(notice.accepted_on)}予以受理。"
    )


def _list_facts(notice: AcceptanceNotice) -> list[tuple[str, str]]:
    due = "" if notice.due_on is None else format_day(notice.due_on)
    if due and notice.due_estimated:
        due += "（预计；该年度放假安排尚未公布）"
    return [
        *list_case_facts(notice.case),
        ("收件日期", format_day(notice.received_on)),
        ("受理日期", format_day(notice.accepted_on)),
        ("法定办结时限", _format_limit(notice.statutory_days)),
        ("承诺办结时限", _format_limit(notice.promised_days)),
        ("预计办结日期", due),
    ]


def _format_limit(days: int | None) -> str:
    return "" if days is None else f"{format_count(days)} 个工作日"


def _put_materials(sheet: Sheet, notice: AcceptanceNotice) -> None:
    if notice.materials:
        put_section(sheet, "收取材料清单")
        columns = (
            Column("序号", 8, centred=True),
            Column("材料名称", 46),
            Column("形式", 18),
            Column("来源", 26),
            Column("份数", 9, centred=True),
            Column("页数", 9, centred=True),
        )
        rows = [
            (
                str(ordinal),
                each.name,
                each.form,
                each.source,
                "" if each.copies is None else format_count(each.copies),
                "" if each.pages is None else format_count(each.pages),
            )
            for ordinal, each in enumerate(notice.materials, 1)
        ]
        put_table(sheet, columns, rows)
    if notice.deferred:
        put_section(sheet, "容缺后补材料")
        due = (Column("序号", 8, centred=True), Column("材料名称", 70), Column("补齐期限", 38))
        deferred = enumerate(notice.deferred, 1)
        rows_due = [(str(place), each.name, format_day(each.due_on)) for place, each in deferred]
        put_table(sheet, due, rows_due)


def _list_advice(notice: AcceptanceNotice) -> list[str]:
    advice = [
        "办结时限自受理之日起计算，依法需要听证、检验、检测、鉴定、专家评审等的时间不计算在内。",
        "请妥善保管本通知书，凭办件编号可在窗口或线上查询办理进度。",
    ]
    if notice.deferred:
        advice.append("容缺材料未在期限内补齐的，本机关将依法终止办理或者作出不予办理的决定。")
    return advice


def _build_english(notice: AcceptanceNotice) -> str:
    item = notice.case.item_name_en or "your application"
    text = f"Accepted on {format_day_en(notice.accepted_on)}: {item}, case {notice.case.number}."
    if notice.due_on is not None:
        text += f" Expected to be decided by {format_day_en(notice.due_on)}."
    return text + " Keep this notice; the case number answers questions about progress."
