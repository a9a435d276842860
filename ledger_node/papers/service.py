"""送达回证: proof that papers were handed over, signed by who took them.

The form of the Civil Procedure Law, article 87 [known], which offices use for their own papers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger_node.papers.blocks import (
    Column,
    put_facts,
    put_gap,
    put_heading,
    put_note,
    put_section,
    put_signature_lines,
    put_table,
)
from ledger_node.papers.drawing import demand_a4, draw_paper
from ledger_node.papers.numerals import format_count, format_moment
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import CaseFacts, Fonts, Office, PaperFactsError, PaperSize


class ServiceMethod(StrEnum):
    """How papers are served."""

    DIRECT = "直接送达"
    ELECTRONIC = "电子送达"
    POST = "邮寄送达"
    LEFT = "留置送达"
    ENTRUSTED = "委托送达"
    PUBLIC = "公告送达"


@dataclass(frozen=True, slots=True)
class ServedDocument:
    """One paper that is handed over.

    Attributes:
        title: For example 准予行政许可决定书.
        number: 文号 or licence number; may be empty.
        copies: 份数.
    """

    title: str
    number: str = ""
    copies: int = 1


@dataclass(frozen=True, slots=True)
class ServiceReceipt:
    """Facts of a 送达回证; what is signed by hand stays an empty line.

    Attributes:
        number: 编号.
        addressee: 受送达人, usually the applicant.
        place: 送达地点.
        documents: At least one.
        served_at: When handed over, if known before printing.
        tracking: 邮件号码 for `POST`; may be empty.
        servers: Names of the officers who hand over; printed beside their lines.
        note: 备注; may be empty.
    """

    office: Office
    number: str
    case: CaseFacts
    addressee: str
    place: str
    method: ServiceMethod
    documents: tuple[ServedDocument, ...]
    made_at: datetime
    served_at: datetime | None = None
    tracking: str = ""
    servers: tuple[str, ...] = ()
    note: str = ""


PAPER = "送达回证"
_NOTES = (
    "受送达人本人不在的，由其同住成年家属、法定代理人、单位负责收件的人或者代办人签收，并注明与受送达人的关系。",
    "拒绝接收的，由送达人注明拒收事由和日期，请见证人签名，并附照片或者录像。",
)


def render_service_receipt(receipt: ServiceReceipt, paper: PaperSize, fonts: Fonts) -> bytes:
    """Draw a 送达回证; A4 only, it is signed and filed.

    Raises:
        GlyphMissingError: The font lacks a character.
        PaperFactsError: No paper is served.
        PaperSizeNotOfferedError: The roll was asked for.
    """
    demand_a4(paper, PAPER)
    if not receipt.documents:
        raise PaperFactsError(PAPER, "没有要送达的文书", "nothing is served")

    def draw(sheet: Sheet) -> None:
        put_heading(sheet, receipt.office, PAPER, "Receipt of Service", receipt.number)
        put_facts(sheet, _list_facts(receipt))
        put_section(sheet, "送达文书")
        columns = (
            Column("序号", 8, centred=True),
            Column("文书名称", 54),
            Column("文号（证号）", 42),
            Column("份数", 10, centred=True),
        )
        rows = [
            (str(place), each.title, each.number, format_count(each.copies))
            for place, each in enumerate(receipt.documents, 1)
        ]
        put_table(sheet, columns, rows)
        put_section(sheet, "签收")
        put_signature_lines(
            sheet, ("受送达人（签名或者盖章）：", "代收人（签名）及与受送达人关系：")
        )
        put_section(sheet, "送达")
        named = [f"送达人（签名）：{name}" for name in receipt.servers] or ["送达人（签名）："] * 2
        put_signature_lines(sheet, (*named, "拒收事由及见证人（签名）："))
        put_gap(sheet, 3)
        for ordinal, text in enumerate(_NOTES, 1):
            put_note(sheet, f"注{ordinal}：{text}")
        put_note(sheet, "Signed by the person the papers are served on, or by who takes them.")

    return draw_paper(draw, paper, fonts, receipt.made_at, f"办件编号：{receipt.case.number}")


def _list_facts(receipt: ServiceReceipt) -> list[tuple[str, str]]:
    served = "" if receipt.served_at is None else format_moment(receipt.served_at)
    method = "　".join(
        f"{'■' if each is receipt.method else '□'} {each.value}" for each in ServiceMethod
    )
    return [
        ("案由（事项）", receipt.case.item_name),
        ("办件编号", receipt.case.number),
        ("受送达人", receipt.addressee),
        ("送达地点", receipt.place),
        ("送达方式", method),
        ("邮件号码", receipt.tracking),
        ("送达时间", served or "年    月    日    时    分"),
        ("备注", receipt.note),
    ]
