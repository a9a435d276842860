"""The smallest ask of a case: for each need, whether it is met here, elsewhere, or must be asked.

Step 6 of the data flow. What is held elsewhere is known only after the person agreed to be asked
about (the find); before that a need that is not met here "may be held elsewhere".

Invariants:
    * A need that is not asked of the person says why not.
    * Of what a city has, at most one material per need is requested: the best graded, then the
      one valid longest, then the newest entry. More would be more than the need asks.
Not here: which needs an item has (catalogue.py), who may see what (grant.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.catalogue import Necessity, Need, ServiceItem
from ledger_node.core.find_messages import Candidate
from ledger_node.core.status import Standing
from ledger_node.core.types import CityId

IDENTITY_TYPES = frozenset({"resident-id", "temp-id"})
"""Papers a person shows by being identified at the window."""


class NeedState(StrEnum):
    """How a need stands."""

    IDENTIFIED = "identified"  # the card was read at the window: nothing to hand in
    HELD_HERE = "held_here"
    HELD_ELSEWHERE = "held_elsewhere"  # known after the find only
    UNKNOWN = "unknown"  # not here; other cities are asked once the person agrees
    MUST_ASK = "must_ask"  # nobody asked has it
    NOT_AGREED = "not_agreed"  # the person left it out of the signature
    NOT_NEEDED = "not_needed"  # its condition does not hold
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class NeedStatus:
    """A need with where it stands.

    Attributes:
        need: Of the item.
        state: Where it stands.
        type_code: Type that meets it, None while nothing does.
        city: City that has it, for HELD_ELSEWHERE.
        later: It may be handed in later (容缺后补).
    """

    need: Need
    state: NeedState
    type_code: str | None = None
    city: CityId | None = None

    @property
    def later(self) -> bool:
        """Whether a missing paper does not stop the case today."""
        return self.need.necessity is Necessity.DEFER

    @property
    def of_absent_person(self) -> bool:
        """Whether it is the identity document of a person for whom somebody else stands here."""
        shown = self.state is not NeedState.IDENTIFIED
        return shown and bool(IDENTITY_TYPES & set(self.need.any_of))


def list_need_statuses(
    item: ServiceItem,
    conditions: Collection[str],
    held_here: Collection[str],
    *,
    identified: bool,
    found: Mapping[CityId, Collection[str]] | None = None,
    agreed: Collection[str] = (),
) -> tuple[NeedStatus, ...]:
    """Every need of an item with where it stands, in the order of the item.

    Args:
        conditions: Codes of the conditions that hold.
        held_here: Types this city holds for the person, usable now.
        identified: The person's card was read at the window.
        found: Types each asked city has; None before anybody was asked.
        agreed: Types the person signed for; counts once anybody was asked.
    """
    return tuple(
        _decide_need(need, conditions, held_here, identified, found, agreed) for need in item.needs
    )


def list_types_to_ask(statuses: Sequence[NeedStatus]) -> tuple[str, ...]:
    """Types to ask other cities for, in order of the needs, each once."""
    types = (
        code
        for status in statuses
        if status.state is NeedState.UNKNOWN
        for code in status.need.any_of
    )
    return tuple(dict.fromkeys(types))


def choose_candidates(
    needs: Sequence[Need], candidates: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    """What of a city's materials is requested: for each need at most one, in order of commitment.

    Only what is active (or under an objection, which the verdict will say) and in the log already.
    """
    usable = [
        each
        for each in candidates
        if each.standing in (Standing.ACTIVE, Standing.DISPUTED) and each.leaf_index is not None
    ]
    chosen: dict[bytes, Candidate] = {}
    for need in needs:
        fitting = [each for each in usable if each.type_code in need.any_of]
        if fitting and not any(each.type_code in need.any_of for each in chosen.values()):
            best = max(fitting, key=_rank)
            chosen[best.commitment] = best
    return tuple(chosen[commitment] for commitment in sorted(chosen))


def _decide_need(
    need: Need,
    conditions: Collection[str],
    held_here: Collection[str],
    identified: bool,
    found: Mapping[CityId, Collection[str]] | None,
    agreed: Collection[str],
) -> NeedStatus:
    if need.condition is not None and need.condition not in conditions:
        return NeedStatus(need, NeedState.NOT_NEEDED)
    if identified and IDENTITY_TYPES & set(need.any_of):
        shown = next(code for code in need.any_of if code in IDENTITY_TYPES)
        return NeedStatus(need, NeedState.IDENTIFIED, shown)
    for code in need.any_of:
        if code in held_here:
            return NeedStatus(need, NeedState.HELD_HERE, code)
    for city, types in (found or {}).items():
        for code in need.any_of:
            if code in types:
                return NeedStatus(need, NeedState.HELD_ELSEWHERE, code, city)
    if need.necessity is Necessity.OPTIONAL:
        return NeedStatus(need, NeedState.OPTIONAL)
    if found is None:
        return NeedStatus(need, NeedState.UNKNOWN)
    refused = not set(need.any_of) & set(agreed)
    return NeedStatus(need, NeedState.NOT_AGREED if refused else NeedState.MUST_ASK)


def _rank(candidate: Candidate) -> tuple[int, int, str, str, int]:
    """Higher is better: grade, in force at all without end, end, beginning, place in the log."""
    return (
        -ord(candidate.grade.value),
        candidate.valid_until is None,
        candidate.valid_until or "",
        candidate.valid_from or "",
        candidate.leaf_index or 0,
    )
