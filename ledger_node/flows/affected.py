"""What this city received and can no longer rely on as it did. Step 10 at the receiving city.

Read from the followed chain, so that a withdrawal or a revocation shows even if its notice never
arrives; notices add the reason.

What it means is read from one table (core/consequence.py) by the stage of the case the material was
released for. Not here: taking notices (watching.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.canonical import JsonObject
from ledger_node.core.case import CaseStage
from ledger_node.core.consequence import (
    Change,
    Consequence,
    decide_consequence,
    list_changes,
)
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import NotFoundError
from ledger_node.core.release import IncomingState
from ledger_node.core.release_answer import parse_release_answer
from ledger_node.core.status import Standing, decide_standing
from ledger_node.core.types import CityId, Commitment, GrantId
from ledger_node.flows.facts import leaf_hash_of, read_status_flags
from ledger_node.flows.finding import count_open_objections
from ledger_node.flows.granting import load_grant
from ledger_node.flows.node import Node
from ledger_node.flows.receiving import INCOMING
from ledger_node.flows.records import open_record
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_exchange import NoticeRow, ReleaseRow

_ANSWERED = (
    IncomingState.ANSWERED,
    IncomingState.VERIFIED,
    IncomingState.COMPLETE,
    IncomingState.ACKNOWLEDGED,
)
_Notices = Mapping[tuple[CityId, Commitment], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _News:
    """What was said of a release, before its case was looked up."""

    request_digest: bytes
    city: CityId
    grant_id: GrantId
    revoked: bool
    materials: tuple[tuple[Commitment, Standing, tuple[str, ...]], ...]
    receipt_id: str | None


@dataclass(frozen=True, slots=True)
class AffectedMaterial:
    """A received material something was said of.

    Attributes:
        commitment: Which.
        standing: As the chain says, pending blocks included.
        notices: Kinds of the notices that arrived for it.
        consequence: What it means for the case.
    """

    commitment: Commitment
    standing: Standing
    notices: tuple[str, ...]
    consequence: Consequence


@dataclass(frozen=True, slots=True)
class AffectedRelease:
    """A release to this city that is not what it was.

    Attributes:
        request_digest: Its id.
        city: Releasing city.
        grant_id: Under which grant.
        revoked: The grant was revoked since.
        materials: Those something was said of; may be none when the grant was revoked.
        receipt_id: Of the decision that stands on it; None if none was filed.
        stage: Of the case it was released for. Where this node has no such case: delivered if a
            decision was filed, received if not.
        consequence: Of the revocation, for all of its materials; nothing if it was not revoked.
    """

    request_digest: bytes
    city: CityId
    grant_id: GrantId
    revoked: bool
    materials: tuple[AffectedMaterial, ...]
    receipt_id: str | None
    stage: CaseStage
    consequence: Consequence


def list_affected(node: Node, limit: int = 1000) -> list[AffectedRelease]:
    """Releases to this city, oldest first, that are affected by anything seen on chain.

    Args:
        limit: How many releases are looked at.

    Raises:
        KeyMissingError, SealedValueDamagedError: A release's record does not open.
    """
    with node.database.read() as tx:
        rows = tx.releases.list_releases(INCOMING, _ANSWERED, limit)
        notices = _group(tx.messages.list_notices(INCOMING, undelivered_only=False))
        found = [_read_news(node, tx, row, notices) for row in rows]
    return [_describe(node, each) for each in found if each.revoked or each.materials]


def list_recalls(node: Node, limit: int = 1000) -> list[AffectedRelease]:
    """The recall worklist: decided cases to be looked at again, oldest release first.

    Raises:
        KeyMissingError, SealedValueDamagedError: A record does not open.
    """
    return [
        each
        for each in list_affected(node, limit)
        if each.consequence.recalls or any(seen.consequence.recalls for seen in each.materials)
    ]


def encode_affected(affected: AffectedRelease) -> JsonObject:
    """As plain JSON, for machines."""
    return {
        "release": affected.request_digest.hex(),
        "city": affected.city,
        "terms": affected.grant_id.hex(),
        "revoked": affected.revoked,
        "materials": [
            {
                "commitment": each.commitment.hex(),
                "standing": each.standing.value,
                "notices": list(each.notices),
                **_encode_consequence(each.consequence),
            }
            for each in affected.materials
        ],
        "receipt": affected.receipt_id,
        "stage": affected.stage.value,
        **_encode_consequence(affected.consequence),
    }


def _encode_consequence(consequence: Consequence) -> JsonObject:
    return {"action": consequence.action.value, "copy": consequence.copy.value}


def _group(rows: list[NoticeRow]) -> _Notices:
    grouped: dict[tuple[CityId, Commitment], tuple[str, ...]] = {}
    for row in rows:
        key = (row.city, Commitment(row.commitment))
        grouped[key] = (*grouped.get(key, ()), row.kind)
    return grouped


def _read_news(node: Node, tx: Transaction, row: ReleaseRow, notices: _Notices) -> _News:
    assert row.answer is not None  # every state from ANSWERED on has one
    name = f"release/{row.request_digest.hex()}"
    answer = parse_release_answer(open_record(node, name, "answer", row.answer))
    materials = []
    for material in answer.materials:
        leaf_hash = leaf_hash_of(EntryKind.MATERIAL, material.commitment)
        standing = decide_standing(
            read_status_flags(tx, row.city, leaf_hash),
            count_open_objections(tx, row.city, leaf_hash),
        )
        told = notices.get((row.city, material.commitment), ())
        if standing is not Standing.ACTIVE or told:
            materials.append((material.commitment, standing, told))
    return _News(
        row.request_digest,
        row.city,
        row.grant_id,
        tx.chain.find_revocation(row.grant_id) is not None,
        tuple(materials),
        _find_receipt(tx, row),
    )


def _describe(node: Node, news: _News) -> AffectedRelease:
    stage = _find_stage(node, news)
    own_use = news.receipt_id is not None
    revoked = (Change.REVOKED,) if news.revoked else ()
    materials = [
        AffectedMaterial(
            commitment,
            standing,
            told,
            decide_consequence(
                list_changes(standing, revoked=news.revoked, expired=False), stage, own_use=own_use
            ),
        )
        for commitment, standing, told in news.materials
    ]
    return AffectedRelease(
        news.request_digest,
        news.city,
        news.grant_id,
        news.revoked,
        tuple(materials),
        news.receipt_id,
        stage,
        decide_consequence(revoked, stage),
    )


def _find_stage(node: Node, news: _News) -> CaseStage:
    opening = load_grant(node, news.grant_id).openings.case
    body = None if opening is None else opening.body
    number = body.get("number") if isinstance(body, dict) else None
    if isinstance(number, str):
        with node.database.read() as tx:
            known = tx.cases.list_cases_of_number(number)
        if known:
            return CaseStage(known[0].stage)
    return CaseStage.RECEIVED if news.receipt_id is None else CaseStage.DELIVERED


def _find_receipt(tx: Transaction, row: ReleaseRow) -> str | None:
    try:
        return tx.receipts.load_receipt(row.request_digest.hex()).receipt_id
    except NotFoundError:
        return None
