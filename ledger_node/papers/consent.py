"""Consent slip: what a person agreed to, material by material, and how to take it back.

Who, what, why, how long, to whom by name (PIPL articles 17, 23, 15). The full revocation code
stands on the slip; the QR code carries its public part alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger_node.papers.blocks import (
    Column,
    put_code,
    put_contact,
    put_facts,
    put_gap,
    put_heading,
    put_note,
    put_paragraph,
    put_qr_beside,
    put_section,
    put_signature_lines,
    put_table,
)
from ledger_node.papers.drawing import draw_paper
from ledger_node.papers.notice_parts import format_party, list_private_texts
from ledger_node.papers.numerals import format_count, format_moment
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import (
    CaseFacts,
    Fonts,
    Office,
    PaperFactsError,
    PaperSize,
    Party,
    check_qr_text,
)


class ConfirmedBy(StrEnum):
    """How the person confirmed."""

    PAD = "签字屏手写签名"
    SLIP = "纸质签名"
    PASSKEY = "通行密钥"
    CITY_LOGIN = "城市统一身份认证"


class GrantorRole(StrEnum):
    """In which role somebody confirmed."""

    SELF = "本人"
    GUARDIAN = "监护人"
    AGENT = "代办人"


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One material and what may be done with it.

    Attributes:
        material: Name of the material or its type.
        what: 整份文件, or the fields by name.
        holder: City or office that hands it over.
        receiver: Office that receives it, by name.
        purpose: Why: the item and, if there is one, the case.
        valid_until: When the consent ends (aware).
        uses: How often it may be handed over.
    """

    material: str
    what: str
    holder: str
    receiver: str
    purpose: str
    valid_until: datetime
    uses: int = 1


@dataclass(frozen=True, slots=True)
class ConsentSlip:
    """Facts of a consent slip.

    Attributes:
        number: Of the slip.
        subject: Whose papers they are.
        grantor: Who confirmed; the subject for `GrantorRole.SELF`.
        lines: At least one.
        statement: The consent text that was shown.
        text_version: Its version, as pinned in the grants.
        confirmed_by, confirmed_at: How and when.
        officers: Names or work numbers of the officers who were there; may be empty.
        revocation_code: In full, as printed; empty if the person has no code.
        qr_text: What the QR code says: the code's public part, no personal data.
        withdraw_at: Where and how else to withdraw, for example a page address; may be empty.
        signature_png: Picture of the signature, or None.
        signature_line: Print a line to sign on (the slip path).
    """

    office: Office
    number: str
    subject: Party
    grantor: Party
    role: GrantorRole
    lines: tuple[ConsentLine, ...]
    statement: str
    text_version: str
    confirmed_by: ConfirmedBy
    confirmed_at: datetime
    made_at: datetime
    revocation_code: str = ""
    qr_text: str = ""
    withdraw_at: str = ""
    officers: tuple[str, ...] = ()
    case: CaseFacts | None = None
    signature_png: bytes | None = None
    signature_line: bool = False


PAPER = "材料调用同意书"
SIGNATURE_MM = (50.0, 20.0)
_WITHDRAW = (
    "同意可以随时撤回，撤回与同意一样方便：在任何一个城市的任一窗口，出示撤回码，并出示本人证件，"
    "或者说出两项登记信息，即可撤回。撤回不需要说明理由，不收费。"
)
_AFTER = "撤回以后不再提供材料；撤回以前已经依据同意作出的处理，其效力不受影响。"
_ENGLISH = (
    "You may withdraw at any window of any city: show the revocation code together with your card, "
    "or give two facts about yourself. No reason, no fee. What was done before stands."
)


def render_consent_slip(slip: ConsentSlip, paper: PaperSize, fonts: Fonts) -> bytes:
    """Draw a consent slip.

    Raises:
        GlyphMissingError: The font lacks a character.
        PaperFactsError: Nothing is consented to.
        QrContentError: The QR code carries the whole code, a name or a number.
    """
    if not slip.lines:
        raise PaperFactsError(PAPER, "没有列明材料", "no material is listed")
    if slip.qr_text:
        named = list_private_texts(slip.case, slip.subject, slip.grantor)
        check_qr_text(PAPER, slip.qr_text, (slip.revocation_code, *named))

    def draw(sheet: Sheet) -> None:
        put_heading(sheet, slip.office, PAPER, "Consent to the Use of Papers", slip.number)
        put_facts(sheet, _list_facts(slip))
        put_section(sheet, "同意内容（逐项）")
        _put_lines(sheet, slip)
        put_section(sheet, "本人已阅读并同意")
        put_paragraph(sheet, slip.statement)
        put_note(sheet, f"文本版本：{slip.text_version}")
        _put_withdrawal(sheet, slip)
        _put_signature(sheet, slip)
        put_contact(sheet, slip.office)

    return draw_paper(draw, paper, fonts, slip.made_at, f"编号：{slip.number}")


def _list_facts(slip: ConsentSlip) -> list[tuple[str, str]]:
    facts = [("材料所属人", format_party(slip.subject))]
    if slip.role is not GrantorRole.SELF:
        facts.append((f"同意人（{slip.role.value}）", format_party(slip.grantor)))
    if slip.case is not None:
        facts += [("办理事项", slip.case.item_name), ("办件编号", slip.case.number)]
    return [
        *facts,
        ("确认方式", slip.confirmed_by.value),
        ("确认时间", format_moment(slip.confirmed_at)),
        ("见证人员", "、".join(slip.officers)),
    ]


def _put_lines(sheet: Sheet, slip: ConsentSlip) -> None:
    columns = (
        Column("序号", 11, centred=True),
        Column("材料", 24),
        Column("提供内容", 20),
        Column("由谁提供", 20),
        Column("提供给谁", 22),
        Column("用途", 24),
        Column("期限与次数", 26),
    )
    rows = [
        (
            str(ordinal),
            each.material,
            each.what,
            each.holder,
            each.receiver,
            each.purpose,
            f"至{format_moment(each.valid_until)}，限{format_count(each.uses)}次",
        )
        for ordinal, each in enumerate(slip.lines, 1)
    ]
    put_table(sheet, columns, rows)


def _put_withdrawal(sheet: Sheet, slip: ConsentSlip) -> None:
    put_section(sheet, "如何撤回")
    put_paragraph(sheet, _WITHDRAW)
    put_paragraph(sheet, _AFTER)
    if slip.withdraw_at:
        put_paragraph(sheet, f"也可以自行撤回：{slip.withdraw_at}")
    put_note(sheet, _ENGLISH)
    put_gap(sheet, 2)
    if slip.revocation_code:
        put_code(sheet, "撤回码 Revocation code", slip.revocation_code)
    if slip.qr_text:
        lines = (
            "窗口扫码找到这份同意书；",
            "二维码不含姓名、证件号码，也不能单独用来撤回。",
            "The QR code finds this slip; alone it withdraws nothing.",
        )
        put_qr_beside(sheet, slip.qr_text, "撤回用二维码", lines)


def _put_signature(sheet: Sheet, slip: ConsentSlip) -> None:
    if slip.signature_png is not None:
        put_section(sheet, "签名")
        width, height = SIGNATURE_MM
        sheet.make_room(height + 2)
        sheet.frame(sheet.left_mm, sheet.y_mm, width, height, 0.2)
        sheet.put_picture(
            sheet.left_mm + 1, sheet.y_mm + 1, width - 2, height - 2, slip.signature_png, "手写签名"
        )
        sheet.y_mm += height + 2
    elif slip.signature_line:
        put_gap(sheet, 2)
        put_signature_lines(sheet, (f"{slip.role.value}签名：",))
