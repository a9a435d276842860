"""Cases another system hands in: opened the first time, brought up to date later.

Step 10. Spec: docs/spec/systems.md, "Case in". The same body again changes nothing. While the
system's state of a case is the same, our stage stays; while it names the same officer, whoever
handles the case here stays.

Crash order: record key durable -> case and step in one commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from ledger_node.core.canonical import parse_canonical
from ledger_node.core.case import CaseDraft, CaseStage, StateMap, read_case_draft
from ledger_node.core.errors import MalformedInputError
from ledger_node.flows.cases import (
    Case,
    CaseMovedError,
    build_case_row,
    new_case_id,
    open_draft,
    store_case,
)
from ledger_node.flows.node import Node
from ledger_node.ports.database_cases import CaseRow

TRIES: Final = 4  # of somebody who did not ask for a certain revision
_HANDED_IN: Final = "handed_in"


class CaseItemUnknownError(MalformedInputError):
    """The catalogue in force has no such service item."""

    code = "case_item_unknown"


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
    by: str,
    expected_revision: int | None = None,
) -> HandedIn:
    """Take in a case of another system.

    Args:
        states: Map of the system that hands in.
        number: Its number there (办件编号).
        body: RFC 8785 bytes of `core.case.CaseDraft`.
        items: Codes of the catalogue in force.
        by: Account of the machine.
        expected_revision: Refuse unless the case stands at it.

    Raises:
        NotCanonicalError, UnexpectedShapeError, UnmappedStateError, CaseItemUnknownError,
        MalformedInputError: The body is not acceptable; nothing is stored.
        CaseMovedError: Another revision stands.
    """
    draft = read_case_draft(parse_canonical(body, what="case"))
    states.stage_of(draft.state)
    if draft.item not in items:
        raise CaseItemUnknownError(
            "目录中没有该事项，请核对事项编码。",
            "The catalogue has no such item; check its code.",
            field="item",
        )
    digest = hashlib.sha256(body).digest()
    for attempt in range(TRIES):
        with node.database.read() as tx:
            known = tx.cases.find_case(states.system, number)
        if expected_revision is not None and (known is None or known.revision != expected_revision):
            raise CaseMovedError
        if known is not None and known.content_digest == digest:
            return HandedIn(Case(known, draft), created=False, changed=False)
        try:
            row = _build_row(node, states, number, draft, digest, known)
            store_case(node, row, known, _HANDED_IN, by, "", tell=False)
        except CaseMovedError:  # somebody handed it in or moved it at the same time
            if expected_revision is not None or attempt + 1 == TRIES:
                raise
        else:
            return HandedIn(Case(row, draft), created=known is None, changed=True)
    raise CaseMovedError


def _build_row(
    node: Node,
    states: StateMap,
    number: str,
    draft: CaseDraft,
    digest: bytes,
    known: CaseRow | None,
) -> CaseRow:
    stage = states.stage_of(draft.state)
    account_id = _find_handler(node, draft.officer)
    if known is None:
        case_id = new_case_id(node)
        return build_case_row(
            node, case_id, states.system, number, draft, stage, digest, account_id
        )
    if known.their_state == draft.state:
        stage = CaseStage(known.stage)  # they changed something else; what we decided stands
    if open_draft(node, known).officer == draft.officer:
        account_id = known.account_id or account_id
    row = build_case_row(
        node, known.case_id, states.system, number, draft, stage, digest, account_id
    )
    return replace(row, revision=known.revision + 1, created_at=known.created_at)


def _find_handler(node: Node, login: str | None) -> str:
    """Account of the officer a case names by login; empty when nobody signs by it here."""
    if login is None:
        return ""
    with node.database.read() as tx:
        account = tx.accounts.find_by_login(login)
    return "" if account is None or account.officer is None else account.account_id
