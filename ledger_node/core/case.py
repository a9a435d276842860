"""A case: its stages, what moves it, and how another system's states map to ours. Pure.

Step 10 of the data flow. Spec: docs/spec/systems.md. The stages are those of a 办件: 收件, 补正,
受理, 审查, 办结, 送达. Not here: clocks and working days, which come with the catalogue.

Invariants:
    * No event leaves a final stage; what the table does not name is refused.
    * Every state of another system is mapped to exactly one stage, or the map is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from ledger_node.core.canonical import JsonObject, JsonValue, require_members, require_text
from ledger_node.core.errors import IllegalTransitionError, MalformedInputError
from ledger_node.core.sealed import Subject, encode_subject, read_subject
from ledger_node.core.shapes import (
    read_choice,
    read_name,
    read_short_text,
    read_version,
    refuse_shape,
)

CASE_VERSION: Final = "tongban/case/v1"
CASE_FILE_VERSION: Final = "tongban/case-file/v1"
STATE_MAP_VERSION: Final = "tongban/state-map/v1"
MAX_STATES: Final = 64
MAX_STATE_CHARS: Final = 64
_LONGEST: Final = {"officer": 64, "outlet": 32, "window": 16, "queue_number": 32}
BEIJING: Final = timezone(timedelta(hours=8))
_CASE_MEMBERS: Final = (
    "v",
    "item",
    "applicant",
    "agent",
    "officer",
    "outlet",
    "window",
    "queue_number",
    "state",
)


class UnmappedStateError(MalformedInputError):
    """The other system's state stands in no row of its map. Fields: state."""

    code = "case_state_unmapped"


class CaseStage(StrEnum):
    """Where a case stands."""

    RECEIVED = "received"  # 收件
    COMPLETION_ASKED = "completion_asked"  # 补正
    ACCEPTED = "accepted"  # 受理
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    UNDER_REVIEW = "under_review"  # 审查
    SUSPENDED = "suspended"  # 挂起
    GRANTED = "granted"  # 办结，准予
    REFUSED = "refused"  # 办结，不予
    WITHDRAWN = "withdrawn"  # 撤回
    DELIVERED = "delivered"  # 送达


class CaseEvent(StrEnum):
    """What moves a case."""

    ASK_COMPLETION = "ask_completion"
    COMPLETE = "complete"
    ACCEPT = "accept"
    TURN_AWAY = "turn_away"
    REVIEW = "review"
    RECALL = "recall"
    SUSPEND = "suspend"
    RESUME = "resume"
    GRANT = "grant"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    DELIVER = "deliver"


_S, _E = CaseStage, CaseEvent
_WITHDRAWN: Final = {_E.WITHDRAW: _S.WITHDRAWN}
TRANSITIONS: Final[Mapping[CaseStage, Mapping[CaseEvent, CaseStage]]] = {
    _S.RECEIVED: {
        _E.ASK_COMPLETION: _S.COMPLETION_ASKED,
        _E.ACCEPT: _S.ACCEPTED,
        _E.TURN_AWAY: _S.NOT_ACCEPTED,
        **_WITHDRAWN,
    },
    _S.COMPLETION_ASKED: {_E.COMPLETE: _S.RECEIVED, _E.TURN_AWAY: _S.NOT_ACCEPTED, **_WITHDRAWN},
    _S.ACCEPTED: {
        _E.REVIEW: _S.UNDER_REVIEW,
        _E.GRANT: _S.GRANTED,  # 即办件: decided on the spot
        _E.REFUSE: _S.REFUSED,
        **_WITHDRAWN,
    },
    _S.UNDER_REVIEW: {
        _E.SUSPEND: _S.SUSPENDED,
        _E.RECALL: _S.ACCEPTED,  # no reviewer took it yet
        _E.GRANT: _S.GRANTED,
        _E.REFUSE: _S.REFUSED,
        **_WITHDRAWN,
    },
    _S.SUSPENDED: {_E.RESUME: _S.UNDER_REVIEW, **_WITHDRAWN},
    _S.NOT_ACCEPTED: {_E.DELIVER: _S.DELIVERED},
    _S.GRANTED: {_E.DELIVER: _S.DELIVERED},
    _S.REFUSED: {_E.DELIVER: _S.DELIVERED},
    _S.WITHDRAWN: {},
    _S.DELIVERED: {},
}
OPEN_STAGES: Final = frozenset(
    {_S.RECEIVED, _S.COMPLETION_ASKED, _S.ACCEPTED, _S.UNDER_REVIEW, _S.SUSPENDED}
)
"""Stages in which nothing is decided yet."""
FINAL_STAGES: Final = frozenset(stage for stage, events in TRANSITIONS.items() if not events)
REASON_NEEDED: Final = frozenset(
    {_E.ASK_COMPLETION, _E.TURN_AWAY, _E.SUSPEND, _E.REFUSE, _E.WITHDRAW}
)
OF_REVIEW: Final = frozenset({_E.RECALL})
"""Events that only the handling of a review brings about (flows/case_review.py)."""
DECIDES: Final = frozenset({_E.TURN_AWAY, _E.GRANT, _E.REFUSE})
"""Events that only who may decide brings about."""


