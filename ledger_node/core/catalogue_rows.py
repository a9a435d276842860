"""Reading and writing rows of a catalogue: which members a row has, and how each is read.

Step 6 of the data flow. The member names of the format are the attribute names of the dataclasses
in catalogue.py; this table is what JSON and spreadsheets share. Spec: docs/spec/catalogue.md.

Invariants:
    * Every member is read by itself, so that one file's findings are all named at once.
    * A member that a row does not have is refused; so is one that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeAlias

from ledger_node.core.canonical import JsonObject, JsonValue, require_int, require_list
from ledger_node.core.catalogue import (
    BasisRow,
    Bundle,
    City,
    Condition,
    Equivalence,
    MaterialType,
    Need,
    Places,
    ServiceItem,
    ServiceList,
)
from ledger_node.core.catalogue_findings import Finding, FindingCode, Severity
from ledger_node.core.catalogue_words import (
    BasisKind,
    DayUnit,
    Decides,
    HomeBy,
    ListKind,
    Mode,
    Necessity,
    Presence,
    SubjectKind,
    Wanted,
    Whose,
)
from ledger_node.core.dates import ImpossibleDateError, read_date
from ledger_node.core.errors import LedgerError
from ledger_node.core.shapes import (
    demand_distinct,
    demand_not_empty,
    read_choice,
    read_city,
    read_flag,
    read_name,
    read_short_text,
    refuse_shape,
)
from ledger_node.core.types import CityId

ALL: Final = "all"
MAX_NOTE_CHARS: Final = 1000
MAX_DAYS: Final = 3660

Reader: TypeAlias = Callable[[JsonValue], object]


def _note(value: JsonValue) -> str:
    if not isinstance(value, str) or len(value) > MAX_NOTE_CHARS:
        raise refuse_shape("note", "应为不超过 1000 字的文本", "text of at most 1000 characters")
    return value


def _number(value: JsonValue, minimum: int = 0) -> int:
    number = require_int(value, what="number")
    if not minimum <= number <= MAX_DAYS:
        raise refuse_shape(
            "number", f"应在 {minimum} 至 {MAX_DAYS} 之间", f"{minimum} to {MAX_DAYS} is expected"
        )
    return number


def _codes(value: JsonValue, *, empty: bool = False) -> tuple[str, ...]:
    found = tuple(read_name(each, what="code") for each in require_list(value, what="codes"))
    demand_distinct(found, what="codes")
    if not empty:
        demand_not_empty(found, what="codes")
    return found


def _cities(value: JsonValue) -> tuple[CityId, ...]:
    found = tuple(read_city(each, what="city") for each in require_list(value, what="cities"))
    if list(found) != sorted(set(found)):
        raise refuse_shape("cities", "应按区划码升序且不重复", "ascending and distinct, please")
    return found


def _places(value: JsonValue) -> Places:
    return None if value == ALL else _cities(value)


def _optional(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _choice(choices: type[StrEnum]) -> Reader:
    return partial(read_choice, choices=choices, what="choice")


_CODE: Final[Reader] = partial(read_name, what="code")
_TEXT: Final[Reader] = partial(read_short_text, what="text")
_FLAG: Final[Reader] = partial(read_flag, what="flag")
_DAY: Final[Reader] = partial(read_date, what="date")
_FROM_ONE: Final[Reader] = partial(_number, minimum=1)

ROWS: Final[Mapping[type[Any], Mapping[str, Reader]]] = {
    City: {"code": partial(read_city, what="city"), "zh": _TEXT},
    MaterialType: {
        "code": _CODE,
        "version": _FROM_ONE,
        "zh": _TEXT,
        "en": _TEXT,
        "issuer_zh": _TEXT,
        "subject": _choice(SubjectKind),
        "sensitive": _FLAG,
        "single_use": _FLAG,
        "validity_months": _optional(_FROM_ONE),
        "retention_years": _optional(_FROM_ONE),
        "supersedes": _optional(_CODE),
        "note": _note,
    },
    Condition: {"code": _CODE, "question_zh": _TEXT, "question_en": _TEXT},
    BasisRow: {
        "code": _CODE,
        "kind": _choice(BasisKind),
        "instrument_zh": _TEXT,
        "article_zh": _TEXT,
        "text_zh": _TEXT,
        "text_en": _TEXT,
        "in_force_from": _DAY,
        "in_force_until": _optional(_DAY),
        "second_officer": _FLAG,
    },
    ServiceList: {
        "code": _CODE,
        "zh": _TEXT,
        "en": _TEXT,
        "kind": _choice(ListKind),
        "members": _places,
        "receiving": _cities,
        "deciding": _cities,
        "batch": _FROM_ONE,
        "effective_from": _DAY,
        "note": _note,
    },
    ServiceItem: {
        "code": _CODE,
        "scheme": _CODE,
        "zh": _TEXT,
        "en": _TEXT,
        "subject": _choice(SubjectKind),
        "field_zh": _TEXT,
        "lists": _codes,
        "mode": _choice(Mode),
        "receive": _places,
        "accept": _places,
        "decides": _choice(Decides),
        "decide_cities": _cities,
        "home_by": _optional(_choice(HomeBy)),
        "presence": _choice(Presence),
        "instant": _FLAG,
        "statutory_days": _optional(_FROM_ONE),
        "statutory_unit": _choice(DayUnit),
        "promised_days": _number,
        "result": _optional(_CODE),
        "surrender": partial(_codes, empty=True),
        "effective_from": _DAY,
        "effective_until": _optional(_DAY),
        "note": _note,
    },
    Need: {
        "zh": _TEXT,
        "en": _TEXT,
        "any_of": _codes,
        "freshness_days": _optional(_FROM_ONE),
        "necessity": _choice(Necessity),
        "basis": _CODE,
        "event_date": _FLAG,
        "condition": _optional(_CODE),
        "whose": _choice(Whose),
        "wanted": _choice(Wanted),
    },
    Bundle: {"code": _CODE, "zh": _TEXT, "en": _TEXT, "items": _codes},
    Equivalence: {"wanted": _CODE, "substitute": _CODE, "item": _optional(_CODE), "note": _note},
}
"""Members of each kind of row, in the order they are written; `needs` of an item stand apart."""


def read_row(
    kind: type[Any],
    value: JsonValue,
    path: str,
    findings: list[Finding],
    *,
    besides: tuple[str, ...] = (),
) -> dict[str, Any] | None:
    """Members of one row, each read; None if any is wrong, every finding then in `findings`.

    Args:
        besides: Names of members the caller reads itself.
    """
    if not isinstance(value, dict):
        findings.append(wrong(path, "应为对象。", "an object is expected."))
        return None
    before = len(findings)
    readers = ROWS[kind]
    for name in sorted(value.keys() - readers.keys() - {*besides}):
        findings.append(
            Finding(
                FindingCode.MEMBER_UNKNOWN,
                Severity.ERROR,
                f"{path}.{name[:64]}",
                "没有这一栏，请删除。",
                "there is no such member; remove it.",
            )
        )
    read = {
        name: _read_member(value, name, reader, f"{path}.{name}", findings)
        for name, reader in readers.items()
    }
    return read if len(findings) == before else None


def wrong(path: str, zh: str, en: str) -> Finding:
    """A value that is not what stands there."""
    return Finding(FindingCode.VALUE_WRONG, Severity.ERROR, path, zh, en)


def write_row(row: object) -> JsonObject:
    """A row as the format has it."""
    return {name: _write(getattr(row, name), name) for name in ROWS[type(row)]}


def _read_member(
    value: JsonObject, name: str, reader: Reader, path: str, findings: list[Finding]
) -> object:
    if name not in value:
        findings.append(
            Finding(
                FindingCode.MEMBER_MISSING,
                Severity.ERROR,
                path,
                "缺少这一栏，请补上。",
                "this member is missing; add it.",
            )
        )
        return None
    try:
        return reader(value[name])
    except ImpossibleDateError as error:
        findings.append(
            Finding(
                FindingCode.DATE_IMPOSSIBLE,
                Severity.ERROR,
                path,
                error.message_zh,
                error.message_en,
            )
        )
    except LedgerError as error:
        findings.append(wrong(path, error.message_zh, error.message_en))
    return None


def _write(value: object, name: str) -> JsonValue:
    if name in ("receive", "accept", "members") and value is None:
        return ALL
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [str(each) for each in value]
    assert value is None or isinstance(value, str | int)
    return value.value if isinstance(value, StrEnum) else value
