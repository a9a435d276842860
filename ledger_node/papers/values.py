"""What every paper is made of: sizes, fonts, the office that issues it, the people named on it.

Everything a paper shows is in its dataclass; nothing is looked up while it is drawn. Names of
persons stand as printed on their card; numbers stand as the caller masked them (`mask_number`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ledger_node.core.errors import InvariantError, MalformedInputError

CODE_KEPT_FIRST = 4
CODE_KEPT_LAST = 4


class PaperSize(StrEnum):
    """On what a paper is printed."""

    A4 = "a4"
    THERMAL_80 = "80mm"  # roll paper; as high as its content


class PaperSizeNotOfferedError(MalformedInputError):
    """This paper is not made in that size. Fields: paper, size."""

    code = "paper_size_not_offered"

    def __init__(self, paper: str, size: PaperSize) -> None:
        super().__init__(
            f"“{paper}”没有 {size.value} 规格，请选用 A4。",
            f"{paper} is not made in size {size.value}; choose A4.",
            paper=paper,
            size=size.value,
        )


class PaperFactsError(MalformedInputError):
    """The facts do not make this paper. Fields: paper, reason."""

    code = "paper_facts"

    def __init__(self, paper: str, reason_zh: str, reason_en: str) -> None:
        super().__init__(
            f"无法制作“{paper}”：{reason_zh}。请补全后重试。",
            f"{paper} cannot be made: {reason_en}; complete the facts and try again.",
            paper=paper,
            reason=reason_en,
        )


class QrContentError(InvariantError):
    """A QR code was to carry something secret or personal. Fields: paper (never the content)."""

    code = "qr_content"

    def __init__(self, paper: str) -> None:
        super().__init__(
            f"“{paper}”的二维码含有不应公开的内容，已停止制作。请报告管理员。",
            f"The QR code of {paper} carries what must not be public; stopped.",
            paper=paper,
        )


@dataclass(frozen=True, slots=True)
class Fonts:
    """Font files papers are set in.

    Attributes:
        regular: TrueType file with Chinese glyphs; one weight, embedded as a subset.
    """

    regular: Path


@dataclass(frozen=True, slots=True)
class Office:
    """The office whose paper it is.

    Attributes:
        name: As it signs: 成都市武侯区行政审批局.
        outlet: Centre and window, for example 武侯区政务服务中心 3 号窗口; may be empty.
        address, phone: Where and how people reach it; may be empty.
    """

    name: str
    outlet: str = ""
    address: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """A person or enterprise named on a paper.

    Attributes:
        name: As printed on the card or licence.
        number: Identifier as it is to be printed, normally masked; may be empty.
        number_label: What the number is, for example 身份证号.
    """

    name: str
    number: str = ""
    number_label: str = "证件号码"


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The case a notice speaks of.

    Attributes:
        number: 办件编号.
        item_name, item_name_en, item_code: The service item.
        applicant: 申请人.
        agent: 代办人 or 监护人 who came, or None.
        agent_role: How the agent is called.
    """

    number: str
    item_name: str
    item_code: str
    applicant: Party
    item_name_en: str = ""
    agent: Party | None = None
    agent_role: str = "代办人"


def mask_number(number: str) -> str:
    """First and last four characters of an identifier, the rest as asterisks."""
    hidden = len(number) - CODE_KEPT_FIRST - CODE_KEPT_LAST
    if hidden <= 0:
        return "*" * len(number)
    return number[:CODE_KEPT_FIRST] + "*" * hidden + number[-CODE_KEPT_LAST:]


def check_qr_text(paper: str, text: str, private: tuple[str, ...]) -> None:
    """Refuse QR contents that carry a private text of the paper, or are no plain ASCII.

    Args:
        private: Names, numbers and secrets that stand on the paper; empty ones are passed over.

    Raises:
        QrContentError: It does.
    """
    plain = text.replace("-", "").casefold()
    hits = (each.replace("-", "").casefold() in plain for each in private if each)
    if not text or not text.isascii() or any(hits):
        raise QrContentError(paper)
