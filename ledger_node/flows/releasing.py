"""Step 8 at the releasing city: answer stored, permit on chain, answer sent, acknowledged.

Crash order: answer stored -> signed `consume` stored -> broadcast -> final -> sent ->
acknowledged. Each arrow is a row state; `resume_releasing` is both the loop and the start.

Invariants:
    * An answer or a document leaves only while the permit is final, the grant not revoked, the
      window open and the material not erased.
    * The same request gets the same answer; a second request is a second consumption.
    * Sealed parts leave the row once the release is acknowledged.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from ledger_node.core.acknowledgement import verify_acknowledgement
from ledger_node.core.anchor import TxState
from ledger_node.core.canonical import encode_canonical, parse_canonical
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import (
    ConflictError,
    LedgerError,
    NotFoundError,
    NotPermittedError,
    UnavailableError,
)
from ledger_node.core.event_types import ContractRole, KeyRole, StatusFlag
from ledger_node.core.grant import MAX_HEAD_SKEW_S
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.refusal import Refusal, build_refusal_error
from ledger_node.core.release import (
    OutgoingEvent,
    OutgoingState,
    advance_outgoing,
    compute_answer_digest,
    compute_request_digest,
)
from ledger_node.core.release_answer import ReleaseAnswer, parse_release_answer
from ledger_node.core.release_fetch import (
    ReleaseStatus,
    encode_release_status,
    parse_answer_fetch,
    parse_document_fetch,
)
from ledger_node.core.release_request import parse_release_request
from ledger_node.core.signed_head import SignedHead, encode_head_bytes
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import CityId, GrantId, ReleaseCommitment, Salt
from ledger_node.flows.answering import BuiltAnswer, build_answer, decide_request
from ledger_node.flows.facts import leaf_hash_of, load_chain_view, read_status_flags
from ledger_node.flows.following import catch_up
from ledger_node.flows.halts import demand_no_halt
from ledger_node.flows.node import Node
from ledger_node.flows.outbox import ContractCall, submit
from ledger_node.ports.chain import ContractRevertError
from ledger_node.ports.database import RowConflictError, Transaction
from ledger_node.ports.database_chain import OutboxRow
from ledger_node.ports.database_exchange import ReleaseRow

OUTGOING = "outgoing"
ACKNOWLEDGEMENT_DUE = timedelta(minutes=10)
_IN_FLIGHT = (OutgoingState.CONSUME_SIGNED, OutgoingState.SUBMITTED)
_UNPERMITTED = (OutgoingState.ANSWERED, *_IN_FLIGHT)
_GIVEN = (OutgoingState.CONFIRMED, OutgoingState.SENT)


class ReleaseUnknownError(NotFoundError):
    """This city knows no such release for the city that asks."""

    code = "release_unknown"


class ReleaseEndedError(NotPermittedError):
    """The release is over: it was refused, acknowledged, or its window closed."""

    code = "release_ended"


class AcknowledgementMismatchError(ConflictError):
    """The acknowledgement is for another answer than the one that was sent."""

    code = "acknowledgement_mismatch"


class ReleaseLimitError(NotPermittedError):
    """The receiving city used up what this city releases in a day."""

    code = "release_limit_reached"


def accept_request(node: Node, city: CityId, body: bytes, head: SignedHead) -> bytes:
    """Take in a release request; returns the release status as RFC 8785 bytes. Idempotent.

    Effects: release row with its answer -> outbox row with the signed `consume` -> broadcast.

    Raises:
        MalformedInputError, VerificationError, NotPermittedError, ConflictError: Refused, with
            the public code; nothing is stored.
        UnavailableError, LedgerHaltedError: Not now.
    """
    digest = compute_request_digest(body)
    with node.database.read() as tx:
        demand_no_halt(tx)
        row = tx.releases.find_release(digest, OUTGOING)
    if row is None:
        try:
            row = _take_in(node, city, digest, body, head)
        except LedgerError:  # the same bytes came twice at once, and the other is over already
            with node.database.read() as tx:
                row = tx.releases.find_release(digest, OUTGOING)
            if row is None:
                raise
    if row.city != city:
        raise _unknown()
    if row.state == OutgoingState.ANSWERED:
        row = sign_consume(node, row)
    if row.state in (OutgoingState.REFUSED, OutgoingState.FAILED):
        raise _refusal_of(row)
    return encode_release_status(ReleaseStatus(digest, OutgoingState(row.state)))


def _take_in(node: Node, city: CityId, digest: bytes, body: bytes, head: SignedHead) -> ReleaseRow:
    """Decide a request nobody decided yet and store its answer."""
    request = parse_release_request(body)
    _demand_within_limit(node, city)
    catch_up(node)
    decision = decide_request(node, city, request)
    built = build_answer(node, request, digest, decision)
    row = _build_row(node, city, compute_grant_id(request.terms), digest, body, head, built)
    return _save_once(node, row, built)


def _save_once(node: Node, row: ReleaseRow, built: BuiltAnswer) -> ReleaseRow:
    """Store the answer; of two requests with the same bytes at once, the first one's is kept."""
    try:
        with node.database.transaction() as tx:
            tx.releases.save_release(row)
            for commitment in built.materials:
                tx.releases.link_material(row.request_digest, commitment)
    except RowConflictError:
        return _reload(node, row)
    return row


