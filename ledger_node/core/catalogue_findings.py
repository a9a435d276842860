"""What is wrong with a catalogue, place by place: findings, and the refusal that carries them.

Step 6 of the data flow. Spec: docs/spec/catalogue.md, "Findings". Every reader of a catalogue
collects all findings before it refuses, so that one look mends a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.errors import MalformedInputError, NotFoundError


class FindingCode(StrEnum):
    """Names of everything that can be wrong with a catalogue. Added, never reused."""

    MEMBER_MISSING = "member_missing"
    MEMBER_UNKNOWN = "member_unknown"
    VALUE_WRONG = "value_wrong"
    DATE_IMPOSSIBLE = "date_impossible"
    DATES_REVERSED = "dates_reversed"
    CODE_DUPLICATE = "code_duplicate"
    TYPE_UNKNOWN = "type_unknown"
    CONDITION_UNKNOWN = "condition_unknown"
    LIST_UNKNOWN = "list_unknown"
    BASIS_UNKNOWN = "basis_unknown"
    ITEM_UNKNOWN = "item_unknown"
    CITY_UNKNOWN = "city_unknown"
    EQUIVALENCE_CYCLE = "equivalence_cycle"
    SUPERSESSION_CYCLE = "supersession_cycle"
    BASIS_NOT_IN_FORCE = "basis_not_in_force"
    NOBODY_ACCEPTS = "nobody_accepts"
    NOBODY_DECIDES = "nobody_decides"
    DECIDER_NOT_NAMED = "decider_not_named"
    HOME_UNKNOWN = "home_unknown"
    OUTSIDE_LIST = "outside_list"
    SIDES_WRONG = "sides_wrong"
    PROMISE_BEYOND_STATUTE = "promise_beyond_statute"
    NEED_REPEATED = "need_repeated"
    INSTANT_WITH_DAYS = "instant_with_days"
    SURRENDER_NOT_NEEDED = "surrender_not_needed"
    RECEIVES_NOT_ACCEPTS = "receives_not_accepts"
    TYPE_UNUSED = "type_unused"
    CONDITION_UNUSED = "condition_unused"
    LIST_EMPTY = "list_empty"
    BUNDLE_MIXED = "bundle_mixed"
    BUNDLE_ORDER = "bundle_order"


class Severity(StrEnum):
    """Whether the catalogue is refused, or a person should look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong.

    Attributes:
        code: What.
        severity: Error or warning.
        path: Where, as in `items[12].needs[3].any_of`; rows count from 0.
        zh, en: One sentence each: what is wrong and what to do.
    """

    code: FindingCode
    severity: Severity
    path: str
    zh: str
    en: str


class CatalogueRefusedError(MalformedInputError):
    """The catalogue contradicts itself or cannot be read; every finding names its place.

    Fields: findings.
    """

    code = "catalogue_refused"

    def __init__(self, findings: Sequence[Finding], place: str = "") -> None:
        first, place = findings[0], place or findings[0].path
        super().__init__(
            f"目录有 {len(findings)} 处问题，第一处在 {place}：{first.zh}",
            f"The catalogue has {len(findings)} problems, the first at {place}: {first.en}",
            findings=tuple(findings),
        )
        self.findings = tuple(findings)


class UnknownItemError(NotFoundError):
    """The catalogue has no such service item."""

    code = "unknown_item"


class UnknownListError(NotFoundError):
    """The catalogue has no such list."""

    code = "unknown_list"


def refuse_errors(findings: Iterable[Finding]) -> None:
    """Refuse if any finding is an error.

    Raises:
        CatalogueRefusedError: Carries all errors.
    """
    errors = [each for each in findings if each.severity is Severity.ERROR]
    if errors:
        raise CatalogueRefusedError(errors)
