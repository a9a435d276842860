"""Verification certificate: what checking a receipt found, in four lines, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger_node.core.receipt import ReceiptKind
from ledger_node.core.verdict import LineState, Question, RestsOn, VerdictLine
from ledger_node.papers.blocks import (
    Column,
    put_centred,
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
from ledger_node.papers.numerals import BEIJING, format_count, format_day, format_moment
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import Fonts, Office, PaperFactsError, PaperSize, check_qr_text


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


PAPER = "凭证核验证明"
_QUESTIONS = {
    Question.UNCHANGED: "内容未被改动",
    Question.ISSUER_ENTITLED: "出具机关有权出具",
    Question.VALID_AS_OF: "截至所示时间有效",
    Question.RIGHT_PERSON: "确属本人材料",
}
_STATES = {
    LineState.HOLDS: "√ 成立",
    LineState.PENDING: "… 待确认",
    LineState.FAILS: "× 不成立",
    LineState.NOT_STATED: "— 本凭证不涉及",
}
_OVERALL = {
    LineState.HOLDS: ("核验通过", "Verified"),
    LineState.PENDING: ("尚待确认", "Not yet confirmed"),
    LineState.FAILS: ("核验未通过", "Does not hold"),
}
_RESTS_ON = {
    RestsOn.TRUSTED_KEYS: "公布的成员城市密钥",
    RestsOn.CHAIN: "核验时读取的共同账本",
    RestsOn.TRUST_FILE: "信任文件所载账本记录",
    RestsOn.SEALS: "验证者在区块头上的印章",
    RestsOn.ISSUING_CITY: "出具城市的陈述",
    RestsOn.RECORDING_CITY: "登记城市的陈述",
    RestsOn.RELYING_CITY: "采信城市的陈述",
}
_KINDS = {ReceiptKind.REGISTRATION: "登记凭证", ReceiptKind.RELIANCE: "采信凭证"}


def render_verification_certificate(
    certificate: VerificationCertificate, paper: PaperSize, fonts: Fonts
) -> bytes:
    """Draw a verification certificate.

    Raises:
        GlyphMissingError: The font lacks a character.
        PaperFactsError: Not exactly the four lines, in their order.
        QrContentError: The address to check again is no plain text.
    """
    if tuple(line.question for line in certificate.lines) != tuple(Question):
        raise PaperFactsError(PAPER, "核验结论不是四项", "the verdict has not its four lines")
    if certificate.verify_url:
        check_qr_text(PAPER, certificate.verify_url, (certificate.material,))

    def draw(sheet: Sheet) -> None:
        title_en = "Certificate of Verification"
        put_heading(sheet, certificate.office, PAPER, title_en, certificate.number)
        overall_zh, overall_en = _OVERALL[_decide_overall(certificate.lines)]
        put_centred(sheet, f"结论：{overall_zh}", 13 if sheet.narrow else 16, bold=True)
        put_note_centred(sheet, overall_en)
        put_gap(sheet, 2)
        put_facts(sheet, _list_facts(certificate))
        put_section(sheet, "四项核验")
        _put_lines(sheet, certificate.lines)
        if certificate.evidence:
            put_section(sheet, "依据的数据")
            put_facts(sheet, certificate.evidence)
        put_section(sheet, "说明")
        put_paragraph(sheet, _build_explanation(certificate))
        put_note(
            sheet,
            "This certificate says what was found at the time shown. The receipt itself stays the "
            "evidence: anybody can check it again, without the city that issued it.",
        )
        if certificate.verify_url:
            put_gap(sheet, 2)
            lines = ("凭原凭证文件可随时重新核验：", certificate.verify_url)
            put_qr_beside(sheet, certificate.verify_url, "重新核验二维码", lines)
        day = certificate.checked_at.astimezone(BEIJING).date()
        put_sign_off(sheet, certificate.office, format_day(day), sealed=False)
        put_contact(sheet, certificate.office)

    footer = f"凭证编号：{certificate.receipt_id}"
    return draw_paper(draw, paper, fonts, certificate.made_at, footer)


def put_note_centred(sheet: Sheet, text: str) -> None:
    """English beneath the conclusion."""
    put_centred(sheet, text, 9)


def _decide_overall(lines: tuple[VerdictLine, ...]) -> LineState:
    states = {line.state for line in lines}
    if LineState.FAILS in states:
        return LineState.FAILS
    return LineState.PENDING if LineState.PENDING in states else LineState.HOLDS


def _list_facts(certificate: VerificationCertificate) -> list[tuple[str, str]]:
    as_of = "没有可用的账本记录"
    if certificate.as_of is not None:
        as_of = format_moment(certificate.as_of)
    if certificate.as_of_block is not None:
        as_of += f"（区块 {format_count(certificate.as_of_block)}）"
    return [
        ("凭证种类", _KINDS[certificate.receipt_kind]),
        ("凭证编号", certificate.receipt_id),
        ("出具城市", certificate.issuer),
        ("材料", certificate.material),
        ("文件比对", "已与随附文件比对" if certificate.file_checked else "未提供文件，仅核验凭证"),
        ("核验时间", format_moment(certificate.checked_at)),
        ("结论截至", as_of),
    ]


def _put_lines(sheet: Sheet, lines: tuple[VerdictLine, ...]) -> None:
    columns = (
        Column("核验事项", 26),
        Column("结论", 18, centred=True),
        Column("说明", 52),
        Column("所依凭者", 30),
    )
    rows = [
        (
            _QUESTIONS[line.question],
            _STATES[line.state],
            line.sentence_zh,
            "、".join(_RESTS_ON[each] for each in line.rests_on),
        )
        for line in lines
    ]
    put_table(sheet, columns, rows)


def _build_explanation(certificate: VerificationCertificate) -> str:
    text = "本证明记载核验当时的结论；证据是凭证文件本身，任何人可以不经出具城市自行核验。"
    if certificate.as_of is None:
        return text + "本次核验没有可用的账本记录，材料此后的变化未予反映。"
    return text + "材料在“结论截至”时间以后的变化（撤销、更替、异议）不在本证明之内。"
