"""An auditor's questions, answered from a city's own records beside the shared ledger.

Step 11. Spec: docs/spec/questions.md. The shared ledger says which city released to which, when
and on which grant; what was released, for what it was asked, whether it arrived and who looked is
each city's own. Answers name no person: an officer stands under a pseudonym, a material under its
commitment.

Invariants:
    * At most `MAX_ROWS` rows, the oldest first; `more` says that there are more.
    * Nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from ledger_node.core.canonical import (
    JsonObject,
    encode_base64,
    encode_canonical,
    parse_canonical,
)
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.errors import LedgerError, NotFoundError
from ledger_node.core.event_types import StatusFlag
from ledger_node.core.merkle import hash_leaf
from ledger_node.core.release_answer import parse_release_answer
from ledger_node.core.release_request import parse_release_request
from ledger_node.core.sealed import HPKE_OVERHEAD_BYTES
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import BlockNumber, CityId, Commitment, LeafHash
from ledger_node.flows.node import Node
from ledger_node.flows.receiving import INCOMING
from ledger_node.flows.records import open_record
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_exploring import ReleaseLink
from ledger_node.ports.database_questions import ReleaseAsked
from ledger_node.ports.keys import KeyMissingError

MAX_ROWS = 10_000
MAX_SCANNED = 1_000_000
UNACKNOWLEDGED_AFTER = timedelta(minutes=10)
_LEFT_OUT = bytes(HPKE_OVERHEAD_BYTES + 1)
_PROTECTIVE = StatusFlag.WITHDRAWN | StatusFlag.ERASED


class CityRecordsNeededError(NotFoundError):
    """The shared ledger cannot answer this alone. Fields: needs."""

    code = "city_records_needed"

    def __init__(self, needs_zh: str, needs_en: str) -> None:
        super().__init__(
            f"共享账本不足以回答这个问题，还需要{needs_zh}：请用 --node 指定城市目录，"
            "或请该城市自行运行本命令。",
            f"The shared ledger cannot answer this alone; it needs {needs_en}: give the city's "
            "directory with --node, or ask that city to run this command.",
            needs=needs_en,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to one question: plain rows, and whether there are more than were given."""

    rows: tuple[JsonObject, ...]
    more: bool


def list_uses(node: Node, commitment: Commitment) -> Answer:
    """All uses of a material: releases in either direction this city knows of."""
    with node.database.read() as tx:
        asked = tx.questions.list_releases_asked(MAX_SCANNED)
    return _answer(
        _encode_release(each) for each in asked if commitment in _list_materials(node, each)
    )


def list_relied_after_withdrawal(node: Node) -> Answer:
    """Receipts filed here after the issuer had withdrawn or erased the material."""
    with node.database.read() as tx:
        ended = _list_ended(tx)
        reliances = tx.questions.list_reliances(MAX_SCANNED)
    rows: list[JsonObject] = []
    for each in reliances:
        for commitment in _list_answered(node, each.request_digest, each.answer):
            end = ended.get((each.city, _leaf_of(commitment)))
            if end is not None and end[0] <= each.created_at:
                rows.append(
                    {
                        "commitment": commitment.hex(),
                        "city": each.city,
                        "receipt": each.receipt_id,
                        "release": each.request_digest.hex(),
                        "relied_at": _time(each.created_at),
                        "ended_at": _time(end[0]),
                        "ended_in_block": end[1],
                    }
                )
    return _answer(iter(rows))


def list_outside_purpose(node: Node) -> Answer:
    """Releases whose request, or what was handed over, is not what the grant's terms name."""
    with node.database.read() as tx:
        asked = tx.questions.list_releases_asked(MAX_SCANNED)
    return _answer(
        {
            "release": each.request_digest.hex(),
            "direction": each.direction,
            "city": each.city,
            "grant": each.grant_id.hex(),
            "problem": problem,
            "created_at": _time(each.created_at),
        }
        for each in asked
        if (request := _open_request(node, each)) is not None
        for problem in find_purpose_problems(each, request, _list_materials(node, each))
    )


def list_unacknowledged(node: Node) -> Answer:
    """Releases of this city that a grant was consumed for and nobody acknowledged in time."""
    before = node.clock.now() - UNACKNOWLEDGED_AFTER
    with node.database.read() as tx:
        links = tx.explore.list_overdue_releases(before, MAX_ROWS + 1)
    return _answer(_encode_release(link) for link in links)


def list_late_anchors(node: Node, promise_s: int) -> Answer:
    """Heads of this city whose oldest new entry had waited longer than was promised, seconds."""
    with node.database.read() as tx:
        rows = tuple(_iterate_late(tx, node.city, promise_s))
    return _answer(iter(rows))


