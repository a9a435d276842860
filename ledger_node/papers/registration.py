"""登记回执: a paper was registered; the person need not bring it again."""

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
    put_table,
)
from ledger_node.papers.drawing import draw_paper
from ledger_node.papers.notice_parts import format_party, list_private_texts
from ledger_node.papers.numerals import format_count, format_moment, format_optional_day
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import (
    Fonts,
    Office,
    PaperFactsError,
    PaperSize,
    Party,
    check_qr_text,
)

GRADES = {
    "A": "A（出具机关生成）",
    "B": "B（窗口核对原件）",
    "C": "C（自行上传，未核对原件）",
    "D": "D（告知承诺）",
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
        typed_by_hand: The identity was typed, not read from a card; None: nobody stood there.
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
    typed_by_hand: bool | None = None
    officer: str = ""
    verify_url: str = ""


PAPER = "材料登记回执"
_IDENTIFIED = {True: "手工录入，未读取证件", False: "已读取证件", None: ""}


def render_registration_slip(slip: RegistrationSlip, paper: PaperSize, fonts: Fonts) -> bytes:
    """Draw a 登记回执.

    Raises:
        GlyphMissingError: The font lacks a character.
        PaperFactsError: No subject, or an unknown grade.
        QrContentError: The address to check carries a name or a number of the paper.
    """
    if not slip.subjects or slip.grade not in GRADES:
        raise PaperFactsError(PAPER, "缺少所属人或者等级", "no subject, or an unknown grade")
    if slip.verify_url:
        private = (*list_private_texts(None, *slip.subjects), slip.document_number)
        check_qr_text(PAPER, slip.verify_url, private)

    def draw(sheet: Sheet) -> None:
        put_heading(sheet, slip.office, PAPER, "Registration Slip", slip.number)
        put_facts(sheet, _list_facts(slip))
        if slip.parts:
            put_section(sheet, "登记的文件")
            columns = (
                Column("序号", 8, centred=True),
                Column("名称", 90),
                Column("页数", 14, centred=True),
            )
            rows = [
                (str(ordinal), part.name, format_count(part.pages))
                for ordinal, part in enumerate(slip.parts, 1)
            ]
            put_table(sheet, columns, rows)
        put_gap(sheet, 2)
        put_paragraph(sheet, _build_word(slip))
        put_note(
            sheet,
            "This paper is registered. You need not bring it again: with your consent, or where "
            "the law says so, member cities use it from here.",
        )
        if slip.verify_url:
            put_gap(sheet, 2)
            lines = ("扫码打开核验页，放入凭证文件即可核验。", "Scan, then drop the receipt file.")
            put_qr_beside(sheet, slip.verify_url, "核验页二维码", lines)
        put_contact(sheet, slip.office)

    return draw_paper(draw, paper, fonts, slip.made_at, f"回执编号：{slip.number}")


def _list_facts(slip: RegistrationSlip) -> list[tuple[str, str]]:
    return [
        ("材料名称", slip.material),
        ("材料所属人", "\n".join(format_party(each) for each in slip.subjects)),
        ("出具机关", slip.issuer),
        ("文号（证号）", slip.document_number),
        ("出具日期", format_optional_day(slip.issued_on)),
        ("有效期至", format_optional_day(slip.valid_until)),
        ("材料等级", GRADES[slip.grade]),
        ("身份核验", _IDENTIFIED[slip.typed_by_hand]),
        ("登记时间", format_moment(slip.registered_at)),
        ("登记人员", slip.officer),
        ("存证状态", "已存证" if slip.recorded else "存证中"),
    ]


def _build_word(slip: RegistrationSlip) -> str:
    word = (
        "上述材料已经登记。今后在各成员城市办事，经本人同意或者依照法定职责即可调用，无需再次提交。"
    )
    if slip.grade in ("C", "D"):
        word += "本材料尚未核对原件，核对以前不作为办理依据。"
    if not slip.recorded:
        word += "存证正在进行，完成后状态自动更新，不影响您办事。"
    return word
