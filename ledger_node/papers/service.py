"""送达回证: proof that papers were handed over, signed by who took them.

The form of the Civil Procedure Law, article 87 [known], which offices use for their own papers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ledger_node.papers.values import CaseFacts, Office


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
