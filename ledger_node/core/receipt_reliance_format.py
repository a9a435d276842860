"""Bodies of reliance receipts as JSON.

Step 9 of the data flow. Spec: docs/spec/receipt.md. Vectors: tests/vectors/receipt/.

Not here: what the members mean (receipt_reliance.py).
"""

from __future__ import annotations

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
)
from ledger_node.core.chain_facts_format import (
    encode_block,
    read_block,
)
from ledger_node.core.checkpoint import MAX_GENERATION
from ledger_node.core.event_types import StatusFlag
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.receipt import (
    RECEIPT_VERSION,
    RECEIPT_VERSION_1,
    encode_disclosed,
    encode_event,
    read_disclosed,
    read_event,
    refuse_as_receipt,
)
from ledger_node.core.receipt_reliance import (
    RelianceBody,
    RelianceDecision,
    ReliedMaterial,
    SeenLine,
)
from ledger_node.core.release_answer import parse_release_answer
from ledger_node.core.release_request import parse_release_request
from ledger_node.core.shapes import (
    MAX_TIME_S,
    demand_distinct,
    demand_not_empty,
    encode_opening,
    read_bytes32,
    read_choice,
    read_city,
    read_name,
    read_opening,
    read_short_text,
    refuse_shape,
)
from ledger_node.core.signed_head import (
    encode_answer_head,
    encode_head,
    read_answer_head,
    read_head,
)
from ledger_node.core.types import Commitment, Salt
from ledger_node.core.verdict import LineState, Question
from ledger_node.core.verdict_codes import VerdictCode

_WHAT = "reliance receipt"
_MEMBERS = (
    "receipt",
    "city",
    "generation",
    "decided_at",
    "decision",
    "catalogue",
    "request",
    "request_message",
    "answer",
    "answer_message",
    "acknowledgement",
    "release_salt",
    "materials",
    "openings",
    "grant",
    "state_block",
)
_OPENINGS = ("subject", "item", "case")
MAX_STATUS = sum(StatusFlag)


def encode_reliance_body(body: RelianceBody, version: str = RECEIPT_VERSION) -> JsonObject:
    """Write the body to be signed and committed to, as receipts of a version do.

    Raises:
        MalformedInputError: Request, answer or acknowledgement are not canonical JSON.
    """
    verdicts: JsonObject = {"verdicts": [_encode_line(each) for each in body.verdicts]}
    return {
        **(verdicts if version == RECEIPT_VERSION_1 else {}),
        "receipt": body.receipt_id,
        "city": body.city,
        "generation": body.generation,
        "decided_at": body.decided_at_s,
        "decision": {
            "officer": body.decision.officer,
            "role": body.decision.role.value,
            "outcome": body.decision.outcome,
        },
        "catalogue": body.catalogue,
        "request": parse_canonical(body.request_bytes, what="release request"),
        "request_message": encode_head(body.request_head),
        "answer": parse_canonical(body.answer_bytes, what="release answer"),
        "answer_message": encode_answer_head(body.answer_head),
        "acknowledgement": parse_canonical(body.acknowledgement_bytes, what="acknowledgement"),
        "release_salt": body.release_salt.hex(),
        "materials": [_encode_material(each, version) for each in body.materials],
        "openings": {
            "subject": encode_opening(body.subject),
            "item": encode_opening(body.item),
            "case": encode_opening(body.case),
        },
        "grant": {
            "recorded": encode_event(body.recorded, version),
            "consumed": encode_event(body.consumed, version),
        },
        "state_block": encode_block(body.state_block),
    }


