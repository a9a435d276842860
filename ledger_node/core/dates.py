"""Calendar dates in the formats people and cities exchange: one spelling, `2026-01-31`."""

from __future__ import annotations

import re
from datetime import date

from ledger_node.core.canonical import JsonValue
from ledger_node.core.errors import MalformedInputError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ImpossibleDateError(MalformedInputError):
    """A date that the calendar does not have, or that is not written `2026-01-31`."""

    code = "impossible_date"


def read_date(value: JsonValue, *, what: str) -> date:
    """Read a calendar date, `2026-01-31`.

    Raises:
        ImpossibleDateError: Another spelling, or a day the calendar does not have.
    """
    try:
        if not isinstance(value, str) or _DATE.fullmatch(value) is None:
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise ImpossibleDateError(
            f"{what}：没有这一天，日期写作 2026-01-31。",
            f"{what}: there is no such day; a date is written 2026-01-31.",
        ) from None
