"""Cases: handed in by a case system or opened here, moved by officers, told back to their system.

Step 10. Spec: docs/spec/systems.md. Every change of a case, its history and the event for its
system are one commit; a change is compare-and-swap on the revision.

Crash order: record key durable -> case, step and event in one commit -> event delivered at least
once (case_outbox.py).
Not here: who may see which case (the caller passes what the principal may), clocks of the law.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
)
from ledger_node.core.case import (
    CaseDraft,
    CaseEvent,
    CaseStage,
    StateMap,
    advance_case,
    encode_case_draft,
    read_case_draft,
)
from ledger_node.core.errors import ConflictError, MalformedInputError, NotFoundError
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import RowConflictError, Transaction
from ledger_node.ports.database_cases import CaseLinkRow, CaseRow, CaseStepRow

EVENT_VERSION: Final = "tongban/case-event/v1"
OWN_SYSTEM: Final = "own"
LINK_LIFE: Final = timedelta(seconds=60)
LINK_BYTES: Final = 32
_BODY: Final = "body"
_HANDED_IN: Final = "handed_in"


class CaseMovedError(ConflictError):
    """Somebody changed the case meanwhile."""

    code = "case_moved"

    def __init__(self) -> None:
        super().__init__(
            "办件刚被他人更新，请刷新后再操作。", "The case was changed meanwhile; reload it."
        )


class CaseLinkUsedError(NotFoundError):
    """The one-time link was used, ran out, or never was."""

    code = "case_link_used"

    def __init__(self) -> None:
        super().__init__(
            "链接已用过或已过期，请回到综窗系统重新打开。",
            "The link was used or ran out; open it again from the case system.",
        )


class CaseItemUnknownError(MalformedInputError):
    """The catalogue in force has no such service item."""

    code = "case_item_unknown"


@dataclass(frozen=True, slots=True)
class Case:
    """A case, opened: its row and what it is about."""

    row: CaseRow
    draft: CaseDraft

    @property
    def stage(self) -> CaseStage:
        """Where it stands."""
        return CaseStage(self.row.stage)


@dataclass(frozen=True, slots=True)
class CaseStep:
    """One change of a case with its reason."""

    at: datetime
    account_id: str
    event: str
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What became of a case handed in: the case, and whether it is new or changed."""

    case: Case
    created: bool
    changed: bool


def hand_in(
    node: Node,
    states: StateMap,
    number: str,
    body: bytes,
    items: Collection[str],
    *,
    account_id: str,
    by: str,
    expected_revision: int | None = None,
) -> HandedIn:
    """Take in a case of another system: the first time it is opened, later brought up to date; the
    same body again changes nothing, and while their state is the same, our stage stays.

    Args:
        states: Map of the system that hands in.
        number: Its number there (办件编号).
        body: RFC 8785 bytes of `core.case.CaseDraft`.
        items: Codes of the catalogue in force.
        account_id: Account here of the officer it names; empty: nobody yet.
        by: Account of the machine.
        expected_revision: Refuse unless the case stands at it.

    Raises:
        NotCanonicalError, UnexpectedShapeError, UnmappedStateError, CaseItemUnknownError,
        MalformedInputError: The body is not acceptable; nothing is stored.
        CaseMovedError: Another revision stands.
    """
    draft = read_case_draft(parse_canonical(body, what="case"))
    stage = states.stage_of(draft.state)
    if draft.item not in items:
        raise CaseItemUnknownError(
            "目录中没有该事项，请核对事项编码。",
            "The catalogue has no such item; check its code.",
            field="item",
        )
    digest = hashlib.sha256(body).digest()
    with node.database.read() as tx:
        known = tx.cases.find_case(states.system, number)
    if known is not None and known.content_digest == digest and expected_revision is None:
        return HandedIn(Case(known, draft), created=False, changed=False)
    if expected_revision is not None and (known is None or known.revision != expected_revision):
        raise CaseMovedError
    if known is not None and known.their_state == draft.state:
        stage = CaseStage(known.stage)  # they changed something else; what we decided stands
    case_id = known.case_id if known else str(uuid.UUID(bytes=node.entropy(16), version=4))
    row = _build_row(node, case_id, states.system, number, draft, stage, digest, account_id)
    if known is not None:
        row = replace(row, revision=known.revision + 1, created_at=known.created_at)
    _store(node, row, known, _HANDED_IN, by, "", tell=False)
    return HandedIn(Case(row, draft), created=known is None, changed=True)


def find_handler(node: Node, body: bytes) -> str:
    """Account of the officer a case body names by login; empty when nobody signs by it here.

    Args:
        body: RFC 8785 bytes, not yet read.
    """
    value = parse_canonical(body, what="case")
    login = value.get("officer") if isinstance(value, dict) else None
    if not isinstance(login, str):
        return ""
    with node.database.read() as tx:
        account = tx.accounts.find_by_login(login)
    return "" if account is None or account.officer is None else account.account_id


def open_case(node: Node, number: str, draft: CaseDraft, account_id: str) -> Case:
    """Open a case here, in a city without a case system.

    Raises:
        MalformedInputError: The applicant's number is not one of its scheme.
        CaseMovedError: The number is taken.
    """
    case_id = str(uuid.UUID(bytes=node.entropy(16), version=4))
    digest = hashlib.sha256(encode_canonical(encode_case_draft(draft))).digest()
    stage = CaseStage.RECEIVED
    row = _build_row(node, case_id, OWN_SYSTEM, number, draft, stage, digest, account_id)
    _store(node, row, None, "open", account_id, "", tell=False)
    return Case(row, draft)


