"""The catalogue: material types, service items and their needs, lists, bundles, bases.

Step 6 of the data flow (what must be found) and the source of "sensitive" for evidence. Frozen
values only; who reads which format is elsewhere. Spec: docs/spec/catalogue.md.

Invariants:
    * A need is met by any one of its types; all needs that apply must be met or asked.
    * A need names one basis row; a row that is not in force that day carries nothing.
Not here: the canonical format and its digest (catalogue_format.py), what contradicts what
(catalogue_check.py), the seed data (catalogue_seed.py), the smallest ask (needs.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from ledger_node.core.catalogue_findings import UnknownItemError, UnknownListError
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
from ledger_node.core.types import CityId

Places: TypeAlias = tuple[CityId, ...] | None
"""Cities in ascending order; None: every member city."""


@dataclass(frozen=True, slots=True)
class MaterialType:
    """A type of material.

    Attributes:
        code, version: Stable code; version of its fields, from 1.
        zh, en: Names.
        issuer_zh: Who issues it.
        subject: Whom it is about.
        sensitive: A grant of it needs a second officer.
        single_use: Spent at its first use and refused in every city afterwards.
        validity_months: Usual validity, None if unlimited or unknown.
        retention_years: How long it is kept, None: as long as the case it stands in.
        supersedes: Code of the type it replaces, None if it replaces none.
        note: For people.
    """

    code: str
    version: int
    zh: str
    en: str
    issuer_zh: str
    subject: SubjectKind
    sensitive: bool
    single_use: bool
    validity_months: int | None
    retention_years: int | None
    supersedes: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition (情形): one plain question, asked only if a need hangs on it."""

    code: str
    question_zh: str
    question_en: str


@dataclass(frozen=True, slots=True)
class BasisRow:
    """What a need stands on: instrument and article, and the days it is in force.

    Attributes:
        kind: Consent, or function.
        instrument_zh, article_zh: Law and article.
        text_zh, text_en: The sentence shown to the person.
        in_force_from, in_force_until: First day, and first day no longer; None: open.
        second_officer: A release under it needs two officers.
    """

    code: str
    kind: BasisKind
    instrument_zh: str
    article_zh: str
    text_zh: str
    text_en: str
    in_force_from: date
    in_force_until: date | None
    second_officer: bool

    def is_in_force(self, on: date) -> bool:
        """Whether the row holds on a day."""
        return self.in_force_from <= on and (
            self.in_force_until is None or on < self.in_force_until
        )


@dataclass(frozen=True, slots=True)
class Need:
    """What an item needs.

    Attributes:
        zh, en: In words.
        any_of: Types of which one meets it.
        freshness_days: How old the material may be at most, None if any.
        necessity: Required, deferrable or optional.
        basis: Code of its basis row.
        event_date: Must be valid on the date of the event, not of the decision.
        condition: Applies only if this condition holds; None: always.
        whose: Whose paper it is.
        wanted: What of it is needed.
    """

    zh: str
    en: str
    any_of: tuple[str, ...]
    freshness_days: int | None
    necessity: Necessity
    basis: str
    event_date: bool
    condition: str | None
    whose: Whose
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """A service item.

    Attributes:
        code, scheme: Code, and whose numbering it is; no meaning is read out of either.
        zh, en: Names.
        subject, field_zh: Whom it is for; field of administration.
        lists: Codes of the lists it belongs to.
        mode: How a case travels.
        receive, accept: Where papers are taken (收件); where the clock starts (受理).
        decides, decide_cities: Who decides; the cities if they are named.
        home_by: Which tie says which city is home; None if none does.
        presence: Who must come.
        instant: Decided on the spot (即办件).
        statutory_days, statutory_unit: Limit by law, None if none is known; how it counts.
        promised_days: Limit the cities promise, working days; 0: the same day.
        result: Type of the material a granted case issues, None if none.
        surrender: Types whose originals are handed in.
        effective_from, effective_until: First day, and first day no longer; None: open.
        note: For people.
        needs: In the order a clerk asks.
    """

    code: str
    scheme: str
    zh: str
    en: str
    subject: SubjectKind
    field_zh: str
    lists: tuple[str, ...]
    mode: Mode
    receive: Places
    accept: Places
    decides: Decides
    decide_cities: tuple[CityId, ...]
    home_by: HomeBy | None
    presence: Presence
    instant: bool
    statutory_days: int | None
    statutory_unit: DayUnit
    promised_days: int
    result: str | None
    surrender: tuple[str, ...]
    effective_from: date
    effective_until: date | None
    note: str
    needs: tuple[Need, ...]

    def is_effective(self, on: date) -> bool:
        """Whether the item can be asked for on a day."""
        return self.effective_from <= on and (
            self.effective_until is None or on < self.effective_until
        )


@dataclass(frozen=True, slots=True)
class ServiceList:
    """A list the cities announced.

    Attributes:
        kind: Consortium, bilateral, directed.
        members: Cities it binds; None: every member city.
        receiving, deciding: The two sides of a bilateral list; of a directed one where papers
            are taken and where is decided. Both empty for a list of the consortium.
        batch: Announced as which batch, from 1.
        effective_from: First day.
        note: For people.
    """

    code: str
    zh: str
    en: str
    kind: ListKind
    members: Places
    receiving: tuple[CityId, ...]
    deciding: tuple[CityId, ...]
    batch: int
    effective_from: date
    note: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """Several items wanted at once (一件事); each need is asked once."""

    code: str
    zh: str
    en: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equivalence:
    """`substitute` serves where `wanted` is needed; for one item, or (None) for all."""

    wanted: str
    substitute: str
    item: str | None
    note: str


@dataclass(frozen=True, slots=True)
class City:
    """A city the catalogue names."""

    code: CityId
    zh: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One version of everything, each table by code in the order of its rows."""

    version: int
    cities: Mapping[str, City]
    types: Mapping[str, MaterialType]
    condition_rows: Mapping[str, Condition]
    bases: Mapping[str, BasisRow]
    lists: Mapping[str, ServiceList]
    items: Mapping[str, ServiceItem]
    bundles: Mapping[str, Bundle]
    equivalences: tuple[Equivalence, ...]

    @property
    def conditions(self) -> Mapping[str, tuple[str, str]]:
        """Conditions by code with their question, Chinese first."""
        return {
            code: (each.question_zh, each.question_en) for code, each in self.condition_rows.items()
        }

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

    def get_list(self, code: str) -> ServiceList:
        """List of a code.

        Raises:
            UnknownListError: There is none.
        """
        found = self.lists.get(code)
        if found is None:
            raise UnknownListError("目录中没有该清单。", "The catalogue has no such list.")
        return found

    def places(self, places: Places) -> tuple[CityId, ...]:
        """The cities meant: all that the catalogue names, or those given."""
        return tuple(each.code for each in self.cities.values()) if places is None else places
