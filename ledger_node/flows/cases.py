"""Cases: opened here, moved by officers, told back to the system they came from.

Step 10. Spec: docs/spec/systems.md. Every change of a case, its history and the event for its
system are one commit; a change is compare-and-swap on the revision.

Crash order: record key durable -> case, step and event in one commit -> event delivered at least
once (case_outbox.py).
Not here: cases handed in (case_intake.py), sent to review (case_review.py), who may see which case
(the caller passes what the principal may), clocks of the law.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ledger_node.core.canonical import encode_canonical, parse_canonical
from ledger_node.core.case import (
    OF_REVIEW,
    OPEN_STAGES,
    CaseDraft,
    CaseEvent,
    CaseStage,
    advance_case,
    build_case_number,
    encode_case_draft,
    read_case_draft,
    write_day,
)
from ledger_node.core.case_event import RECEIPT_FILED, CaseNotice, encode_case_event
from ledger_node.core.errors import ConflictError, IllegalTransitionError, NotFoundError
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import RowConflictError, Transaction
from ledger_node.ports.database_cases import CaseLinkRow, CaseRow, CaseStepRow

OWN_SYSTEM: Final = "own"
LINK_LIFE: Final = timedelta(seconds=60)
LINK_BYTES: Final = 32
_BODY: Final = "body"


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


def open_case(node: Node, draft: CaseDraft, account_id: str, *, case_id: str | None = None) -> Case:
    """Open a case here, in a city without a case system; it gets the next number of its outlet.

    Args:
        case_id: Id to give it: whoever opens the same one twice is refused the second time.

    Raises:
        MalformedInputError: The applicant's number is not one of its scheme.
        CaseMovedError: There is a case of this id.
    """
    case_id = case_id or new_case_id(node)
    digest = hashlib.sha256(encode_canonical(encode_case_draft(draft))).digest()
    row = build_case_row(
        node, case_id, OWN_SYSTEM, "", draft, CaseStage.RECEIVED, digest, account_id
    )
    place, day = draft.outlet or node.city, write_day(row.created_at)
    step = CaseStepRow(case_id, 0, row.updated_at, account_id, "open", row.stage, None)
    try:
        with node.database.transaction() as tx:
            serial = tx.cases.take_serial(place, day)
            row = replace(row, number=build_case_number(place, day, serial))
            tx.cases.save_case(row)
            tx.cases.save_step(step)
    except RowConflictError as error:
        raise CaseMovedError from error
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
        IllegalTransitionError, CaseReasonMissingError: The table says no, or the event is one of
            handling a review.
        CaseMovedError: Somebody was first.
    """
    if event in OF_REVIEW:
        raise IllegalTransitionError("办件", case.stage.value, event.value)
    stage = advance_case(case.stage, event, reason)
    row = follow_row(node, case.row, stage=stage.value)
    store_case(node, row, case.row, event.value, account_id, reason, tell=True)
    return Case(row, case.draft)


def follow_row(node: Node, row: CaseRow, **changes: Any) -> CaseRow:
    """The next revision of a case's row."""
    return replace(row, revision=row.revision + 1, updated_at=node.clock.now(), **changes)


def new_case_id(node: Node) -> str:
    """A random id."""
    return str(uuid.UUID(bytes=node.entropy(16), version=4))


def file_receipt(node: Node, case: Case, receipt_id: str) -> None:
    """Note a reliance receipt in the case and tell its system; idempotent."""
    now = node.clock.now()
    with node.database.transaction() as tx:
        if receipt_id in tx.cases.list_receipts(case.row.case_id):
            return
        tx.cases.link_receipt(case.row.case_id, receipt_id)
        _tell(node, tx, case.row, RECEIPT_FILED, now, receipt_id)


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


def build_case_row(
    node: Node,
    case_id: str,
    system: str,
    number: str,
    draft: CaseDraft,
    stage: CaseStage,
    digest: bytes,
    account_id: str,
) -> CaseRow:
    """Row of a case in its first revision, its body sealed.

    Raises:
        MalformedInputError: The applicant's number is not one of its scheme.
    """
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


def store_case(
    node: Node,
    row: CaseRow,
    known: CaseRow | None,
    event: str,
    account_id: str,
    reason: str,
    *,
    tell: bool,
    also: Callable[[Transaction], None] | None = None,
) -> None:
    """Store a case, its step, the event for its system, and what else belongs to the commit.

    Raises:
        CaseMovedError: Somebody was first.
    """
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
                _tell(node, tx, row, event, row.updated_at)
            if CaseStage(row.stage) not in OPEN_STAGES:
                tx.cases.drop_review(row.case_id)
            if also is not None:
                also(tx)
    except RowConflictError as error:
        raise CaseMovedError from error


def _tell(
    node: Node,
    tx: Transaction,
    row: CaseRow,
    event: str,
    at: datetime,
    receipt: str | None = None,
) -> None:
    """An event for the case's system: numbers and names of stages only, nothing personal."""
    if row.system == OWN_SYSTEM:
        return
    notice = CaseNotice(
        notice_id=str(uuid.UUID(bytes=node.entropy(16), version=4)),
        city=node.city,
        system=row.system,
        case=row.number,
        event=event,
        stage=CaseStage(row.stage),
        revision=row.revision,
        at=at,
        receipt=receipt,
    )
    tx.cases.add_event(row.system, row.case_id, encode_case_event(notice), at, at)


def _open_reason(node: Node, row: CaseStepRow) -> str:
    if row.sealed_reason is None:
        return ""
    part = f"reason/{row.revision}"
    return open_record(node, _record(row.case_id), part, row.sealed_reason).decode()


def _record(case_id: str) -> str:
    return f"case/{case_id}"


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
