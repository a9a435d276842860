"""What a separator sheet says: `tongban:sep:v1:<case or batch id>:<type code>:<ordinal>`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(
    r"tongban:sep:v1:([A-Za-z0-9][A-Za-z0-9._-]{0,63}):([A-Za-z0-9][A-Za-z0-9._-]{0,63}):"
    r"([1-9][0-9]{0,3})"
)


@dataclass(frozen=True, slots=True)
class Separator:
    """Which paper the pages after the sheet are.

    Attributes:
        batch: Case or batch id the sheet was printed for.
        type_code: Material type.
        ordinal: Place in the batch, 1 to 9999.
    """

    batch: str
    type_code: str
    ordinal: int


def parse_separator(text: str) -> Separator | None:
    """The sheet's facts; None for any other code that may stand on a paper."""
    found = _FORM.fullmatch(text)
    return Separator(found[1], found[2], int(found[3])) if found else None
