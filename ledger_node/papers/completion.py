"""一次性告知书: everything that is still missing, said at once.

Follows the Administrative Licensing Law, article 32 (4): on the spot or within five days, all of
it; not asked in time, the application counts as accepted from receipt.
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
    put_section,
    put_sign_off,
    put_signature_lines,
    put_table,
)
from ledger_node.papers.drawing import draw_paper
from ledger_node.papers.notice_parts import list_case_facts, put_addressee
from ledger_node.papers.numerals import format_day, format_day_en
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import CaseFacts, Fonts, Office, PaperFactsError, PaperSize


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


PAPER = "一次性告知书"


def render_completion_notice(notice: CompletionNotice, paper: PaperSize, fonts: Fonts) -> bytes:
    """Draw a 一次性告知书.

    Raises:
        GlyphMissingError: The font lacks a character.
        PaperFactsError: Nothing is missing.
    """
    if not notice.missing:
        raise PaperFactsError(PAPER, "没有需要补正的内容", "nothing is missing")

    def draw(sheet: Sheet) -> None:
        number = notice.document_number
        put_heading(sheet, notice.office, PAPER, "Notice of Everything Still Needed", number)
        put_addressee(sheet, notice.case)
        put_paragraph(
            sheet,
            f"你（单位）于{format_day(notice.received_on)}提出的“{notice.case.item_name}”申请及所提交"
            f"的材料收悉。经审查，申请材料不齐全或者不符合法定形式。根据{notice.basis}的规定，现将"
            "需要补正的全部内容一次告知如下：",
        )
        put_gap(sheet, 2)
        _put_missing(sheet, notice)
        put_section(sheet, "办件信息")
        put_facts(sheet, list_case_facts(notice.case))
        if notice.held:
            put_section(sheet, "以下材料已经收取或者已由有关城市共享，无需再次提交")
            put_paragraph(sheet, "、".join(notice.held) + "。")
        put_section(sheet, "告知事项")
        for ordinal, text in enumerate(_list_advice(notice), 1):
            put_paragraph(sheet, f"{ordinal}. {text}")
        put_gap(sheet, 1.5)
        put_note(sheet, _build_english(notice))
        put_sign_off(sheet, notice.office, format_day(notice.issued_on))
        put_signature_lines(sheet, ("申请人（代办人）签收：",))
        put_contact(sheet, notice.office)

    return draw_paper(draw, paper, fonts, notice.made_at, f"办件编号：{notice.case.number}")


def _put_missing(sheet: Sheet, notice: CompletionNotice) -> None:
    columns = [
        Column("序号", 11, centred=True),
        Column("需补正的材料", 30),
        Column("存在的问题", 30),
        Column("补正要求", 40),
    ]
    with_basis = any(each.basis for each in notice.missing)
    if with_basis:
        columns.append(Column("依据", 26))
    rows = []
    for ordinal, each in enumerate(notice.missing, 1):
        row = [str(ordinal), each.name, each.problem, each.remedy]
        rows.append([*row, each.basis] if with_basis else row)
    put_table(sheet, columns, rows)


def _list_advice(notice: CompletionNotice) -> list[str]:
    advice = [
        "以上为需要补正的全部内容。按要求补正后，本机关不再要求补充本告知书以外的材料。",
    ]
    if notice.reply_by is not None:
        advice.append(
            f"请于{format_day(notice.reply_by)}前补正；可以到任一窗口提交，也可以线上提交。"
        )
    advice.append("能够由政府部门共享取得的材料，经本人同意或者依照法定职责调用，无需另行提交。")
    return advice


def _build_english(notice: CompletionNotice) -> str:
    text = f"The list above is everything that is still needed for case {notice.case.number}; "
    text += "nothing else will be asked for."
    if notice.reply_by is not None:
        text += f" Please complete it by {format_day_en(notice.reply_by)}."
    return text
