"""Which city may take, accept and decide a case of an item: typed answers, never a guess.

Step 6 and 10. Spec: docs/spec/catalogue.md, "Who decides".

Invariants:
    * A case goes only to a city that decides its item; a home outside the item's lists is answered
      with the paper route, not with another city.
    * A directed list lets papers go one way only.
"""

from __future__ import annotations

from datetime import date

from ledger_node.core.catalogue import Catalogue, ServiceItem, ServiceList
from ledger_node.core.catalogue_words import Decides, ListKind
from ledger_node.core.errors import NotPermittedError
from ledger_node.core.types import CityId


class ItemNotEffectiveError(NotPermittedError):
    """The item cannot be asked for on this day. Fields: item."""

    code = "item_not_effective"


class ItemNotTakenHereError(NotPermittedError):
    """This city does not take papers for the item, or does not accept it. Fields: item, city."""

    code = "item_not_taken_here"


class HomeCityMissingError(NotPermittedError):
    """The home city decides the item, and nobody said which city that is. Fields: item, home_by."""

    code = "home_city_missing"


class HomeOutsideListsError(NotPermittedError):
    """The home city is on no list of the item: the paper route is left. Fields: item, city."""

    code = "home_outside_lists"


class CityDoesNotDecideError(NotPermittedError):
    """The case was to go to a city that does not decide the item. Fields: item, city."""

    code = "city_does_not_decide"


def demand_received(catalogue: Catalogue, item: ServiceItem, city: CityId, on: date) -> None:
    """Check that a city takes papers for an item on a day (收件).

    Raises:
        ItemNotEffectiveError: Not on this day.
        ItemNotTakenHereError: Not in this city.
    """
    if not item.is_effective(on):
        raise ItemNotEffectiveError(
            f"事项“{item.zh}”在 {on} 不办理。",
            f"Item {item.code} cannot be asked for on {on}.",
            item=item.code,
        )
    if city not in catalogue.places(item.receive):
        raise _not_taken(item, city)


def list_deciding_cities(
    catalogue: Catalogue, item: ServiceItem, accepting: CityId, home: CityId | None, on: date
) -> tuple[CityId, ...]:
    """Cities that decide a case accepted in `accepting` on a day; more than one decide each apart.

    Args:
        home: City that `item.home_by` points to; None if it is not known.

    Raises:
        ItemNotEffectiveError, ItemNotTakenHereError: It cannot be accepted there.
        HomeCityMissingError: Home decides and is not known.
        HomeOutsideListsError: Home decides and is on no list with the accepting city.
    """
    demand_received(catalogue, item, accepting, on)
    if accepting not in catalogue.places(item.accept):
        raise _not_taken(item, accepting)
    if item.decides is Decides.NAMED:
        return item.decide_cities
    if item.decides is Decides.ACCEPTING:
        return (accepting,)
    if home is None:
        raise HomeCityMissingError(
            f"事项“{item.zh}”由归属地决定，请先确定归属地。",
            f"Item {item.code} is decided at home; say first which city that is.",
            item=item.code,
            home_by=None if item.home_by is None else item.home_by.value,
        )
    if home != accepting and not _is_joined(catalogue, item, accepting, home, on):
        raise HomeOutsideListsError(
            f"归属地 {home} 与 {accepting} 不在该事项的同一份清单上，请按原途径向归属地申请。",
            f"Home {home} is on no list of the item with {accepting}; apply there as before.",
            item=item.code,
            city=home,
        )
    return (home,)


def demand_decides(
    catalogue: Catalogue,
    item: ServiceItem,
    accepting: CityId,
    home: CityId | None,
    to: CityId,
    on: date,
) -> None:
    """Check that a case may go to a city for its decision.

    Raises:
        CityDoesNotDecideError: That city does not decide it; and as `list_deciding_cities`.
    """
    if to not in list_deciding_cities(catalogue, item, accepting, home, on):
        raise CityDoesNotDecideError(
            f"城市 {to} 不决定事项“{item.zh}”。",
            f"City {to} does not decide item {item.code}.",
            item=item.code,
            city=to,
        )


def _is_joined(
    catalogue: Catalogue, item: ServiceItem, accepting: CityId, home: CityId, on: date
) -> bool:
    """Whether a list of the item in effect lets one accept and the other decide."""
    lists = (catalogue.lists[code] for code in item.lists)
    return any(
        each.effective_from <= on and _joins(catalogue, each, accepting, home) for each in lists
    )


def _joins(catalogue: Catalogue, each: ServiceList, accepting: CityId, home: CityId) -> bool:
    if each.kind is ListKind.DIRECTED:
        return accepting in each.receiving and home in each.deciding
    return {accepting, home} <= set(catalogue.places(each.members))


def _not_taken(item: ServiceItem, city: CityId) -> ItemNotTakenHereError:
    return ItemNotTakenHereError(
        f"城市 {city} 不受理事项“{item.zh}”。",
        f"City {city} does not take item {item.code}.",
        item=item.code,
        city=city,
    )