def sign_consume(node: Node, row: ReleaseRow) -> ReleaseRow:
    """Ask the contract, then store the signed `consume` beside the release's new state.

    A revert gives the release up; a silent endpoint leaves it for the next round.

    Raises:
        ChainUnavailableError, LedgerHaltedError: Not now; the release stays ANSWERED.
        ChainStaleError: Head time and own clock differ by more than 30 s.
    """
    with node.database.read() as tx:
        demand_no_halt(tx)
        view = load_chain_view(tx)
    skew_s = abs(view.tip.head_timestamp_s - int(node.clock.now().timestamp()))
    if skew_s > MAX_HEAD_SKEW_S:
        raise build_refusal_error(Refusal.CHAIN_STALE)
    assert row.release_commitment is not None  # stored together with the answer
    call = ContractCall(
        KeyRole.GATE,
        view.contract(ContractRole.GRANTS),
        node.contracts.encode_consume(row.grant_id, row.release_commitment),
        "consume",
        row.release_commitment.hex(),
    )
    moved: list[ReleaseRow] = []

    def beside(tx: Transaction, sent: OutboxRow) -> None:
        after = replace(_moved(node, row, OutgoingEvent.CONSUME_STORED), outbox_id=sent.outbox_id)
        if not tx.releases.advance_release(row, after):
            raise ReleaseMovedError
        moved.append(after)

    try:
        submit(node, call, beside)
    except ContractRevertError as error:
        return _advance(node, row, OutgoingEvent.GIVEN_UP, _revert_reason(node, row, error))
    except ReleaseMovedError:
        return _reload(node, row)
    return moved[0]


def resume_releasing(node: Node) -> int:
    """One turn over all releases under way here; returns how many moved. Loop and start-up.

    Raises:
        LedgerHaltedError: A halt stands; nothing is signed or handed over.
    """
    moved = 0
    with node.database.read() as tx:
        demand_no_halt(tx)
        rows = tx.releases.list_releases(OUTGOING, [*_UNPERMITTED, *_GIVEN])
    for row in rows:
        moved += _pursue(node, row).state != row.state
    return moved


def hand_over_answer(node: Node, city: CityId, body: bytes) -> tuple[int, bytes]:
    """The stored answer with 200 once its permit is final, its status with 202 before.

    Effects: the release becomes SENT before the bytes leave.

    Raises:
        ReleaseUnknownError: No such release for this city.
        NotPermittedError: Refused, revoked, expired or over.
    """
    digest = parse_answer_fetch(body)
    row = _pursue(node, _load(node, digest, city))
    if row.state in _UNPERMITTED:
        return 202, encode_release_status(ReleaseStatus(digest, OutgoingState(row.state)))
    _demand_given(node, row)
    assert row.answer is not None  # wiped only with ACKNOWLEDGED
    _advance(node, row, OutgoingEvent.ANSWER_SENT)
    return 200, row.answer


def find_document(node: Node, city: CityId, body: bytes) -> tuple[bytes, int]:
    """Address and length of a released document's ciphertext.

    Raises:
        ReleaseUnknownError: No such release or document for this city.
        NotPermittedError: Not permitted (any more).
    """
    fetch = parse_document_fetch(body)
    row = _load(node, fetch.request_digest, city)
    _demand_given(node, row)
    answer = _read_answer(row)
    for material in answer.materials:
        for document in material.documents:
            if (material.commitment, document.index) == (fetch.commitment, fetch.index):
                return document.address, document.sealed_bytes
    raise _unknown()


