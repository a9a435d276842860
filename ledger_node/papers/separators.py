"""Separator sheets for batch scanning: a QR code that says which paper follows.

Contents: `tongban:sep:v1:<case or batch id>:<type code>:<ordinal>`, ASCII; the id is one the node
handed out and means nothing outside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ledger_node.papers.values import PaperFactsError

SEPARATOR_PREFIX = "tongban:sep:v1:"
PAPER = "批量扫描分隔页"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MAX_ORDINAL = 9999


@dataclass(frozen=True, slots=True)
class SeparatorSheet:
    """Facts of one separator sheet.

    Attributes:
        batch: Case or batch id, letters, digits, dot, hyphen, underscore; at most 64.
        type_code: Material type of the pages that follow; as `batch`.
        ordinal: 1 to 9999: place in the batch.
        type_name, type_name_en: For people.
        made_at: When the file is made (aware).
    """

    batch: str
    type_code: str
    ordinal: int
    type_name: str
    made_at: datetime
    type_name_en: str = ""


def build_separator_text(batch: str, type_code: str, ordinal: int) -> str:
    """What the QR code of a separator sheet says.

    Raises:
        PaperFactsError: An id or the ordinal is not of the form above.
    """
    named = _ID.fullmatch(batch) and _ID.fullmatch(type_code)
    if not named or not 1 <= ordinal <= MAX_ORDINAL:
        raise PaperFactsError(PAPER, "批次、类型或序号不合格式", "batch, type or ordinal is wrong")
    return f"{SEPARATOR_PREFIX}{batch}:{type_code}:{ordinal}"
