"""The catalogue: material types, service items and their needs; the smallest ask of a case.

Step 6 of the data flow (what must be found) and the source of "sensitive" for evidence. Functions
take parsed JSON; who reads the file is the edge. Spec: docs/spec/terms.md, section "Catalogue".

Invariants:
    * Every type, condition and list that is named exists; a code stands once.
    * A need is met by any one of its types; all needs that apply must be met or asked.
Not here: bundles and equivalences of the seed (one-matter bundles come with cases), who may
receive or decide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    require_int,
    require_list,
    require_text,
)
from ledger_node.core.errors import NotFoundError
from ledger_node.core.shapes import (
    demand_distinct,
    demand_not_empty,
    read_choice,
    read_flag,
    read_name,
    refuse_shape,
)

CATALOGUE_SCHEMA = "tongban-catalogue-seed/1"


class UnknownItemError(NotFoundError):
    """The catalogue has no such service item."""

    code = "unknown_item"


class Necessity(StrEnum):
    """Whether a need must be met now, may be met later (容缺后补), or helps only."""

    REQUIRED = "required"
    DEFER = "defer"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class MaterialType:
    """A type of material.

    Attributes:
        code: Stable code.
        zh, en: Names.
        issuer_zh: Who issues it.
        sensitive: A grant of it needs a second officer.
        validity_months: Usual validity, None if unlimited or unknown.
    """

    code: str
    zh: str
    en: str
    issuer_zh: str
    sensitive: bool
    validity_months: int | None


@dataclass(frozen=True, slots=True)
class Need:
    """What an item needs.

    Attributes:
        zh, en: In words.
        any_of: Types of which one meets it.
        freshness_days: How old the material may be at most, None if any.
        necessity: Required, deferrable or optional.
        statutory_basis: May be had by function instead of consent (city fills in the article).
        event_date: Must be valid on the date of the event, not of the decision.
        condition: Applies only if this condition holds; None: always.
    """

    zh: str
    en: str
    any_of: tuple[str, ...]
    freshness_days: int | None
    necessity: Necessity
    statutory_basis: bool
    event_date: bool
    condition: str | None


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """A service item: code, names, the lists it belongs to, and what it needs."""

    code: str
    zh: str
    en: str
    lists: tuple[str, ...]
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Types and items by code; conditions (情形) by code with their question, Chinese first."""

    types: Mapping[str, MaterialType]
    items: Mapping[str, ServiceItem]
    conditions: Mapping[str, tuple[str, str]]

    @property
    def sensitive_types(self) -> frozenset[str]:
        """Codes of the types that need a second officer."""
        return frozenset(code for code, each in self.types.items() if each.sensitive)

    def get_item(self, code: str) -> ServiceItem:
        """Item of a code.

        Raises:
            UnknownItemError: There is none.
        """
        item = self.items.get(code)
        if item is None:
            raise UnknownItemError("目录中没有该事项。", "the catalogue has no such item.")
        return item


def parse_catalogue(value: JsonValue) -> Catalogue:
    """Read a catalogue from parsed JSON (the file is for people: members we do not use may stand).

    Raises:
        UnexpectedShapeError: A member is missing or of another type, a code stands twice, or
            something named does not exist; the message names the place.
    """
    root = _read_object(value, "catalogue")
    meta = _read_object(_get(root, "meta", "catalogue"), "catalogue meta")
    if _get(meta, "schema", "catalogue meta") != CATALOGUE_SCHEMA:
        raise refuse_shape("catalogue", "不认识的目录格式", "an unknown catalogue schema")
    types = [_read_type(each) for each in _read_objects(root, "material_types")]
    conditions = [
        (_read_code(each, "condition"), _read_question(each))
        for each in _read_objects(root, "conditions")
    ]
    lists = [_read_code(each, "list") for each in _read_objects(root, "lists")]
    items = [_read_item(each) for each in _read_objects(root, "items")]
    for codes, what in (
        ([each.code for each in types], "material types"),
        ([code for code, _ in conditions], "conditions"),
        (lists, "lists"),
        ([each.code for each in items], "items"),
    ):
        demand_distinct(codes, what=f"catalogue {what}")
    catalogue = Catalogue(
        {each.code: each for each in types}, {each.code: each for each in items}, dict(conditions)
    )
    for item in items:
        _demand_known(item, catalogue, lists)
    return catalogue


