"""What a change of a material means for a case that used it, by the stage the case is in.

Step 10 at the receiving city. One table, every change by every stage; nothing is decided anywhere
else. Spec: docs/spec/cases.md, "Consequences" (a test compares it with the table).

Invariants:
    * Every change has a result for every stage: a new stage or change does not load without one.
    * What was done before a consent was withdrawn stands (PIPL art. 15).
    * A decided case's filed copy follows that case's retention, an open case's copy does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger_node.core.case import CaseStage
from ledger_node.core.status import Standing


class Change(StrEnum):
    """What became of a material, or of the grant it came under; gravest first."""

    ERASED = "erased"
    WITHDRAWN = "withdrawn"
    SPENT = "spent"
    REVOKED = "revoked"  # the grant
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    DISPUTED = "disputed"


class Action(StrEnum):
    """What happens to the case."""

    NOTHING = "nothing"
    NOTE = "note"  # stands in the case's file; nobody has to act
    REPLACE = "replace"  # its successor is fetched; the case goes on
    ASK = "ask"  # the need is open again
    HOLD = "hold"  # not decided until the objection is settled, or with a reason
    STOP_DELIVERY = "stop_delivery"  # decided, not handed over: looked at again first
    REEXAMINE = "reexamine"  # decided and handed over: on the recall worklist


class Copy(StrEnum):
    """What happens to the copy this city holds."""

    KEEP = "keep"
    DESTROY = "destroy"
    KEEP_FILED = "keep_filed"  # until the retention of the case ends; the person is told


@dataclass(frozen=True, slots=True)
class Consequence:
    """Result of one change in one stage."""

    action: Action
    copy: Copy

    @property
    def blocks_decision(self) -> bool:
        """Whether the case may not be decided on this material as it stands."""
        return self.action in (Action.ASK, Action.REPLACE, Action.HOLD)

    @property
    def recalls(self) -> bool:
        """Whether it stands on the recall worklist."""
        return self.action in (Action.STOP_DELIVERY, Action.REEXAMINE)


_S, _C, _A, _K = CaseStage, Change, Action, Copy
_OPEN: Final = (
    _S.RECEIVED,
    _S.COMPLETION_ASKED,
    _S.ACCEPTED,
    _S.UNDER_REVIEW,
    _S.SUSPENDED,
)


def _row(
    opened: Consequence,
    granted: Consequence,
    refused: Consequence,
    delivered: Consequence,
    closed: Consequence,
) -> Mapping[CaseStage, Consequence]:
    """One change by stage; `closed`: not accepted, or withdrawn by the person."""
    return {
        **dict.fromkeys(_OPEN, opened),
        _S.GRANTED: granted,
        _S.REFUSED: refused,
        _S.DELIVERED: delivered,
        _S.NOT_ACCEPTED: closed,
        _S.WITHDRAWN: closed,
    }


_NOTHING: Final = Consequence(_A.NOTHING, _K.KEEP)
_NOTE: Final = Consequence(_A.NOTE, _K.KEEP)
_FILED: Final = Consequence(_A.NOTE, _K.KEEP_FILED)
_GONE: Final = Consequence(_A.NOTHING, _K.DESTROY)
_STOP: Final = Consequence(_A.STOP_DELIVERY, _K.KEEP)
_AGAIN: Final = Consequence(_A.REEXAMINE, _K.KEEP)

CONSEQUENCES: Final[Mapping[Change, Mapping[CaseStage, Consequence]]] = {
    _C.ERASED: _row(Consequence(_A.ASK, _K.DESTROY), _FILED, _FILED, _FILED, _GONE),
    _C.WITHDRAWN: _row(Consequence(_A.ASK, _K.KEEP), _STOP, _AGAIN, _AGAIN, _NOTE),
    _C.SPENT: _row(Consequence(_A.ASK, _K.KEEP), _STOP, _NOTE, _AGAIN, _NOTHING),
    _C.REVOKED: _row(Consequence(_A.ASK, _K.DESTROY), _FILED, _FILED, _FILED, _GONE),
    _C.SUPERSEDED: _row(Consequence(_A.REPLACE, _K.KEEP), _NOTE, _NOTE, _NOTE, _NOTHING),
    _C.EXPIRED: _row(Consequence(_A.ASK, _K.KEEP), _NOTE, _NOTHING, _NOTHING, _NOTHING),
    _C.DISPUTED: _row(Consequence(_A.HOLD, _K.KEEP), _STOP, _NOTE, _NOTE, _NOTHING),
}

_BY_STANDING: Final[Mapping[Standing, Change | None]] = {
    Standing.ERASED: _C.ERASED,
    Standing.WITHDRAWN: _C.WITHDRAWN,
    Standing.SPENT: _C.SPENT,
    Standing.SUPERSEDED: _C.SUPERSEDED,
    Standing.DISPUTED: _C.DISPUTED,
    Standing.ACTIVE: None,
}
_GRAVITY: Final = {change: number for number, change in enumerate(Change)}


def list_changes(standing: Standing, *, revoked: bool, expired: bool) -> tuple[Change, ...]:
    """Changes of a material, gravest first."""
    told = _BY_STANDING[standing]
    found = [
        *([] if told is None else [told]),
        *([Change.REVOKED] if revoked else []),
        *([Change.EXPIRED] if expired else []),
    ]
    return tuple(sorted(found, key=_GRAVITY.__getitem__))


def decide_consequence(
    changes: tuple[Change, ...], stage: CaseStage, *, own_use: bool = False
) -> Consequence:
    """Result of everything that became of a material, for a case in a stage.

    The gravest change decides what happens to the case, the strictest one what happens to the
    copy: a copy that one of them destroys is not kept because of another.

    Args:
        changes: As `list_changes` gives them; none: nothing happens.
        own_use: It was spent by this very case, which is no news to it.
    """
    rows = [
        CONSEQUENCES[change][stage]
        for change in changes
        if not (own_use and change is Change.SPENT)
    ]
    if not rows:
        return _NOTHING
    copies = {row.copy for row in rows}
    strictest = next(each for each in (_K.DESTROY, _K.KEEP_FILED, _K.KEEP) if each in copies)
    acting = next((row for row in rows if row.action is not _A.NOTHING), rows[0])
    return Consequence(acting.action, strictest)