def take_acknowledgement(node: Node, city: CityId, body: bytes) -> bytes:
    """Keep the receiving city's word that everything matched, and drop the sealed parts.

    Raises:
        ReleaseUnknownError: No such release for this city.
        AcknowledgementMismatchError: It names another answer or permit.
        VerificationError, MalformedInputError: It does not hold.
    """
    with node.database.read() as tx:
        view = load_chain_view(tx)

    def is_message_key(key_id: MessageKeyId) -> bool:
        return view.current_key(key_id.city, KeyRole.MESSAGE) == key_id.key

    word = verify_acknowledgement(body, city, is_message_key)
    row = _load(node, word.request_digest, city)
    if row.state == OutgoingState.ACKNOWLEDGED:
        return encode_release_status(ReleaseStatus(word.request_digest, OutgoingState(row.state)))
    sent = None if row.answer is None else compute_answer_digest(row.answer)
    if (word.grant_id, word.release, word.answer_digest) != (
        row.grant_id,
        row.release_commitment,
        sent,
    ):
        raise AcknowledgementMismatchError(
            "回执与所发内容不符。", "The acknowledgement is for another answer than was sent."
        )
    state = advance_outgoing(OutgoingState(row.state), OutgoingEvent.ACKNOWLEDGEMENT_VERIFIED)
    after = replace(
        row,
        state=state,
        acknowledgement=body,
        request=_without_sealed(row.request),
        request_message=b"",
        answer=None,
        updated_at=node.clock.now(),
    )
    with node.database.transaction() as tx:
        moved = tx.releases.advance_release(row, after)
    if not moved:  # another process moved it meanwhile, and only forward: look again
        return take_acknowledgement(node, city, body)
    return encode_release_status(ReleaseStatus(word.request_digest, state))


def list_unacknowledged(node: Node) -> list[ReleaseRow]:
    """Consumed and not acknowledged within ten minutes: shown to both cities and the auditor."""
    due = node.clock.now() - ACKNOWLEDGEMENT_DUE
    with node.database.read() as tx:
        rows = tx.releases.list_releases(OUTGOING, [*_GIVEN, OutgoingState.CLOSED])
    return [row for row in rows if row.updated_at < due]


class ReleaseMovedError(ConflictError):
    """Another process moved this release meanwhile."""

    code = "release_moved"

    def __init__(self) -> None:
        super().__init__(
            "该放行已由另一进程处理，请刷新。", "Another process moved this release; reload it."
        )


def _pursue(node: Node, row: ReleaseRow) -> ReleaseRow:
    """Move one release as far as the chain allows."""
    if row.state == OutgoingState.ANSWERED:
        try:
            row = sign_consume(node, row)
        except UnavailableError as error:
            structlog.get_logger().warning("consume_waits", city=node.city, code=error.code)
            return row
    if row.state in _IN_FLIGHT:
        row = _observe_consume(node, row)
    if row.state in _GIVEN and _find_end(node, row) is not None:
        row = _advance(node, row, OutgoingEvent.WINDOW_CLOSED)
    return row


def _observe_consume(node: Node, row: ReleaseRow) -> ReleaseRow:
    assert row.outbox_id is not None
    assert row.release_commitment is not None
    with node.database.read() as tx:
        sent = tx.outbox.load_transaction(row.outbox_id)
        permit = tx.chain.find_consumption(row.release_commitment)
        followed = load_chain_view(tx).tip.number
    if permit is not None and permit.grant_id == row.grant_id:
        return _advance(node, row, OutgoingEvent.CONSUME_FINAL)
    if sent.state is TxState.FAILED:
        if sent.block_number is not None and sent.block_number > followed:
            return row  # why it was refused is not followed yet
        return _advance(node, row, OutgoingEvent.REVERT_FINAL, _refusal_on_chain(node, row))
    if sent.state is TxState.SUBMITTED and row.state == OutgoingState.CONSUME_SIGNED:
        return _advance(node, row, OutgoingEvent.TX_SUBMITTED)
    return row


def _find_end(node: Node, row: ReleaseRow) -> Refusal | None:
    """Why a permitted answer is no longer given; None while it is."""
    answer = _read_answer(row)
    with node.database.read() as tx:
        tip = load_chain_view(tx).tip
        if tx.chain.find_revocation(row.grant_id) is not None:
            return Refusal.GRANT_REVOKED
        grant = tx.chain.find_grant(row.grant_id)
        if grant is None or tip.head_timestamp_s >= grant.not_after_s:
            return Refusal.GRANT_EXPIRED
        for material in answer.materials:
            leaf_hash = leaf_hash_of(EntryKind.MATERIAL, material.commitment)
            if StatusFlag.ERASED in read_status_flags(tx, node.city, leaf_hash):
                return Refusal.MATERIAL_ERASED
    return None


