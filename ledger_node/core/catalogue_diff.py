"""What changed between two catalogues, row by row: what people read before they vote.

Step 6. Rows are matched by code (equivalences by what they say); their order is not compared.
Spec: docs/spec/catalogue.md, "Difference".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from ledger_node.core.canonical import JsonObject, JsonValue, encode_canonical
from ledger_node.core.catalogue import Catalogue
from ledger_node.core.catalogue_format import TABLES, write_catalogue


class ChangeKind(StrEnum):
    """What became of a row."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A member of a row before and after; for needs the path goes down to the member."""

    member: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that is not what it was; `members` is empty unless it changed."""

    table: str
    code: str
    kind: ChangeKind
    members: tuple[MemberChange, ...] = ()


def compare_catalogues(before: Catalogue, after: Catalogue) -> tuple[RowChange, ...]:
    """Every difference, by table, then by code; empty exactly if only order or version differ."""
    one, two = write_catalogue(before), write_catalogue(after)
    changes: list[RowChange] = []
    for table in TABLES:
        old, new = _by_code(one[table]), _by_code(two[table])
        for code in sorted(old.keys() | new.keys()):
            change = _compare_rows(table, code, old.get(code), new.get(code))
            if change is not None:
                changes.append(change)
    return tuple(changes)


def encode_changes(changes: Sequence[RowChange]) -> list[JsonValue]:
    """As plain JSON, for machines."""
    return [
        {
            "table": each.table,
            "code": each.code,
            "change": each.kind.value,
            "members": [
                {"member": one.member, "before": one.before, "after": one.after}
                for one in each.members
            ],
        }
        for each in changes
    ]


def _by_code(rows: JsonValue) -> dict[str, JsonObject]:
    """Rows by code; a row without one is named by everything it says but its note."""
    return {_name(row): row for row in cast("list[JsonObject]", rows)}


def _name(row: JsonObject) -> str:
    if "code" in row:
        return str(row["code"])
    return " ".join(str(value) for name, value in row.items() if name != "note")


def _compare_rows(
    table: str, code: str, old: JsonObject | None, new: JsonObject | None
) -> RowChange | None:
    if old is None:
        return RowChange(table, code, ChangeKind.ADDED)
    if new is None:
        return RowChange(table, code, ChangeKind.REMOVED)
    members = tuple(_compare_members(old, new, ""))
    return RowChange(table, code, ChangeKind.CHANGED, members) if members else None


def _compare_members(
    old: Mapping[str, JsonValue], new: Mapping[str, JsonValue], prefix: str
) -> list[MemberChange]:
    found: list[MemberChange] = []
    for name in old:
        one, two = old[name], new[name]
        if name == "needs":
            found += _compare_needs(cast("list[JsonObject]", one), cast("list[JsonObject]", two))
        elif encode_canonical(one) != encode_canonical(two):
            found.append(MemberChange(prefix + name, one, two))
    return found


def _compare_needs(old: Sequence[JsonObject], new: Sequence[JsonObject]) -> list[MemberChange]:
    """Needs by place: a need has no code of its own."""
    found: list[MemberChange] = []
    for number in range(max(len(old), len(new))):
        path = f"needs[{number}]"
        if number >= len(old):
            found.append(MemberChange(path, None, new[number]))
        elif number >= len(new):
            found.append(MemberChange(path, old[number], None))
        else:
            found += _compare_members(old[number], new[number], f"{path}.")
    return found
