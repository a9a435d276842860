"""A consent ceremony: what a person is shown, ticks and confirms, as a table of states.

Step 7 of the data flow. One ceremony ends in one signature over one grant per asked city. Spec:
design section 9, docs/spec/ceremony.md.

Invariants:
    * Nothing is ticked before the person ticks it; what is not ticked is not in the terms.
    * Another choice makes another challenge: a signature already given for the old one is void.
    * No event leaves a final state.
Not here: bytes of the private body (ceremony_format.py), effects (flows/consenting.py), who must
sign (evidence_counter.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger_node.core.errors import IllegalTransitionError, MalformedInputError
from ledger_node.core.terms import TypeGrant
from ledger_node.core.terms_format import MAX_TYPES
from ledger_node.core.types import CityId, Commitment


class UnknownOptionError(MalformedInputError):
    """Something was ticked that this ceremony does not offer, or nothing at all."""

    code = "consent_option"


class CeremonyState(StrEnum):
    """A ceremony as window and person see it."""

    DRAFTED = "drafted"  # drawn up; nobody has seen it
    SHOWN = "shown"  # the screen is turned to the person
    SIGNED = "signed"  # the person signed; the officers have not
    CONFIRMED = "confirmed"  # grants stand
    DECLINED = "declined"  # the person said no
    EXPIRED = "expired"  # nobody confirmed in time
    STRUCK = "struck"  # the window took it back


class CeremonyEvent(StrEnum):
    """What happens to a ceremony."""

    SCREEN_OPENED = "screen_opened"
    CHOSEN = "chosen"
    PERSON_SIGNED = "person_signed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    TIME_OVER = "time_over"
    STRUCK = "struck"


_S, _E = CeremonyState, CeremonyEvent
_ENDS: Mapping[CeremonyEvent, CeremonyState] = {
    _E.DECLINED: _S.DECLINED,
    _E.TIME_OVER: _S.EXPIRED,
    _E.STRUCK: _S.STRUCK,
}
CEREMONY_TRANSITIONS: Final[Mapping[CeremonyState, Mapping[CeremonyEvent, CeremonyState]]] = {
    _S.DRAFTED: {_E.SCREEN_OPENED: _S.SHOWN, **_ENDS},
    _S.SHOWN: {
        _E.SCREEN_OPENED: _S.SHOWN,
        _E.CHOSEN: _S.SHOWN,
        _E.PERSON_SIGNED: _S.SIGNED,
        _E.CONFIRMED: _S.CONFIRMED,  # slip, passkey, provider: signature and confirmation in one
        **_ENDS,
    },
    _S.SIGNED: {
        _E.SCREEN_OPENED: _S.SHOWN,
        _E.CHOSEN: _S.SHOWN,  # another choice: the signature was for the old one
        _E.CONFIRMED: _S.CONFIRMED,
        **_ENDS,
    },
    _S.CONFIRMED: {},
    _S.DECLINED: {},
    _S.EXPIRED: {},
    _S.STRUCK: {},
}
OPEN_STATES: Final = (_S.DRAFTED, _S.SHOWN, _S.SIGNED)


@dataclass(frozen=True, slots=True)
class ConsentOption:
    """One box the person may tick: a type in all asked cities, or one material of one city.

    Attributes:
        key: Name of the box, unique in the ceremony.
        grant: Type, fields and whether the documents are meant.
        city: The one city, for a single material; None for a type.
        material: Its commitment; None for a type.
    """

    key: str
    grant: TypeGrant
    city: CityId | None = None
    material: Commitment | None = None


@dataclass(frozen=True, slots=True)
class CityChoice:
    """What is ticked for one releasing city.

    Attributes:
        types: What may be shown, per type.
        materials: Only these, or None for any of the types.
    """

    city: CityId
    types: tuple[TypeGrant, ...]
    materials: tuple[Commitment, ...] | None


def advance_ceremony(state: CeremonyState, event: CeremonyEvent) -> CeremonyState:
    """State after an event.

    Raises:
        IllegalTransitionError: The table has no such transition.
    """
    after = CEREMONY_TRANSITIONS[state].get(event)
    if after is None:
        raise IllegalTransitionError("consent ceremony", state.value, event.value)
    return after


def build_type_options(types: Sequence[TypeGrant]) -> tuple[ConsentOption, ...]:
    """One box per type."""
    return tuple(ConsentOption(f"t-{each.code}", each) for each in types)


def build_material_option(grant: TypeGrant, city: CityId, material: Commitment) -> ConsentOption:
    """The box of one material."""
    return ConsentOption(f"m-{city}-{material.hex()}", grant, city, material)


def choose(
    options: Sequence[ConsentOption], releasing: Sequence[CityId], ticked: Collection[str]
) -> tuple[CityChoice, ...]:
    """What the ticked boxes mean for each city; cities for which nothing is ticked are left out.

    Raises:
        UnknownOptionError: A key that is not offered, or none.
    """
    offered = {option.key for option in options}
    if not ticked or not offered.issuperset(ticked):
        raise UnknownOptionError(
            "请至少勾选一项，且只能勾选页面上列出的材料。",
            "Tick at least one of the materials listed, and nothing else.",
        )
    chosen = [option for option in options if option.key in ticked]
    return tuple(part for city in releasing for part in _split(_choose_for(city, chosen)))


def _split(choice: CityChoice | None) -> list[CityChoice]:
    """One grant holds so many types at most; more are several grants of the same bundle."""
    if choice is None:
        return []
    types, city = choice.types, choice.city
    parts = (types[at : at + MAX_TYPES] for at in range(0, len(types), MAX_TYPES))
    return [CityChoice(city, part, choice.materials) for part in parts]


def _choose_for(city: CityId, chosen: Sequence[ConsentOption]) -> CityChoice | None:
    mine = [option for option in chosen if option.city in (None, city)]
    if not mine:
        return None
    types = tuple({option.grant.code: option.grant for option in mine}.values())
    if any(option.material is None for option in mine):
        return CityChoice(city, types, None)
    materials = tuple(option.material for option in mine if option.material is not None)
    return CityChoice(city, types, materials)