def read_reliance_body(value: JsonObject, version: str = RECEIPT_VERSION) -> RelianceBody:
    """Read the body of a reliance receipt.

    Raises:
        NotAReceiptError: A member is missing, unknown or not well formed.
    """
    with refuse_as_receipt():
        names = (*_MEMBERS, "verdicts") if version == RECEIPT_VERSION_1 else _MEMBERS
        m = require_members(value, names, what=_WHAT)
        request_bytes = encode_canonical(m["request"])
        answer_bytes = encode_canonical(m["answer"])
        materials = tuple(
            _read_material(item, version)
            for item in require_list(m["materials"], what=f"{_WHAT} materials")
        )
        demand_not_empty(materials, what=f"{_WHAT} materials")
        demand_distinct([each.commitment for each in materials], what=f"{_WHAT} materials")
        openings = require_members(m["openings"], _OPENINGS, what=f"{_WHAT} openings")
        subject, item, case = (
            read_opening(openings[name], what=f"{_WHAT} {name}") for name in _OPENINGS
        )
        grant = require_members(m["grant"], ("recorded", "consumed"), what=f"{_WHAT} grant")
        return RelianceBody(
            receipt_id=read_name(m["receipt"], what=f"{_WHAT} receipt"),
            city=read_city(m["city"], what=f"{_WHAT} city"),
            generation=require_int(
                m["generation"], what=f"{_WHAT} generation", maximum=MAX_GENERATION
            ),
            decided_at_s=require_int(
                m["decided_at"], what=f"{_WHAT} decided_at", maximum=MAX_TIME_S
            ),
            decision=_read_decision(m["decision"]),
            catalogue=read_name(m["catalogue"], what=f"{_WHAT} catalogue"),
            request=parse_release_request(request_bytes),
            request_bytes=request_bytes,
            request_head=read_head(m["request_message"]),
            answer=parse_release_answer(answer_bytes),
            answer_bytes=answer_bytes,
            answer_head=read_answer_head(m["answer_message"]),
            acknowledgement_bytes=encode_canonical(m["acknowledgement"]),
            release_salt=Salt(read_bytes32(m["release_salt"], what=f"{_WHAT} release_salt")),
            materials=materials,
            subject=subject,
            item=item,
            case=case,
            recorded=read_event(grant["recorded"], version, what=f"{_WHAT} recorded"),
            consumed=read_event(grant["consumed"], version, what=f"{_WHAT} consumed"),
            state_block=read_block(m["state_block"], what=f"{_WHAT} state_block"),
            verdicts=_read_verdicts(m["verdicts"]) if "verdicts" in m else (),
        )


def _encode_material(material: ReliedMaterial, version: str) -> JsonObject:
    return {
        "commitment": material.commitment.hex(),
        "disclosed": encode_disclosed(material.disclosed),
        "anchored": encode_event(material.anchored, version),
        "status": int(material.status),
        "open_objections": material.open_objections,
    }


def _read_material(value: JsonValue, version: str) -> ReliedMaterial:
    what = f"{_WHAT} material"
    names = ("commitment", "disclosed", "anchored", "status", "open_objections")
    m = require_members(value, names, what=what)
    return ReliedMaterial(
        commitment=Commitment(read_bytes32(m["commitment"], what=f"{what} commitment")),
        disclosed=read_disclosed(m["disclosed"], what=f"{what} disclosed"),
        anchored=read_event(m["anchored"], version, what=f"{what} anchored"),
        status=StatusFlag(require_int(m["status"], what=f"{what} status", maximum=MAX_STATUS)),
        open_objections=require_int(m["open_objections"], what=f"{what} open_objections"),
    )


def _read_decision(value: JsonValue) -> RelianceDecision:
    what = f"{_WHAT} decision"
    m = require_members(value, ("officer", "role", "outcome"), what=what)
    return RelianceDecision(
        read_name(m["officer"], what=what),
        read_choice(m["role"], OfficerRole, what=what),
        read_short_text(m["outcome"], what=what),
    )


def _encode_line(line: SeenLine) -> JsonObject:
    return {"question": line.question, "state": line.state, "code": line.code}


def _read_verdicts(value: JsonValue) -> tuple[SeenLine, ...]:
    what = f"{_WHAT} verdicts"
    lines = tuple(_read_line(item) for item in require_list(value, what=what))
    if [line.question for line in lines] != list(Question):
        raise refuse_shape(what, "须依次回答四个问题", "the four questions, in their order")
    return lines


def _read_line(value: JsonValue) -> SeenLine:
    what = f"{_WHAT} verdicts"
    m = require_members(value, ("question", "state", "code"), what=what)
    code = m["code"]
    line = SeenLine(
        read_choice(m["question"], Question, what=what),
        read_choice(m["state"], LineState, what=what),
        None if code is None else read_choice(code, VerdictCode, what=what),
    )
    if (line.code is None) != (line.state in (LineState.HOLDS, LineState.NOT_STATED)):
        raise refuse_shape(what, "状态与代码不符", "state and code do not fit")
    return line
