"""Step 6: ask other cities what exists, and answer such questions. No content moves.

Every find is an `access` entry in the logs of both cities, refused ones included.
Crash orders. Asking: entry key durable -> find row and entry in one commit -> sent -> outcome.
Answering: entry key durable -> find row with its answer and entry in one commit -> sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from ledger_node.core.canonical import JsonObject
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import LedgerError, UnavailableError, VerificationError
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.find_messages import (
    FIND_REQUEST_VERSION,
    Candidate,
    FindAnswer,
    FindRequest,
    Grade,
    compute_find_digest,
    encode_find_answer,
    encode_find_request,
    parse_find_answer,
    parse_find_request,
)
from ledger_node.core.grant import decide_find
from ledger_node.core.grant_facts import DecidingCity, HeldMaterial
from ledger_node.core.query import decide_candidates
from ledger_node.core.refusal import Decision, Refusal, build_refusal_error
from ledger_node.core.sealed import (
    Openings,
    compute_seal_info,
    encode_openings,
    parse_find_openings,
    verify_subject,
)
from ledger_node.core.status import decide_standing
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import CityId, GrantId, LeafHash
from ledger_node.flows.entries import append_entry, prepare_entry
from ledger_node.flows.facts import (
    ChainView,
    leaf_hash_of,
    load_chain_view,
    read_status_flags,
)
from ledger_node.flows.following import catch_up
from ledger_node.flows.granting import (
    HeldGrant,
    find_grant_on_chain,
    link_subject,
    load_grant,
    verify_held_evidence,
)
from ledger_node.flows.materials import load_values
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_exchange import FindRow
from ledger_node.ports.database_intake import StoredMaterial
from ledger_node.ports.peers import PeerRefusedError

FIND_PATH = "/peer/v1/find"
FIND_DEADLINE_S = 8.0
LIMIT_WINDOW = timedelta(days=1)
MAX_PARALLEL = 8


class FindLimitError(UnavailableError):
    """The asking city used up what this city answers in a day."""

    code = "find_limit_reached"


class EncryptionKeyUnknownError(UnavailableError):
    """The other city has no current encryption key on chain."""

    code = "encryption_key_unknown"


class PeerAnswerMismatchError(VerificationError):
    """The other city answered another question than the one asked."""

    code = "peer_answer_mismatch"

    def __init__(self, city: CityId) -> None:
        super().__init__(
            f"{city} 的回答与所问不符。", f"The answer of {city} is to another question.", city=city
        )


@dataclass(frozen=True, slots=True)
class FindOutcome:
    """What one asked city said.

    Attributes:
        city: Asked city.
        grant_id: Terms the question stood on.
        outcome: `answered`, `silent`, or the code of its refusal.
        candidates: Empty unless answered.
        message_zh, message_en: Why, when not answered.
    """

    city: CityId
    grant_id: GrantId
    outcome: str
    candidates: tuple[Candidate, ...] = ()
    message_zh: str = ""
    message_en: str = ""


def find_materials(
    node: Node, grant_ids: Sequence[GrantId], officer: str, types: Sequence[str] = ()
) -> list[FindOutcome]:
    """Ask the releasing city of each grant, side by side; a silent city is named, not waited for.

    Args:
        grant_ids: Grants confirmed before, usually of one ceremony.
        officer: Pseudonymous id of the officer who asks.
        types: Fewer types than the terms name; all of them when empty.

    Raises:
        GrantNotFoundError: This city holds no terms of one.
        EncryptionKeyUnknownError: A city cannot be sealed to.
    """
    prepared = [prepare_find(node, grant_id, officer, types) for grant_id in grant_ids]
    with ThreadPoolExecutor(max_workers=MAX_PARALLEL) as pool:
        return list(pool.map(lambda digest: send_find(node, digest), prepared))


def prepare_find(
    node: Node,
    grant_id: GrantId,
    officer: str,
    types: Sequence[str] = (),
    link: Callable[[Transaction, bytes], None] | None = None,
) -> bytes:
    """Store a find and its `access` entry; returns its digest. Sent by `send_find`.

    Args:
        types: Fewer types than the terms name; all of them when empty.
        link: Writes rows of its own in the same commit; given the digest.

    Raises:
        GrantNotFoundError: This city holds no terms of it.
        EncryptionKeyUnknownError: The city cannot be sealed to.
    """
    held = load_grant(node, grant_id)
    asked = tuple(types) or tuple(granted.code for granted in held.terms.types)
    sealed = seal_openings(node, held, Openings(held.openings.subject), FIND_REQUEST_VERSION)
    now = node.clock.now()
    request = encode_find_request(
        FindRequest(
            held.terms,
            held.bundle,
            held.evidence,
            node.generation,
            asked,
            sealed,
            officer,
            int(now.timestamp()),
        )
    )
    digest = compute_find_digest(request)
    city = held.terms.releasing
    prepared = prepare_entry(
        node, EntryKind.ACCESS, _access_body("made", digest, city, now.timestamp())
    )
    with node.database.transaction() as tx:
        entry_id = append_entry(node, tx, prepared)
        row = FindRow(
            digest, "made", city, grant_id, officer, request, None, "asked", entry_id, now
        )
        tx.finds.save_find(row)
        if link is not None:
            link(tx, digest)
    return digest


def send_find(node: Node, digest: bytes) -> FindOutcome:
    """Send a stored find, or give the answer it has: the same bytes again are the same find.

    Raises:
        FindNotFoundError: No such find.
    """
    with node.database.read() as tx:
        row = tx.finds.load_find(digest, "made")
    assert row.grant_id is not None  # every find made stands on a grant
    if row.answer is not None and row.outcome == "answered":
        candidates = parse_find_answer(row.answer).candidates
        return FindOutcome(row.city, row.grant_id, row.outcome, candidates)
    body: bytes | None = None
    try:
        body = node.peers.send(row.city, FIND_PATH, row.request, timeout_s=FIND_DEADLINE_S).body
        answer = parse_find_answer(body)
        if answer.request != digest:
            raise PeerAnswerMismatchError(row.city)
        outcome = FindOutcome(row.city, row.grant_id, "answered", answer.candidates)
    except LedgerError as error:
        code = "silent" if isinstance(error, UnavailableError) else get_peer_code(error)
        outcome = FindOutcome(
            row.city,
            row.grant_id,
            code,
            message_zh=error.message_zh,
            message_en=error.message_en,
        )
    with node.database.transaction() as tx:
        tx.finds.finish_find(digest, "made", body, outcome.outcome)
    return outcome


def answer_find(node: Node, city: CityId, body: bytes) -> bytes:
    """Answer a find of another city: what exists for this person within the terms.

    Args:
        city: Whose message key signed the request.
        body: Exact bytes of the request.

    Raises:
        MalformedInputError: Not such a request.
        VerificationError: Evidence or openings do not hold.
        NotPermittedError, UnavailableError: The terms do not allow it, or the limit is reached.
    """
    request = parse_find_request(body)
    digest = compute_find_digest(body)
    with node.database.read() as tx:
        known = tx.finds.find_find(digest, "answered")
    if known is not None and known.answer is not None and known.city == city:
        return known.answer  # the same question again: the same answer, not a second find
    try:
        answer = encode_find_answer(_answer(node, city, request, digest))
    except LedgerError as error:
        _record_answered(node, city, request, body, digest, None, error.code)
        raise
    _record_answered(node, city, request, body, digest, answer, "answered")
    return answer


def build_deciding_city(node: Node, view: ChainView, requester: CityId) -> DecidingCity:
    """What this city knows about itself and the message it decides on."""
    return DecidingCity(
        node.city,
        view.chain_id,
        view.contract(ContractRole.GRANTS),
        requester,
        view.good_standing,
        view.tip.head_timestamp_s,
        int(node.clock.now().timestamp()),
    )


def describe_held(node: Node, tx: Transaction, stored: StoredMaterial) -> HeldMaterial:
    """A stored material as decisions see it, with its state on chain."""
    row = stored.row
    leaf_hash = leaf_hash_of(EntryKind.MATERIAL, row.commitment)
    entry = stored.entry
    anchored = entry.generation is not None and entry.leaf_index is not None
    if anchored:
        head = tx.chain.find_covering_head(
            node.city, entry.generation or 0, (entry.leaf_index or 0) + 1
        )
        anchored = head is not None
    return HeldMaterial(
        row.commitment,
        row.type_code,
        row.type_version,
        len(row.documents),
        frozenset(subject.tag for subject in row.subjects),
        read_status_flags(tx, node.city, leaf_hash),
        anchored,
    )


def count_open_objections(tx: Transaction, city: CityId, leaf_hash: LeafHash) -> int:
    """Objections against a leaf that nobody closed or withdrew."""
    return sum(1 for each in tx.chain.list_objections(city, leaf_hash) if each.outcome == 0)


def seal_openings(node: Node, held: HeldGrant, openings: Openings, version: str) -> bytes:
    """Seal openings to the releasing city for one kind of message.

    Raises:
        EncryptionKeyUnknownError: It has no current encryption key.
    """
    city = held.terms.releasing
    with node.database.read() as tx:
        key = load_chain_view(tx).current_key(city, KeyRole.ENCRYPTION)
    if key is None:
        raise EncryptionKeyUnknownError(
            f"{city} 在链上没有有效的加密公钥，暂不能向其查询。",
            f"{city} has no current encryption key on chain; it cannot be asked.",
            city=city,
        )
    info = compute_seal_info(version, held.grant_id)
    return node.keys.seal_to(key, encode_openings(openings), info)


def get_peer_code(error: LedgerError) -> str:
    """Stable code of a refusal: the other city's own where it gave one."""
    return error.peer_code if isinstance(error, PeerRefusedError) else error.code