def load_case(node: Node, case_id: str) -> Case:
    """A case, opened.

    Raises:
        CaseNotFoundError: There is none.
        KeyMissingError, SealedValueDamagedError: It does not open.
    """
    with node.database.read() as tx:
        row = tx.cases.load_case(case_id)
    return Case(row, open_draft(node, row))


def open_draft(node: Node, row: CaseRow) -> CaseDraft:
    """What a case is about."""
    content = open_record(node, _record(row.case_id), _BODY, row.sealed_body)
    return read_case_draft(parse_canonical(content, what="case"))


def move_case(node: Node, case: Case, event: CaseEvent, account_id: str, reason: str = "") -> Case:
    """Move a case by an event and tell its system.

    Raises:
        IllegalTransitionError, CaseReasonMissingError: The table says no.
        CaseMovedError: Somebody was first.
    """
    stage = advance_case(case.stage, event, reason)
    row = replace(
        case.row,
        stage=stage.value,
        revision=case.row.revision + 1,
        updated_at=node.clock.now(),
    )
    _store(node, row, case.row, event.value, account_id, reason, tell=True)
    return Case(row, case.draft)


def file_receipt(node: Node, case: Case, receipt_id: str) -> None:
    """Note a reliance receipt in the case and tell its system; idempotent."""
    now = node.clock.now()
    with node.database.transaction() as tx:
        if receipt_id in tx.cases.list_receipts(case.row.case_id):
            return
        tx.cases.link_receipt(case.row.case_id, receipt_id)
        _tell(node, tx, case.row, "receipt_filed", now, {"receipt": receipt_id})


def list_case_steps(node: Node, case: Case) -> list[CaseStep]:
    """History of a case, oldest first, with reasons."""
    with node.database.read() as tx:
        rows = tx.cases.list_steps(case.row.case_id)
    return [
        CaseStep(row.at, row.account_id, row.event, row.stage, _open_reason(node, row))
        for row in rows
    ]


def make_link(node: Node, case_id: str, account_id: str) -> str:
    """A one-time token that opens this case for this account within a minute."""
    token = node.entropy(LINK_BYTES).hex()
    row = CaseLinkRow(_hash(token), case_id, account_id, node.clock.now() + LINK_LIFE)
    with node.database.transaction() as tx:
        tx.cases.save_link(row)
    return token


def use_link(node: Node, token: str) -> CaseLinkRow:
    """Take up a one-time token.

    Raises:
        CaseLinkUsedError: It was used, ran out, or never was.
    """
    with node.database.transaction() as tx:
        row = tx.cases.take_link(_hash(token))
    if row is None or node.clock.now() >= row.expires_at:
        raise CaseLinkUsedError
    return row


def _build_row(
    node: Node,
    case_id: str,
    system: str,
    number: str,
    draft: CaseDraft,
    stage: CaseStage,
    digest: bytes,
    account_id: str,
) -> CaseRow:
    who = draft.applicant
    normalised = node.normalise_identifier(who.scheme, who.number)
    now = node.clock.now()
    content = encode_canonical(encode_case_draft(draft))
    return CaseRow(
        case_id=case_id,
        system=system,
        number=number,
        account_id=account_id or None,
        outlet=draft.outlet,
        window=draft.window,
        queue_number=draft.queue_number,
        stage=stage.value,
        their_state=draft.state,
        revision=0,
        content_digest=digest,
        applicant_tag=compute_subject_tag(node, who.scheme, normalised),
        sealed_body=seal_record(node, _record(case_id), _BODY, content),
        created_at=now,
        updated_at=now,
    )


def _store(
    node: Node,
    row: CaseRow,
    known: CaseRow | None,
    event: str,
    account_id: str,
    reason: str,
    *,
    tell: bool,
) -> None:
    part = f"reason/{row.revision}"
    sealed = seal_record(node, _record(row.case_id), part, reason.encode()) if reason else None
    step = CaseStepRow(
        row.case_id, row.revision, row.updated_at, account_id, event, row.stage, sealed
    )
    try:
        with node.database.transaction() as tx:
            if known is None:
                tx.cases.save_case(row)
            elif not tx.cases.update_case(row, known.revision):
                raise CaseMovedError
            tx.cases.save_step(step)
            if tell:
                _tell(node, tx, row, event, row.updated_at, {})
    except RowConflictError as error:
        raise CaseMovedError from error


def _tell(
    node: Node, tx: Transaction, row: CaseRow, event: str, at: datetime, extra: JsonObject
) -> None:
    """An event for the case's system: numbers and names of stages only, nothing personal."""
    if row.system == OWN_SYSTEM:
        return
    body: dict[str, JsonValue] = {
        "v": EVENT_VERSION,
        "id": str(uuid.UUID(bytes=node.entropy(16), version=4)),
        "city": node.city,
        "system": row.system,
        "case": row.number,
        "event": event,
        "stage": row.stage,
        "revision": row.revision,
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **extra,
    }
    tx.cases.add_event(row.system, row.case_id, encode_canonical(body), at, at)


def _open_reason(node: Node, row: CaseStepRow) -> str:
    if row.sealed_reason is None:
        return ""
    part = f"reason/{row.revision}"
    return open_record(node, _record(row.case_id), part, row.sealed_reason).decode()


def _record(case_id: str) -> str:
    return f"case/{case_id}"


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
