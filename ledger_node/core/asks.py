"""The smallest ask over several items: what is held, what must still be asked, and why.

Step 6 of the data flow. One item or a bundle (一件事); builds on needs.py, which says how each need
of one item stands. Spec: docs/spec/catalogue.md, "The smallest ask".

Invariants:
    * No paper is asked for twice: the papers asked for are as few as meet all open needs, and no
      smaller set would.
    * What an earlier item of the bundle issues is not asked for a later one.
    * A need that is not asked says why not; one refused item takes no other with it.
Not here: who has what (the find), who may see it (grant.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ledger_node.core.catalogue import Catalogue, Need, ServiceItem
from ledger_node.core.catalogue_words import Necessity, Wanted, Whose
from ledger_node.core.needs import NeedState, NeedStatus, list_need_statuses
from ledger_node.core.types import CityId


class AskReason(StrEnum):
    """Why a need is asked, or is not."""

    IDENTIFIED = "identified"
    HELD_HERE = "held_here"
    HELD_ELSEWHERE = "held_elsewhere"
    ISSUED_BEFORE = "issued_before"  # an earlier item of the bundle issues it
    NOT_NEEDED = "not_needed"
    OPTIONAL = "optional"
    MAY_BE_HELD = "may_be_held"  # other cities are asked once the person agrees
    NOBODY_HAS_IT = "nobody_has_it"
    NOT_AGREED = "not_agreed"


_REASONS: Final[Mapping[NeedState, AskReason]] = {
    NeedState.IDENTIFIED: AskReason.IDENTIFIED,
    NeedState.HELD_HERE: AskReason.HELD_HERE,
    NeedState.HELD_ELSEWHERE: AskReason.HELD_ELSEWHERE,
    NeedState.NOT_NEEDED: AskReason.NOT_NEEDED,
    NeedState.OPTIONAL: AskReason.OPTIONAL,
    NeedState.UNKNOWN: AskReason.MAY_BE_HELD,
    NeedState.MUST_ASK: AskReason.NOBODY_HAS_IT,
    NeedState.NOT_AGREED: AskReason.NOT_AGREED,
}
OPEN_REASONS: Final = frozenset(
    {AskReason.MAY_BE_HELD, AskReason.NOBODY_HAS_IT, AskReason.NOT_AGREED}
)
_LEAST: Final = (Wanted.CHECK, Wanted.FIELDS, Wanted.DOCUMENT)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a person; members as in `list_need_statuses`."""

    conditions: Collection[str] = ()
    held_here: Collection[str] = ()
    identified: bool = False
    found: Mapping[CityId, Collection[str]] | None = None
    agreed: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class AskLine:
    """One need of one item, and why it is asked or not; its types include equivalent ones."""

    item: str
    need: Need
    reason: AskReason
    type_code: str | None
    city: CityId | None


@dataclass(frozen=True, slots=True)
class Ask:
    """One paper to ask for.

    Attributes:
        whose: Whose paper.
        type_code: The one that meets every need it stands for.
        wanted: The least that serves all of them.
        later: None of them has to be met today (容缺后补).
        lines: What it stands for.
    """

    whose: Whose
    type_code: str
    wanted: Wanted
    later: bool
    lines: tuple[AskLine, ...]


@dataclass(frozen=True, slots=True)
class AskPlan:
    """Every need with its reason, and the papers still to be asked for."""

    lines: tuple[AskLine, ...]
    asks: tuple[Ask, ...]


def plan_asks(catalogue: Catalogue, items: Sequence[ServiceItem], situation: Situation) -> AskPlan:
    """What has to be asked for these items, in the order they are handled."""
    lines: list[AskLine] = []
    issued: set[str] = set()
    for item in items:
        statuses = list_need_statuses(
            expand_item(catalogue, item),
            situation.conditions,
            situation.held_here,
            identified=situation.identified,
            found=situation.found,
            agreed=situation.agreed,
        )
        lines += [_explain(item, status, issued) for status in statuses]
        if item.result is not None:
            issued.add(item.result)
    return AskPlan(tuple(lines), tuple(_list_asks(lines)))


def expand_item(catalogue: Catalogue, item: ServiceItem) -> ServiceItem:
    """The item with equivalent types added to its needs, after those it names."""
    return replace(
        item,
        needs=tuple(replace(each, any_of=_expand(catalogue, item, each)) for each in item.needs),
    )


def _expand(catalogue: Catalogue, item: ServiceItem, need: Need) -> tuple[str, ...]:
    """What serves, and what serves for that: equivalences run in no circle."""
    found = list(need.any_of)
    for code in found:  # grows while it is walked
        found += [
            each.substitute
            for each in catalogue.equivalences
            if each.wanted == code
            and each.item in (None, item.code)
            and each.substitute not in found
        ]
    return tuple(found)


def choose_fewest(needs: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The fewest types such that each need holds one of them; of several such sets the one that
    prefers what stands first in the needs. No need is empty.

    Papers are few, so all sets are tried, smallest first, after what leaves no choice.
    """
    chosen = list(dict.fromkeys(need[0] for need in needs if len(set(need)) == 1))
    rest = [need for need in needs if not set(need) & set(chosen)]
    limit = 0
    while (found := _search(rest, limit)) is None:
        limit += 1
    return (*chosen, *found)


def _search(needs: Sequence[Sequence[str]], limit: int) -> tuple[str, ...] | None:
    """At most `limit` types that meet all needs: one of the first need is in every such set."""
    if not needs:
        return ()
    if limit == 0:
        return None
    for code in needs[0]:
        found = _search([need for need in needs if code not in need], limit - 1)
        if found is not None:
            return (code, *found)
    return None


def _explain(item: ServiceItem, status: NeedStatus, issued: Collection[str]) -> AskLine:
    reason, code = _REASONS[status.state], status.type_code
    if reason in OPEN_REASONS:
        coming = next((each for each in status.need.any_of if each in issued), None)
        if coming is not None:
            reason, code = AskReason.ISSUED_BEFORE, coming
    return AskLine(item.code, status.need, reason, code, status.city)


def _list_asks(lines: Sequence[AskLine]) -> list[Ask]:
    """One ask per paper, by whose it is, in the order its first need stands."""
    asks = []
    open_lines = [line for line in lines if line.reason in OPEN_REASONS]
    for whose in dict.fromkeys(line.need.whose for line in open_lines):
        left = [line for line in open_lines if line.need.whose is whose]
        for code in choose_fewest([line.need.any_of for line in left]):
            met = tuple(line for line in left if code in line.need.any_of)
            left = [line for line in left if code not in line.need.any_of]
            if met:
                wanted = max((line.need.wanted for line in met), key=_LEAST.index)
                later = all(line.need.necessity is Necessity.DEFER for line in met)
                asks.append(Ask(whose, code, wanted, later, met))
    return asks