class CaseReasonMissingError(MalformedInputError):
    """This step of a case needs a reason; it is printed on the notice."""

    code = "case_reason_missing"


def advance_case(stage: CaseStage, event: CaseEvent, reason: str = "") -> CaseStage:
    """Stage after an event.

    Raises:
        IllegalTransitionError: The stage does not know the event.
        CaseReasonMissingError: The event needs a reason.
    """
    after = TRANSITIONS[stage].get(event)
    if after is None:
        raise IllegalTransitionError("办件", stage.value, event.value)
    if event in REASON_NEEDED and not reason.strip():
        raise CaseReasonMissingError(
            "请写明理由，理由会印在送达市民的文书上。",
            "State the reason; it is printed on the notice the person receives.",
            field="reason",
        )
    return after


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """A case as another system hands it in.

    Attributes:
        item: Service item of the catalogue.
        applicant, agent: Whom it is about, and who acts for them.
        officer: Login of the officer there who handles it; None: nobody yet.
        outlet, window, queue_number: Where the person waits; None where unknown.
        state: Their name of its state.
    """

    item: str
    applicant: Subject
    agent: Subject | None
    officer: str | None
    outlet: str | None
    window: str | None
    queue_number: str | None
    state: str


def read_case_draft(value: JsonValue) -> CaseDraft:
    """Read the body of a case handed in.

    Raises:
        UnknownVersionError, UnexpectedShapeError: A member is missing, unknown or of another kind.
    """
    what = "case"
    read_version(value, CASE_VERSION, what=what)
    m = require_members(value, _CASE_MEMBERS, what=what)

    def name(key: str) -> str | None:
        if m[key] is None:
            return None
        text = read_name(m[key], what=what)
        if len(text) > _LONGEST[key]:
            raise refuse_shape(what, f"{key} 过长", f"{key} is too long")
        return text

    return CaseDraft(
        item=read_name(m["item"], what=what),
        applicant=read_subject(m["applicant"]),
        agent=None if m["agent"] is None else read_subject(m["agent"]),
        officer=name("officer"),
        outlet=name("outlet"),
        window=name("window"),
        queue_number=name("queue_number"),
        state=_read_state(m["state"], what),
    )


def _read_state(value: JsonValue, what: str) -> str:
    text = read_short_text(value, what=what)
    if len(text) > MAX_STATE_CHARS:
        raise refuse_shape(what, "状态名过长", "the name of a state is too long")
    return text


def encode_case_draft(draft: CaseDraft) -> JsonObject:
    """Body that `read_case_draft` reads."""
    return {
        "v": CASE_VERSION,
        "item": draft.item,
        "applicant": encode_subject(draft.applicant),
        "agent": None if draft.agent is None else encode_subject(draft.agent),
        "officer": draft.officer,
        "outlet": draft.outlet,
        "window": draft.window,
        "queue_number": draft.queue_number,
        "state": draft.state,
    }


def read_case_file(value: JsonValue) -> tuple[str, JsonValue]:
    """Read a file of a watched folder: the case's number there, and its body unread.

    Raises:
        UnknownVersionError, UnexpectedShapeError: A member is missing, unknown or of another kind.
    """
    what = "case file"
    read_version(value, CASE_FILE_VERSION, what=what)
    m = require_members(value, ("v", "number", "case"), what=what)
    return read_name(m["number"], what=what), m["case"]


@dataclass(frozen=True, slots=True)
class StateMap:
    """How one system names its states: their name to our stage."""

    system: str
    stages: Mapping[str, CaseStage]

    def stage_of(self, state: str) -> CaseStage:
        """Our stage of a state of theirs.

        Raises:
            UnmappedStateError: The map has no such state.
        """
        stage = self.stages.get(state)
        if stage is None:
            raise UnmappedStateError(
                "对接系统的这个状态没有对应的办件阶段，请管理员补全状态对照表。",
                "This state of the system has no stage of ours; have its state map completed.",
                state=state[:64],
            )
        return stage


def read_state_map(value: JsonValue) -> StateMap:
    """Read a state map.

    Raises:
        UnknownVersionError, UnexpectedShapeError: It is none, or names a stage that does not exist.
    """
    what = "state map"
    read_version(value, STATE_MAP_VERSION, what=what)
    m = require_members(value, ("v", "system", "states"), what=what)
    states = m["states"]
    if not isinstance(states, dict) or not 0 < len(states) <= MAX_STATES:
        raise UnmappedStateError(
            f"状态对照表须有 1 至 {MAX_STATES} 行。", f"A state map has 1 to {MAX_STATES} rows."
        )
    return StateMap(
        require_text(m["system"], what=what),
        {
            _read_state(name, what): read_choice(stage, CaseStage, what=what)
            for name, stage in states.items()
        },
    )


def write_day(moment: datetime) -> str:
    """Day of a moment in China, as case numbers carry it: `20260302`."""
    return f"{moment.astimezone(BEIJING):%Y%m%d}"


def build_case_number(place: str, day: str, serial: int) -> str:
    """Number of a case opened here: place, day, and what number of that day it is, from 1."""
    return f"{place}-{day}-{serial:04d}"
