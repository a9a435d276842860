"""Who stands at the window and what for: the private body of a reuse run.

Step 6 of the data flow. It is sealed under the run's record key and never leaves the city; what
other cities learn goes through signed terms only. Spec: docs/spec/database.md, "Tables of the
window".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.reuse import STEP_LIMIT_S
from ledger_node.core.sealed import Subject
from ledger_node.core.shapes import (
    MAX_TIME_S,
    read_bytes32,
    read_choice,
    read_flag,
    read_name,
    read_short_text,
    read_version,
)
from ledger_node.core.terms import GrantorKind, Terms
from ledger_node.core.types import CityId, Commitment

VISIT_VERSION: Final = "tongban/visit/v1"
MAX_VISIT_BYTES: Final = 64 * 1024
_MEMBERS = (
    "v",
    "person",
    "means",
    "device",
    "identified_at",
    "by",
    "agent",
    "agent_read",
    "mandate",
    "item",
    "conditions",
    "case",
    "asked",
    "papers",
)


class IdentifiedBy(StrEnum):
    """How the identity document was taken in."""

    CARD = "card"  # a reader read the chip
    TYPED = "typed"  # an officer typed it: a second officer is needed
    SYSTEM = "system"  # the case system handed the person over, identified there


@dataclass(frozen=True, slots=True)
class Visit:
    """One person at one window.

    Attributes:
        person: Whom the papers are about.
        means: How that person, or whoever acts for it, was identified.
        device: Reader that read the card; None unless one did.
        identified_at_s: Unix time.
        by: Whether the person acts itself, or a guardian or agent (代办人) for it.
        agent: Guardian or agent, None for the person itself.
        agent_read: Whether the agent's card was read too.
        mandate: Commitment of the mandate registered here; always for an agent.
        item: Service item, None until chosen.
        conditions: Codes of the conditions that hold.
        case: Case number shown to the person and pinned in the terms.
        asked: Types asked for, in the order of the needs; empty before.
        papers: Materials registered during this visit, in order.
    """

    person: Subject
    means: IdentifiedBy
    device: str | None
    identified_at_s: int
    by: GrantorKind
    agent: Subject | None
    agent_read: bool
    mandate: Commitment | None
    item: str | None
    conditions: tuple[str, ...]
    case: str
    asked: tuple[str, ...]
    papers: tuple[str, ...]

    @property
    def read_by_device(self) -> bool:
        """Whether nobody's identity was typed: what evidence says of the unread card."""
        own = self.means is IdentifiedBy.CARD
        return own if self.agent is None else own and self.agent_read


def may_use_at_window(
    terms: Terms, visit: Visit, fields: Collection[str], city: CityId, now_s: int
) -> bool:
    """Whether terms the person agreed to at home cover a visit at `city`.

    The person itself gave them and stands there itself; this city recorded them and is the one
    that receives; any material of the types, with its documents and every field the window asks.
    Item and person are compared by the caller, who can open them.

    Args:
        fields: What the window asks of each material.
        now_s: Unix seconds.
    """
    itself = terms.grantor is not None and terms.grantor.kind is GrantorKind.SELF
    return (
        itself
        and visit.by is GrantorKind.SELF
        and terms.recording == terms.receiving == city
        and terms.materials is None
        and terms.not_before_s <= now_s < terms.not_after_s - STEP_LIMIT_S
        and all(each.documents and set(fields) <= set(each.fields) for each in terms.types)
    )


def encode_visit(visit: Visit) -> bytes:
    """Bytes to be sealed."""
    return encode_canonical(
        {
            "v": VISIT_VERSION,
            "person": _encode_subject(visit.person),
            "means": visit.means.value,
            "device": visit.device,
            "identified_at": visit.identified_at_s,
            "by": visit.by.value,
            "agent": None if visit.agent is None else _encode_subject(visit.agent),
            "agent_read": visit.agent_read,
            "mandate": None if visit.mandate is None else visit.mandate.hex(),
            "item": visit.item,
            "conditions": list(visit.conditions),
            "case": visit.case,
            "asked": list(visit.asked),
            "papers": list(visit.papers),
        }
    )


def parse_visit(data: bytes) -> Visit:
    """Read what `encode_visit` wrote.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError.
    """
    what = "visit"
    value = parse_canonical(data, what=what, max_bytes=MAX_VISIT_BYTES)
    read_version(value, VISIT_VERSION, what=what)
    m = require_members(value, _MEMBERS, what=what)
    return Visit(
        person=_read_subject(m["person"]),
        means=read_choice(m["means"], IdentifiedBy, what=f"{what} means"),
        device=None if m["device"] is None else read_short_text(m["device"], what=f"{what} device"),
        identified_at_s=require_int(
            m["identified_at"], what=f"{what} identified_at", maximum=MAX_TIME_S
        ),
        by=read_choice(m["by"], GrantorKind, what=f"{what} by"),
        agent=None if m["agent"] is None else _read_subject(m["agent"]),
        agent_read=read_flag(m["agent_read"], what=f"{what} agent_read"),
        mandate=None
        if m["mandate"] is None
        else Commitment(read_bytes32(m["mandate"], what=f"{what} mandate")),
        item=None if m["item"] is None else read_name(m["item"], what=f"{what} item"),
        conditions=_read_names(m["conditions"], "conditions"),
        case=read_short_text(m["case"], what=f"{what} case"),
        asked=_read_names(m["asked"], "asked"),
        papers=_read_names(m["papers"], "papers"),
    )


def _encode_subject(subject: Subject) -> JsonObject:
    return {"scheme": subject.scheme, "number": subject.number, "name": subject.name}


def _read_subject(value: JsonValue) -> Subject:
    m = require_members(value, ("scheme", "number", "name"), what="visit person")
    return Subject(
        read_name(m["scheme"], what="visit scheme"),
        read_short_text(m["number"], what="visit number"),
        require_text(m["name"], what="visit name"),
    )


def _read_names(value: JsonValue, name: str) -> tuple[str, ...]:
    what = f"visit {name}"
    return tuple(read_name(each, what=what) for each in require_list(value, what=what))
