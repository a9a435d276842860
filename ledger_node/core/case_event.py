"""An event of a case as its system gets it: RFC 8785 bytes, nothing personal. Pure.

Step 10. Spec: docs/spec/systems.md, "Events out". The bytes are stored once and sent as they are;
the signature over them is that of any message (core/message.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_members,
    require_text,
)
from ledger_node.core.case import CaseEvent, CaseStage
from ledger_node.core.shapes import read_choice, read_city, read_name, read_version, refuse_shape
from ledger_node.core.types import CityId

EVENT_VERSION: Final = "tongban/case-event/v1"
RECEIPT_FILED: Final = "receipt_filed"
MAX_EVENT_BYTES: Final = 64 * 1024
_WHAT: Final = "case event"
_MEMBERS: Final = (
    "v",
    "id",
    "city",
    "system",
    "case",
    "event",
    "stage",
    "revision",
    "at",
)
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_TIME_SHAPE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True)
class CaseNotice:
    """What a case system is told.

    Attributes:
        notice_id: Random UUID; the same event sent again carries the same.
        system, case: Whom it is for, and its number there.
        event: Name of a `CaseEvent`, or `receipt_filed`.
        stage, revision: Where the case stands after it; events are ordered by the revision.
        at: UTC, whole seconds.
        receipt: Id of the receipt filed; None for everything else.
    """

    notice_id: str
    city: CityId
    system: str
    case: str
    event: str
    stage: CaseStage
    revision: int
    at: datetime
    receipt: str | None = None


def encode_case_event(notice: CaseNotice) -> bytes:
    """Bytes as they are stored, signed and sent."""
    body: JsonObject = {
        "v": EVENT_VERSION,
        "id": notice.notice_id,
        "city": notice.city,
        "system": notice.system,
        "case": notice.case,
        "event": notice.event,
        "stage": notice.stage.value,
        "revision": notice.revision,
        "at": f"{notice.at.astimezone(UTC):{_TIME}}",
    }
    return encode_canonical(body if notice.receipt is None else {**body, "receipt": notice.receipt})


def parse_case_event(data: bytes) -> CaseNotice:
    """Read an event as its system does.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError: It is none; a receipt stands
            exactly where one was filed.
    """
    value = parse_canonical(data, what=_WHAT, max_bytes=MAX_EVENT_BYTES)
    read_version(value, EVENT_VERSION, what=_WHAT)
    filed = isinstance(value, dict) and value.get("event") == RECEIPT_FILED
    m = require_members(value, (*_MEMBERS, "receipt") if filed else _MEMBERS, what=_WHAT)
    event = RECEIPT_FILED if filed else read_choice(m["event"], CaseEvent, what=_WHAT).value
    return CaseNotice(
        notice_id=_read_id(m["id"]),
        city=read_city(m["city"], what=_WHAT),
        system=read_name(m["system"], what=_WHAT),
        case=read_name(m["case"], what=_WHAT),
        event=event,
        stage=read_choice(m["stage"], CaseStage, what=_WHAT),
        revision=require_int(m["revision"], what=_WHAT),
        at=_read_time(m["at"]),
        receipt=read_name(m["receipt"], what=_WHAT) if filed else None,
    )


def _read_id(value: JsonValue) -> str:
    text = require_text(value, what=_WHAT)
    try:
        same = str(UUID(text)) == text
    except ValueError:
        same = False
    if not same:
        raise refuse_shape(_WHAT, "id 应为小写 UUID", "id is a lower-case UUID")
    return text


def _read_time(value: JsonValue) -> datetime:
    text = require_text(value, what=_WHAT)
    try:
        if _TIME_SHAPE.fullmatch(text) is None:
            raise ValueError
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise refuse_shape(_WHAT, "at 应为 UTC 时刻", "at is a time in UTC") from error