def _answer(node: Node, city: CityId, request: FindRequest, digest: bytes) -> FindAnswer:
    terms = request.terms
    grant_id = compute_grant_id(terms)
    _demand_within_limit(node, city, request.officer)
    catch_up(node)
    opened = node.keys.open_sealed(
        request.sealed, compute_seal_info(FIND_REQUEST_VERSION, grant_id)
    )
    subject = verify_subject(terms, parse_find_openings(opened), node.domain, request.generation)
    with node.database.transaction() as tx:
        link_subject(node, tx, grant_id, subject)
    verify_held_evidence(node, terms, request.bundle, request.evidence, subject)
    with node.database.read() as tx:
        view = load_chain_view(tx)
        deciding = build_deciding_city(node, view, city)
        decision = decide_find(terms, deciding, request.types, find_grant_on_chain(tx, grant_id))
        if tx.chain.find_revocation(grant_id) is not None:  # recorded or not: it was withdrawn
            decision = Decision(Refusal.GRANT_REVOKED)
    if decision.refusal is not None:
        raise build_refusal_error(decision.refusal)
    number = node.normalise_identifier(subject.scheme, subject.number)
    tag = compute_subject_tag(node, subject.scheme, number)
    candidates = _list_candidates(node, request, tag)
    return FindAnswer(digest, candidates, int(node.clock.now().timestamp()))