def list_open_needs(
    item: ServiceItem, conditions: Collection[str], held: Collection[str]
) -> tuple[Need, ...]:
    """The smallest ask: needs that apply and that no held type meets, optional ones left out.

    Args:
        item: What the person wants.
        conditions: Codes of the conditions that hold.
        held: Codes of types already there.
    """
    return tuple(
        need
        for need in item.needs
        if need.necessity is not Necessity.OPTIONAL
        and (need.condition is None or need.condition in conditions)
        and not set(need.any_of) & set(held)
    )


def _read_type(value: JsonObject) -> MaterialType:
    what = "material type"
    return MaterialType(
        _read_code(value, what),
        _read_text(value, "zh", what),
        _read_text(value, "en", what),
        _read_text(value, "issuer_zh", what),
        read_flag(_get(value, "sensitive", what), what=f"{what} sensitive"),
        _read_optional_int(value, "validity_months", what),
    )


def _read_question(value: JsonObject) -> tuple[str, str]:
    """A condition's question; a reader of English gets the Chinese one where there is no other."""
    zh = _read_text(value, "question_zh", "condition")
    return zh, _read_text(value, "question_en", "condition") if "question_en" in value else zh


def _read_item(value: JsonObject) -> ServiceItem:
    what = "item"
    first = read_name(_get(value, "list", what), what=f"{what} list")
    also = require_list(value.get("also_lists", []), what=f"{what} also_lists")
    return ServiceItem(
        _read_code(value, what),
        _read_text(value, "zh", what),
        _read_text(value, "en", what),
        (first, *(read_name(each, what=f"{what} also_lists") for each in also)),
        tuple(_read_need(each) for each in _read_objects(value, "requirements")),
    )


def _read_need(value: JsonObject) -> Need:
    what = "need"
    items = require_list(_get(value, "any_of", what), what=f"{what} any_of")
    any_of = tuple(read_name(each, what=f"{what} any_of") for each in items)
    demand_not_empty(any_of, what=f"{what} any_of")
    when = value.get("when")
    return Need(
        _read_text(value, "need_zh", what),
        _read_text(value, "need_en", what),
        any_of,
        _read_optional_int(value, "freshness_days", what),
        read_choice(_get(value, "necessity", what), Necessity, what=f"{what} necessity"),
        read_flag(_get(value, "statutory_basis", what), what=f"{what} statutory_basis"),
        read_flag(_get(value, "event_date", what), what=f"{what} event_date"),
        None if when is None else read_name(when, what=f"{what} when"),
    )


def _demand_known(item: ServiceItem, catalogue: Catalogue, lists: Sequence[str]) -> None:
    named = {code for need in item.needs for code in need.any_of}
    conditions = {need.condition for need in item.needs} - {None}
    if not named <= catalogue.types.keys():
        raise refuse_shape(item.code, "引用了未知的材料类型", "names an unknown material type")
    if not conditions <= catalogue.conditions.keys():
        raise refuse_shape(item.code, "引用了未知的情形", "names an unknown condition")
    if not set(item.lists) <= set(lists):
        raise refuse_shape(item.code, "引用了未知的清单", "names an unknown list")


def _read_object(value: JsonValue, what: str) -> JsonObject:
    if not isinstance(value, dict):
        raise refuse_shape(what, "应为对象", "an object is expected")
    return value


def _read_objects(value: JsonObject, name: str) -> list[JsonObject]:
    items = require_list(_get(value, name, "catalogue"), what=f"catalogue {name}")
    return [_read_object(each, f"catalogue {name}") for each in items]


def _get(value: JsonObject, name: str, what: str) -> JsonValue:
    if name not in value:
        raise refuse_shape(f"{what} {name}", "缺失", "is missing")
    return value[name]


def _read_code(value: JsonObject, what: str) -> str:
    return read_name(_get(value, "code", what), what=f"{what} code")


def _read_text(value: JsonObject, name: str, what: str) -> str:
    return require_text(_get(value, name, what), what=f"{what} {name}")


def _read_optional_int(value: JsonObject, name: str, what: str) -> int | None:
    number = _get(value, name, what)
    return None if number is None else require_int(number, what=f"{what} {name}")