def list_finds_of(node: Node, officer: str) -> Answer:
    """Finds made or answered here in the name of one officer's pseudonym."""
    with node.database.read() as tx:
        found = tx.questions.list_finds_of_officer(officer, MAX_ROWS + 1)
    return _answer(
        {
            "find": each.request_digest.hex(),
            "direction": each.direction,
            "city": each.city,
            "grant": None if each.grant_id is None else each.grant_id.hex(),
            "outcome": each.outcome,
            "leaf_index": each.leaf_index,
            "created_at": _time(each.created_at),
        }
        for each in found
    )


def find_purpose_problems(
    asked: ReleaseAsked, data: bytes, handed_over: Collection[Commitment]
) -> Iterator[str]:
    """What a release does that its grant's terms do not say: stable names.

    Args:
        data: The request, opened.
        handed_over: Materials the release handed over.
    """
    try:
        request = parse_release_request(data)
    except LedgerError:
        yield "request_malformed"
        return
    terms = request.terms
    named = {each.commitment for each in request.materials}
    if compute_grant_id(terms) != asked.grant_id:
        yield "terms_of_another_grant"
    if terms.materials is not None and not named <= set(terms.materials):
        yield "material_not_granted"
    if not set(handed_over) <= named:
        yield "material_not_asked_for"
    if not terms.not_before_s <= request.requested_at_s < terms.not_after_s:
        yield "outside_window"


def _open_request(node: Node, asked: ReleaseAsked) -> bytes | None:
    """The request with all it names; None once it was erased.

    The releasing city keeps it without the person's sealed number: something stands there again
    so that it has its form; nothing of it is looked at.
    """
    if asked.direction == INCOMING:
        return _open_part(node, asked.request_digest, "request", asked.request)
    members = parse_canonical(asked.request, what="release request")
    if isinstance(members, dict) and members.get("sealed") is None:
        members["sealed"] = encode_base64(_LEFT_OUT)
    return encode_canonical(members)


def _list_materials(node: Node, asked: ReleaseAsked) -> tuple[Commitment, ...]:
    if asked.direction != INCOMING:
        return asked.handed_over
    return _list_answered(node, asked.request_digest, asked.answer)


def _list_answered(
    node: Node, request_digest: bytes, answer: bytes | None
) -> tuple[Commitment, ...]:
    """Materials of an answer this city received; none once it was erased."""
    opened = None if answer is None else _open_part(node, request_digest, "answer", answer)
    if opened is None:
        return ()
    return tuple(each.commitment for each in parse_release_answer(opened).materials)


def _open_part(node: Node, request_digest: bytes, part: str, sealed: bytes) -> bytes | None:
    try:
        return open_record(node, f"release/{request_digest.hex()}", part, sealed)
    except KeyMissingError:
        return None


def _list_ended(tx: Transaction) -> dict[tuple[CityId, LeafHash], tuple[datetime, int]]:
    """When and in which block each leaf was first withdrawn or erased."""
    tip = tx.chain.load_tip()
    ended: dict[tuple[CityId, LeafHash], tuple[datetime, int]] = {}
    if tip is None:
        return ended
    for change in tx.chain.list_status_changes(BlockNumber(0), tip.number):
        if change.flag & _PROTECTIVE:
            at = datetime.fromtimestamp(change.place.block_timestamp_s, UTC)
            ended.setdefault((change.city, change.leaf_hash), (at, int(change.place.block_number)))
    return ended


def _iterate_late(tx: Transaction, city: CityId, promise_s: int) -> Iterator[JsonObject]:
    sizes: dict[int, int] = {}
    for head in reversed(tx.chain.list_heads(city, MAX_SCANNED)):
        if head.closing:
            continue
        first, size = sizes.get(head.generation, 0), head.tree_head.size
        sizes[head.generation] = size
        oldest = tx.questions.find_oldest_entry(head.generation, first, size - 1)
        if oldest is None:
            continue
        waited_s = head.place.block_timestamp_s - int(oldest.timestamp())
        if waited_s > promise_s:
            yield {
                "generation": head.generation,
                "first_leaf": first,
                "size": size,
                "block": int(head.place.block_number),
                "waited_s": waited_s,
                "promised_s": promise_s,
            }


def _leaf_of(commitment: Commitment) -> LeafHash:
    return hash_leaf(encode_entry(EntryKind.MATERIAL, commitment))


def _encode_release(link: ReleaseLink | ReleaseAsked) -> JsonObject:
    return {
        "release": link.request_digest.hex(),
        "direction": link.direction,
        "city": link.city,
        "grant": link.grant_id.hex(),
        "state": link.state,
        "created_at": _time(link.created_at),
        "updated_at": _time(link.updated_at),
    }


def _answer(rows: Iterator[JsonObject]) -> Answer:
    taken = tuple(islice(rows, MAX_ROWS + 1))
    return Answer(taken[:MAX_ROWS], len(taken) > MAX_ROWS)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
