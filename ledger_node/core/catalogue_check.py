"""What contradicts what in a catalogue: every inconsistency with its place.

Step 6 of the data flow. Spec: docs/spec/catalogue.md, "Findings". Items: catalogue_check_items.py.

Invariants:
    * The same catalogue gives the same findings, in the order of its tables.
    * An error makes a catalogue unfit for a vote; a warning is for a person to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ledger_node.core.catalogue import Catalogue, Need, ServiceItem, ServiceList
from ledger_node.core.catalogue_check_items import check_item
from ledger_node.core.catalogue_findings import Finding, FindingCode, Severity
from ledger_node.core.catalogue_words import ListKind, SubjectKind

_F: Final = FindingCode


def check_catalogue(catalogue: Catalogue) -> tuple[Finding, ...]:
    """Every finding of a catalogue whose rows were read."""
    return tuple(_check(catalogue))


def _check(catalogue: Catalogue) -> Iterator[Finding]:
    yield from _check_types(catalogue)
    yield from _check_conditions(catalogue)
    for number, basis in enumerate(catalogue.bases.values()):
        if basis.in_force_until is not None and basis.in_force_until <= basis.in_force_from:
            yield _reversed(f"bases[{number}].in_force_until")
    for number, each in enumerate(catalogue.lists.values()):
        yield from _check_list(catalogue, each, f"lists[{number}]")
    for number, item in enumerate(catalogue.items.values()):
        yield from check_item(catalogue, item, f"items[{number}]")
    yield from _check_bundles(catalogue)
    yield from _check_equivalences(catalogue)


def _check_types(catalogue: Catalogue) -> Iterator[Finding]:
    used = {code for need in _needs(catalogue) for code in need.any_of}
    for item in catalogue.items.values():
        used |= {*item.surrender, *([] if item.result is None else [item.result])}
    used |= {code for each in catalogue.equivalences for code in (each.wanted, each.substitute)}
    before = {
        code: [each.supersedes]
        for code, each in catalogue.types.items()
        if each.supersedes is not None
    }
    for number, (code, each) in enumerate(catalogue.types.items()):
        path = f"types[{number}]"
        if each.supersedes is not None and each.supersedes not in catalogue.types:
            yield _unknown(_F.TYPE_UNKNOWN, f"{path}.supersedes", each.supersedes)
        elif each.supersedes is not None and _reaches(before, each.supersedes, code):
            yield Finding(
                _F.SUPERSESSION_CYCLE,
                Severity.ERROR,
                f"{path}.supersedes",
                f"材料类型“{each.zh}”绕一圈又取代了自己，请断开。",
                f"type {code} supersedes itself in a circle; break it.",
            )
        if code not in used:
            yield Finding(
                _F.TYPE_UNUSED,
                Severity.WARNING,
                f"{path}.code",
                f"没有事项用到材料类型“{each.zh}”。",
                f"no item uses type {code}.",
            )


def _check_conditions(catalogue: Catalogue) -> Iterator[Finding]:
    used = {need.condition for need in _needs(catalogue)}
    for number, code in enumerate(catalogue.condition_rows):
        if code not in used:
            yield Finding(
                _F.CONDITION_UNUSED,
                Severity.WARNING,
                f"conditions[{number}].code",
                "没有需要项用到这个情形，问了也不起作用。",
                f"no need hangs on condition {code}.",
            )


def _check_list(catalogue: Catalogue, each: ServiceList, path: str) -> Iterator[Finding]:
    for name in ("members", "receiving", "deciding"):
        for city in getattr(each, name) or ():
            if city not in catalogue.cities:
                yield _unknown(_F.CITY_UNKNOWN, f"{path}.{name}", city)
    sides = (*each.receiving, *each.deciding)
    if each.kind is ListKind.CONSORTIUM:
        wrong = bool(sides) or each.members == ()
    else:
        wrong = not (each.receiving and each.deciding) or tuple(sorted(sides)) != each.members
    if wrong:
        yield Finding(
            _F.SIDES_WRONG,
            Severity.ERROR,
            f"{path}.members",
            "双边和单向清单的两边合起来应正好是全部成员城市；联盟清单不分两边，成员不能为空。",
            "the two sides of a bilateral or directed list are together exactly its members; a "
            "list of the consortium has members and no sides.",
        )
    if not any(each.code in item.lists for item in catalogue.items.values()):
        yield Finding(
            _F.LIST_EMPTY,
            Severity.WARNING,
            f"{path}.code",
            "这份清单没有任何事项。",
            f"list {each.code} has no item.",
        )


def _check_bundles(catalogue: Catalogue) -> Iterator[Finding]:
    for number, bundle in enumerate(catalogue.bundles.values()):
        path = f"bundles[{number}].items"
        known: list[ServiceItem] = []
        for code in bundle.items:
            if code in catalogue.items:
                known.append(catalogue.items[code])
            else:
                yield _unknown(_F.ITEM_UNKNOWN, path, code)
        subjects = {item.subject for item in known} - {SubjectKind.EITHER}
        if len(subjects) > 1:
            yield Finding(
                _F.BUNDLE_MIXED,
                Severity.WARNING,
                path,
                "一件事里既有个人事项又有企业事项，请确认申请人是谁。",
                "items for persons and for enterprises stand together; check who applies.",
            )
        yield from _check_order(known, path)


def _check_order(items: Sequence[ServiceItem], path: str) -> Iterator[Finding]:
    """An item that needs what a later one of the bundle issues, and nothing else serves."""
    for number, item in enumerate(items):
        later = {each.result for each in items[number + 1 :]} - {None, item.result}
        for need in item.needs:
            if need.condition is None and set(need.any_of) <= later:
                yield Finding(
                    _F.BUNDLE_ORDER,
                    Severity.WARNING,
                    path,
                    f"“{item.zh}”要用到本套中排在后面的事项的结果，请调整顺序。",
                    f"{item.code} needs the result of a later item of the bundle; reorder.",
                )


def _check_equivalences(catalogue: Catalogue) -> Iterator[Finding]:
    serves: dict[str, list[str]] = {}
    for each in catalogue.equivalences:
        serves.setdefault(each.substitute, []).append(each.wanted)
    for number, each in enumerate(catalogue.equivalences):
        path = f"equivalences[{number}]"
        for name in ("wanted", "substitute"):
            if getattr(each, name) not in catalogue.types:
                yield _unknown(_F.TYPE_UNKNOWN, f"{path}.{name}", getattr(each, name))
        if each.item is not None and each.item not in catalogue.items:
            yield _unknown(_F.ITEM_UNKNOWN, f"{path}.item", each.item)
        if _reaches(serves, each.wanted, each.substitute):
            yield Finding(
                _F.EQUIVALENCE_CYCLE,
                Severity.ERROR,
                path,
                "这些等同关系绕成一圈，分不出谁代替谁，请断开。",
                "these equivalences run in a circle; nothing says which serves for which.",
            )


def _needs(catalogue: Catalogue) -> Iterator[Need]:
    for item in catalogue.items.values():
        yield from item.needs


def _reaches(steps: Mapping[str, Sequence[str]], start: str, goal: str) -> bool:
    """Whether `goal` is `start` or is reached from it."""
    seen: set[str] = set()
    open_ones = [start]
    while open_ones:
        code = open_ones.pop()
        if code == goal:
            return True
        if code not in seen:
            seen.add(code)
            open_ones += steps.get(code, ())
    return False


def _unknown(code: FindingCode, path: str, named: str) -> Finding:
    return Finding(
        code,
        Severity.ERROR,
        path,
        f"目录中没有 {named}，请先登记或改正代码。",
        f"the catalogue has no {named}; add it or mend the code.",
    )


def _reversed(path: str) -> Finding:
    return Finding(
        _F.DATES_REVERSED,
        Severity.ERROR,
        path,
        "结束日期应晚于开始日期。",
        "the end must be after the beginning.",
    )