def _list_candidates(node: Node, request: FindRequest, tag: bytes) -> tuple[Candidate, ...]:
    with node.database.read() as tx:
        found = [
            stored
            for code in request.types
            for stored in tx.intake.find_materials_by_subject(tag, code)
        ]
        held = {stored.row.commitment: describe_held(node, tx, stored) for stored in found}
        chosen = decide_candidates(request.terms, request.types, held.values(), tag)
        disputes = {
            commitment: count_open_objections(
                tx, node.city, leaf_hash_of(EntryKind.MATERIAL, commitment)
            )
            for commitment in chosen
        }
    by_commitment = {stored.row.commitment: stored for stored in found}
    return tuple(
        _describe_candidate(node, by_commitment[each], held[each], disputes[each])
        for each in chosen
    )


def _describe_candidate(
    node: Node, stored: StoredMaterial, held: HeldMaterial, open_objections: int
) -> Candidate:
    values = load_values(node, stored).values
    days = (values.get("valid_from"), values.get("valid_until"))
    valid_from, valid_until = (str(day) if day is not None else None for day in days)
    return Candidate(
        held.commitment,
        held.type_code,
        held.type_version,
        Grade(stored.row.grade),
        decide_standing(held.status, open_objections),
        valid_from,
        valid_until,
        stored.entry.leaf_index,
        held.document_count,
    )


def _demand_within_limit(node: Node, city: CityId, officer: str) -> None:
    since = node.clock.now() - LIMIT_WINDOW
    with node.database.read() as tx:
        of_city = tx.finds.count_finds_since(city, since)
        of_officer = tx.finds.count_finds_since(city, since, officer=officer)
    if of_city >= node.limits.finds_per_city_per_day or (
        of_officer >= node.limits.finds_per_officer_per_day
    ):
        raise FindLimitError(
            "该城市或该经办人今日的查询次数已达上限，请明日再试。",
            "The city or the officer used up the finds this city answers in a day; try tomorrow.",
            city=city,
        )


def _record_answered(
    node: Node,
    city: CityId,
    request: FindRequest,
    body: bytes,
    digest: bytes,
    answer: bytes | None,
    outcome: str,
) -> None:
    now = node.clock.now()
    prepared = prepare_entry(
        node, EntryKind.ACCESS, _access_body("answered", digest, city, now.timestamp(), outcome)
    )
    with node.database.transaction() as tx:
        entry_id = append_entry(node, tx, prepared)
        tx.finds.save_find(
            FindRow(
                digest,
                "answered",
                city,
                compute_grant_id(request.terms),
                request.officer,
                body,
                answer,
                outcome,
                entry_id,
                now,
            )
        )


def _access_body(
    direction: str, digest: bytes, city: CityId, at_s: float, outcome: str = "asked"
) -> JsonObject:
    return {
        "v": "tongban/access/v1",
        "direction": direction,
        "request": digest.hex(),
        "city": city,
        "outcome": outcome,
        "at": int(at_s),
    }