def _demand_given(node: Node, row: ReleaseRow) -> None:
    """Refuse unless the permit is final and nothing ended the release since."""
    with node.database.read() as tx:
        demand_no_halt(tx)
    if row.state in (OutgoingState.REFUSED, OutgoingState.FAILED):
        raise _refusal_of(row)
    end = None if row.answer is None else _find_end(node, row)
    if end is not None:
        raise build_refusal_error(end)
    if row.answer is None or row.state not in _GIVEN:
        raise ReleaseEndedError(
            "该次放行已结束，不再提供。", "This release is over; it is not handed over any more."
        )


def _refusal_on_chain(node: Node, row: ReleaseRow) -> Refusal:
    """What the chain says now about a grant whose consumption it refused."""
    with node.database.read() as tx:
        view = load_chain_view(tx)
        grant = tx.chain.find_grant(row.grant_id, final_only=False)
        if tx.chain.find_revocation(row.grant_id) is not None:
            return Refusal.GRANT_REVOKED
    if grant is None:
        return Refusal.GRANT_MISSING
    if view.tip.head_timestamp_s >= grant.not_after_s:
        return Refusal.GRANT_EXPIRED
    if grant.uses_left <= 0:
        return Refusal.GRANT_USED_UP
    return Refusal.NOT_IN_GOOD_STANDING


_REVERTS = {
    "GrantsUnknown": Refusal.GRANT_MISSING,
    "GrantsRevoked": Refusal.GRANT_REVOKED,
    "GrantsNotYetValid": Refusal.GRANT_NOT_YET_VALID,
    "GrantsExpired": Refusal.GRANT_EXPIRED,
    "GrantsUsedUp": Refusal.GRANT_USED_UP,
}


def _revert_reason(node: Node, row: ReleaseRow, error: ContractRevertError) -> Refusal:
    return _REVERTS.get(error.name) or _refusal_on_chain(node, row)


def _refusal_of(row: ReleaseRow) -> LedgerError:
    return build_refusal_error(Refusal(row.problem_code or Refusal.GRANT_MISSING))


def _advance(
    node: Node, row: ReleaseRow, event: OutgoingEvent, problem: Refusal | None = None
) -> ReleaseRow:
    """Move a release by compare-and-swap; what another process did instead wins."""
    after = _moved(node, row, event)
    if problem is not None:
        after = replace(after, problem_code=problem.value)
    with node.database.transaction() as tx:
        if tx.releases.advance_release(row, after):
            return after
    return _reload(node, row)


def _moved(node: Node, row: ReleaseRow, event: OutgoingEvent) -> ReleaseRow:
    state = advance_outgoing(OutgoingState(row.state), event)
    return replace(row, state=state, updated_at=node.clock.now())


def _reload(node: Node, row: ReleaseRow) -> ReleaseRow:
    with node.database.read() as tx:
        return tx.releases.load_release(row.request_digest, OUTGOING)


def _load(node: Node, digest: bytes, city: CityId) -> ReleaseRow:
    with node.database.read() as tx:
        row = tx.releases.find_release(digest, OUTGOING)
    if row is None or row.city != city:
        raise _unknown()
    return row


def _read_answer(row: ReleaseRow) -> ReleaseAnswer:
    if row.answer is None:
        raise ReleaseEndedError(
            "该次放行已结束，不再提供。", "This release is over; it is not handed over any more."
        )
    return parse_release_answer(row.answer)


def _unknown() -> ReleaseUnknownError:
    return ReleaseUnknownError("没有这次放行。", "There is no such release.")


def _demand_within_limit(node: Node, city: CityId) -> None:
    since = node.clock.now() - timedelta(days=1)
    with node.database.read() as tx:
        accepted = tx.releases.count_releases_since(city, since)
    if accepted >= node.limits.releases_per_city_per_day:
        raise ReleaseLimitError(
            "该城市今日的放行次数已达上限，请明日再试。",
            "The city used up the releases this city gives in a day; try tomorrow.",
            city=city,
        )


def _build_row(
    node: Node,
    city: CityId,
    grant_id: GrantId,
    digest: bytes,
    body: bytes,
    head: SignedHead,
    built: BuiltAnswer,
) -> ReleaseRow:
    now = node.clock.now()
    return ReleaseRow(
        digest,
        OUTGOING,
        city,
        grant_id,
        OutgoingState.ANSWERED,
        body,
        encode_head_bytes(head),
        built.answer,
        None,
        Salt(built.salt),
        ReleaseCommitment(built.release_commitment),
        None,
        None,
        None,
        None,
        now,
        now,
    )


def _without_sealed(request: bytes) -> bytes:
    """The request as it stays in the message log: without the person's sealed number."""
    members = parse_canonical(request, what="release request")
    assert isinstance(members, dict)
    return encode_canonical({**members, "sealed": None})
