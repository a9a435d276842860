"""What contradicts what in one item of a catalogue: places, limits, papers, needs.

Step 6 of the data flow. Spec: docs/spec/catalogue.md, "Findings". Used by catalogue_check.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger_node.core.catalogue import BasisRow, Catalogue, Need, ServiceItem, ServiceList
from ledger_node.core.catalogue_findings import Finding, FindingCode, Severity
from ledger_node.core.catalogue_words import Decides, ListKind

_F: Final = FindingCode
_NAMED: Final = (
    ("receive", _F.CITY_UNKNOWN),
    ("accept", _F.CITY_UNKNOWN),
    ("decide_cities", _F.CITY_UNKNOWN),
)


def check_item(catalogue: Catalogue, item: ServiceItem, path: str) -> Iterator[Finding]:
    """Every finding of one item."""
    yield from _check_places(catalogue, item, path)
    yield from _check_decider(item, path)
    yield from _check_lists(catalogue, item, path)
    yield from _check_limits(item, path)
    yield from _check_papers(catalogue, item, path)
    for number, need in enumerate(item.needs):
        yield from _check_need(catalogue, item, need, f"{path}.needs[{number}]")


def _check_places(catalogue: Catalogue, item: ServiceItem, path: str) -> Iterator[Finding]:
    for name, code in _NAMED:
        for city in getattr(item, name) or ():
            if city not in catalogue.cities:
                yield _error(code, f"{path}.{name}", f"没有城市 {city}。", f"no city {city}.")
    if item.accept == ():
        yield _error(
            _F.NOBODY_ACCEPTS,
            f"{path}.accept",
            "没有城市可以受理这个事项。",
            f"no city accepts {item.code}.",
        )
    missing = set(catalogue.places(item.accept)) - set(catalogue.places(item.receive))
    if missing:
        yield _error(
            _F.RECEIVES_NOT_ACCEPTS,
            f"{path}.receive",
            "能受理的城市也应能收件。",
            "a city that accepts also receives papers.",
        )


def _check_decider(item: ServiceItem, path: str) -> Iterator[Finding]:
    if item.decides is Decides.HOME and item.home_by is None:
        yield _error(
            _F.HOME_UNKNOWN,
            f"{path}.home_by",
            "由归属地决定，但没有写明按什么确定归属地。",
            "decided at home, but nothing says which city is home.",
        )
    if item.decides is Decides.NAMED and not item.decide_cities:
        yield _error(
            _F.NOBODY_DECIDES,
            f"{path}.decide_cities",
            "没有城市决定这个事项。",
            f"no city decides {item.code}.",
        )
    if item.decides is not Decides.NAMED and item.decide_cities:
        yield _error(
            _F.DECIDER_NOT_NAMED,
            f"{path}.decide_cities",
            "只有指定决定城市时才写明城市。",
            "cities stand here only where the deciding ones are named.",
        )


def _check_lists(catalogue: Catalogue, item: ServiceItem, path: str) -> Iterator[Finding]:
    lists = [catalogue.lists[code] for code in item.lists if code in catalogue.lists]
    for code in item.lists:
        if code not in catalogue.lists:
            yield _error(
                _F.LIST_UNKNOWN, f"{path}.lists", f"没有清单 {code}。", f"there is no list {code}."
            )
    if not lists:
        return
    for name, cities in (("accept", item.accept), ("decide_cities", item.decide_cities)):
        bound = {city for each in lists for city in _bound(catalogue, each, name)}
        outside = sorted(set(catalogue.places(cities)) - bound)
        if outside:
            yield _error(
                _F.OUTSIDE_LIST,
                f"{path}.{name}",
                f"城市 {'、'.join(outside)} 不在该事项所属清单的这一边。",
                f"{', '.join(outside)}: not on this side of any list the item belongs to.",
            )


def _bound(catalogue: Catalogue, each: ServiceList, name: str) -> tuple[str, ...]:
    """Cities a list lets accept or decide."""
    if each.kind is ListKind.DIRECTED:
        return each.receiving if name == "accept" else each.deciding
    return catalogue.places(each.members)


def _check_limits(item: ServiceItem, path: str) -> Iterator[Finding]:
    if item.effective_until is not None and item.effective_until <= item.effective_from:
        yield _error(
            _F.DATES_REVERSED,
            f"{path}.effective_until",
            "结束日期应晚于开始日期。",
            "the end must be after the beginning.",
        )
    if item.statutory_days is not None and item.promised_days > item.statutory_days:
        yield _error(
            _F.PROMISE_BEYOND_STATUTE,
            f"{path}.promised_days",
            "承诺时限长于法定时限。",
            "the promised limit is longer than the statutory one.",
        )
    if item.instant and item.promised_days > 0:
        yield _warning(
            _F.INSTANT_WITH_DAYS,
            f"{path}.promised_days",
            "即办件应当场办结，却写了承诺天数。",
            "decided on the spot, yet days are promised.",
        )


def _check_papers(catalogue: Catalogue, item: ServiceItem, path: str) -> Iterator[Finding]:
    if item.result is not None and item.result not in catalogue.types:
        yield _unknown_type(f"{path}.result", item.result)
    needed = {code for need in item.needs for code in need.any_of}
    for code in item.surrender:
        if code not in catalogue.types:
            yield _unknown_type(f"{path}.surrender", code)
        elif code not in needed:
            yield _warning(
                _F.SURRENDER_NOT_NEEDED,
                f"{path}.surrender",
                f"要收回原件 {code}，但需要项里没有它。",
                f"the original of {code} is handed in, yet no need names it.",
            )
    seen: set[object] = set()
    for number, need in enumerate(item.needs):
        same = (need.any_of, need.condition, need.whose)
        if same in seen:
            yield _error(
                _F.NEED_REPEATED,
                f"{path}.needs[{number}]",
                "同一情形、同一人的同一需要写了两遍。",
                "the same paper of the same person stands twice.",
            )
        seen.add(same)


def _check_need(
    catalogue: Catalogue, item: ServiceItem, need: Need, path: str
) -> Iterator[Finding]:
    for code in need.any_of:
        if code not in catalogue.types:
            yield _unknown_type(f"{path}.any_of", code)
    if need.condition is not None and need.condition not in catalogue.condition_rows:
        yield _error(
            _F.CONDITION_UNKNOWN,
            f"{path}.condition",
            f"没有情形 {need.condition}。",
            f"there is no condition {need.condition}.",
        )
    basis = catalogue.bases.get(need.basis)
    if basis is None:
        yield _error(
            _F.BASIS_UNKNOWN,
            f"{path}.basis",
            f"没有依据 {need.basis}。",
            f"there is no basis {need.basis}.",
        )
    elif not _covers(basis, item):
        yield _error(
            _F.BASIS_NOT_IN_FORCE,
            f"{path}.basis",
            f"依据 {need.basis} 在事项有效期内并不一直有效。",
            f"basis {need.basis} is not in force for as long as the item is.",
        )


def _covers(basis: BasisRow, item: ServiceItem) -> bool:
    """Whether a basis row is in force on every day the item can be asked for."""
    if item.effective_from < basis.in_force_from:
        return False
    if basis.in_force_until is None:
        return True
    return item.effective_until is not None and item.effective_until <= basis.in_force_until


def _unknown_type(path: str, code: str) -> Finding:
    return _error(
        _F.TYPE_UNKNOWN, path, f"没有材料类型 {code}。", f"there is no material type {code}."
    )


def _error(code: FindingCode, path: str, zh: str, en: str) -> Finding:
    return Finding(code, Severity.ERROR, path, zh, en)


def _warning(code: FindingCode, path: str, zh: str, en: str) -> Finding:
    return Finding(code, Severity.WARNING, path, zh, en)
