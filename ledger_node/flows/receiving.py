"""Step 8 at the receiving city: ask, check permit and answer, fetch documents, acknowledge.

Crash order: request stored -> sent -> answer stored -> verified against chain and log ->
ciphertexts durable and digests right -> acknowledged. Each arrow is a row state;
`resume_receiving` is both the loop and the start.

Invariants:
    * An answer counts only with a final permit for exactly its bytes (`core/release_check.py`).
    * The private part is kept under this release's own record key and nowhere else.
    * Nothing is acknowledged before every document's digest matched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from ledger_node.core.acknowledgement import Acknowledgement, encode_acknowledgement
from ledger_node.core.errors import (
    LedgerError,
    MalformedInputError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from ledger_node.core.event_types import KeyRole
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.release import (
    IncomingEvent,
    IncomingState,
    advance_incoming,
    compute_answer_digest,
    compute_release_commitment,
    compute_request_digest,
)
from ledger_node.core.release_answer import (
    RELEASE_ANSWER_VERSION,
    ReleaseAnswer,
    parse_release_answer,
)
from ledger_node.core.release_check import Permit, ReceivedMaterial, verify_release
from ledger_node.core.release_fetch import (
    DocumentFetch,
    encode_answer_fetch,
    encode_document_fetch,
)
from ledger_node.core.release_request import (
    RELEASE_REQUEST_VERSION,
    ReleaseRequest,
    RequestedMaterial,
    encode_release_request,
    parse_release_request,
)
from ledger_node.core.release_secrets import ReleaseSecrets, parse_release_secrets
from ledger_node.core.sealed import compute_seal_info
from ledger_node.core.signed_head import encode_answer_head_bytes, encode_head_bytes
from ledger_node.core.types import Commitment, GrantId, ReleaseCommitment
from ledger_node.flows.facts import build_log_facts
from ledger_node.flows.finding import get_peer_code, seal_openings
from ledger_node.flows.granting import load_grant
from ledger_node.flows.judging_logs import demand_no_fork
from ledger_node.flows.node import Node
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_exchange import ReleaseRow
from ledger_node.ports.peers import PeerAnswer, PeerRefusedError

INCOMING = "incoming"
RELEASE_PATH = "/peer/v1/releases"
ANSWER_PATH = "/peer/v1/releases/answer"
DOCUMENT_PATH = "/peer/v1/releases/document"
ACKNOWLEDGEMENT_PATH = "/peer/v1/releases/acknowledgement"
_OPEN = (
    IncomingState.PREPARED,
    IncomingState.REQUESTED,
    IncomingState.ANSWERED,
    IncomingState.VERIFIED,
    IncomingState.COMPLETE,
)


class ReleaseNotCompleteError(NotFoundError):
    """The release has not arrived whole, or is not of that document."""

    code = "release_not_complete"


class DocumentAddressError(VerificationError):
    """The fetched bytes are not the ones whose address the answer names."""

    code = "document_address_mismatch"


@dataclass(frozen=True, slots=True)
class ReceivedRelease:
    """A release that holds, opened.

    Attributes:
        row: Its stored row.
        request, answer: Parsed.
        secrets: The answer's private part.
        materials: As verified, in the order of the answer.
    """

    row: ReleaseRow
    request: ReleaseRequest
    answer: ReleaseAnswer
    secrets: ReleaseSecrets
    materials: tuple[ReceivedMaterial, ...]


def prepare_release(
    node: Node,
    grant_id: GrantId,
    materials: Sequence[RequestedMaterial],
    officer: str,
    link: Callable[[Transaction, bytes], None] | None = None,
) -> bytes:
    """Store a release request; returns its digest, the release's id here and there.

    Args:
        link: Writes rows of its own in the same commit; given the digest.

    Raises:
        GrantNotFoundError, EncryptionKeyUnknownError, UnexpectedShapeError.
        LogForkedError: The releasing city's log is in doubt, and nobody looked yet.
    """
    held = load_grant(node, grant_id)
    with node.database.read() as tx:
        demand_no_fork(tx, held.terms.releasing)
    now = node.clock.now()
    request = encode_release_request(
        ReleaseRequest(
            held.terms,
            held.bundle,
            held.evidence,
            held.evidence_salt,
            node.generation,
            seal_openings(node, held, held.openings, RELEASE_REQUEST_VERSION),
            tuple(materials),
            node.keys.public_key(KeyRole.ENCRYPTION),
            officer,
            int(now.timestamp()),
        )
    )
    parse_release_request(request)  # refuses what the other city would
    digest = compute_request_digest(request)
    row = ReleaseRow(
        digest,
        INCOMING,
        held.terms.releasing,
        grant_id,
        IncomingState.PREPARED,
        seal_record(node, _record_name(digest), "request", request),
        b"",
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        now,
        now,
    )
    with node.database.transaction() as tx:
        tx.releases.save_release(row)
        if link is not None:
            link(tx, digest)
    return digest


def resume_receiving(node: Node) -> int:
    """One turn over all releases under way to this city; returns how many moved."""
    with node.database.read() as tx:
        rows = tx.releases.list_releases(INCOMING, _OPEN)
    return sum(pursue_release(node, row.request_digest).state != row.state for row in rows)


def pursue_release(node: Node, request_digest: bytes) -> ReleaseRow:
    """Take one release as far as it goes now; a silent city or chain leaves it where it is.

    Idempotent; ends in REFUSED or REJECTED with `problem_code` when it cannot go on.
    """
    row = load_incoming(node, request_digest)
    while row.state in _OPEN:
        before = row.state
        try:
            row = _STEPS[IncomingState(row.state)](node, row)
        except UnavailableError as error:
            structlog.get_logger().info("release_waits", city=node.city, code=error.code)
            return row
        if row.state == before:
            return row
    return row


def load_incoming(node: Node, request_digest: bytes) -> ReleaseRow:
    """Row of a release to this city.

    Raises:
        ReleaseNotFoundError: No such release.
    """
    with node.database.read() as tx:
        return tx.releases.load_release(request_digest, INCOMING)


def open_release(node: Node, row: ReleaseRow) -> ReceivedRelease:
    """Open an answered release and verify it again from what is stored and followed.

    Raises:
        ReleaseNotCompleteError: No answer yet.
        PermitNotFinalError: The permit is not in a final block as followed.
        VerificationError, MalformedInputError: It does not hold.
    """
    if row.answer is None or row.sealed_secrets is None:
        raise ReleaseNotCompleteError("材料尚未送达。", "The release has not arrived yet.")
    name = _record_name(row.request_digest)
    request_bytes = open_record(node, name, "request", row.request)
    answer_bytes = open_record(node, name, "answer", row.answer)
    secrets = parse_release_secrets(open_record(node, name, "secrets", row.sealed_secrets))
    request, answer = parse_release_request(request_bytes), parse_release_answer(answer_bytes)
    answer_digest = compute_answer_digest(answer_bytes)
    commitment = compute_release_commitment(secrets.salt, row.request_digest, answer_digest)
    with node.database.read() as tx:
        consumed = tx.chain.find_consumption(commitment)
        if consumed is None:
            raise PermitNotFinalError
        materials = verify_release(
            request,
            row.request_digest,
            answer,
            answer_digest,
            secrets,
            Permit(consumed.grant_id, consumed.release_commitment),
            build_log_facts(tx, node.domain),
        )
    return ReceivedRelease(row, request, answer, secrets, materials)


def open_document(
    node: Node, request_digest: bytes, commitment: Commitment, index: int, target: Path
) -> None:
    """Write a received document's plaintext to `target`, by rename, after its digest is checked.

    Raises:
        ReleaseNotCompleteError: Not complete, or no such document in it.
        VerificationError: It does not hold.
    """
    row = load_incoming(node, request_digest)
    if row.state not in (IncomingState.COMPLETE, IncomingState.ACKNOWLEDGED):
        raise ReleaseNotCompleteError("材料尚未完整送达。", "The release is not complete yet.")
    for material in open_release(node, row).materials:
        for document in material.documents:
            if (material.material.commitment, document.document.index) == (commitment, index):
                node.sealer.unseal(
                    node.documents,
                    document.document.address,
                    document.secret,
                    document.part.digest,
                    target,
                )
                return
    raise ReleaseNotCompleteError(
        "该次放行中没有这份文件。", "There is no such document in this release."
    )


class PermitNotFinalError(UnavailableError):
    """The consumption is not in a final block as far as this city followed the chain."""

    code = "permit_not_final"

    def __init__(self) -> None:
        super().__init__(
            "链上许可尚未确认，请稍候。", "The permit is not final on chain yet; wait a moment."
        )


def _send_request(node: Node, row: ReleaseRow) -> ReleaseRow:
    """PREPARED or REQUESTED: send the same bytes, then ask for the answer."""
    request = open_record(node, _record_name(row.request_digest), "request", row.request)
    if row.state == IncomingState.PREPARED:
        row = _advance(node, row, IncomingEvent.REQUEST_SENT)
    try:
        sent = node.peers.send(row.city, RELEASE_PATH, request)
        answered = node.peers.send(row.city, ANSWER_PATH, encode_answer_fetch(row.request_digest))
    except UnavailableError:
        raise
    except LedgerError as error:
        return _advance(
            node, row, IncomingEvent.REFUSAL_RECEIVED, problem_code=get_peer_code(error)
        )
    if answered.status != 200:
        return row
    return _store_answer(node, row, sent, answered)


def _store_answer(
    node: Node, row: ReleaseRow, sent: PeerAnswer, answered: PeerAnswer
) -> ReleaseRow:
    """Keep answer and private part, re-sealed under this release's record key."""
    name = _record_name(row.request_digest)
    return _advance(
        node,
        row,
        IncomingEvent.ANSWER_STORED,
        request_message=encode_head_bytes(sent.head.request),
        answer=seal_record(node, name, "answer", answered.body),
        answer_message=encode_answer_head_bytes(answered.head),
    )


def _check_answer(node: Node, row: ReleaseRow) -> ReleaseRow:
    """ANSWERED: open the private part and check everything but the documents."""
    name = _record_name(row.request_digest)
    try:
        if row.sealed_secrets is None:
            assert row.answer is not None  # ANSWERED carries one
            answer = parse_release_answer(open_record(node, name, "answer", row.answer))
            info = compute_seal_info(RELEASE_ANSWER_VERSION, row.request_digest)
            opened = node.keys.open_sealed(answer.sealed, info)
            parse_release_secrets(opened)
            row = replace(row, sealed_secrets=seal_record(node, name, "secrets", opened))
        received = open_release(node, row)
    except (VerificationError, MalformedInputError) as error:
        return _advance(node, row, IncomingEvent.ANSWER_REJECTED, problem_code=error.code)
    answer_digest = compute_answer_digest(open_record(node, name, "answer", row.answer or b""))
    commitment = compute_release_commitment(
        received.secrets.salt, row.request_digest, answer_digest
    )
    return _advance(
        node,
        row,
        IncomingEvent.ANSWER_VERIFIED,
        sealed_secrets=row.sealed_secrets,
        release_salt=received.secrets.salt,
        release_commitment=commitment,
    )


def _fetch_documents(node: Node, row: ReleaseRow) -> ReleaseRow:
    """VERIFIED: ciphertexts into the store, durable, then every plaintext digest."""
    received = open_release(node, row)
    try:
        for material in received.materials:
            for document in material.documents:
                _fetch_document(node, row, material, document.document.index)
        node.documents.sync()
        for material in received.materials:
            for document in material.documents:
                node.sealer.check(
                    node.documents,
                    document.document.address,
                    document.secret,
                    document.part.digest,
                )
    except UnavailableError:
        raise
    except PeerRefusedError as error:
        return _advance(node, row, IncomingEvent.REFUSAL_RECEIVED, problem_code=error.peer_code)
    except LedgerError as error:
        return _advance(node, row, IncomingEvent.DOCUMENT_REJECTED, problem_code=error.code)
    return _advance(node, row, IncomingEvent.DOCUMENTS_STORED)


def _fetch_document(node: Node, row: ReleaseRow, material: ReceivedMaterial, index: int) -> None:
    document = next(each.document for each in material.documents if each.document.index == index)
    if node.documents.has(document.address):
        return
    body = encode_document_fetch(
        DocumentFetch(row.request_digest, material.material.commitment, index)
    )
    chunks = node.peers.fetch_blob(row.city, DOCUMENT_PATH, body, max_bytes=document.sealed_bytes)
    address, _ = node.documents.put(chunks)
    if address != document.address:
        node.documents.remove(address)
        raise DocumentAddressError(
            "收到的文件与对方回答中的不是同一份。",
            "The fetched bytes are not the document the answer names.",
        )


def _acknowledge(node: Node, row: ReleaseRow) -> ReleaseRow:
    """COMPLETE: sign that everything matched, and send it; a city that refuses the word does not
    stop this one, it is asked again."""
    answer = open_record(node, _record_name(row.request_digest), "answer", row.answer or b"")
    assert row.release_commitment is not None  # VERIFIED stored it
    word = Acknowledgement(
        row.grant_id,
        ReleaseCommitment(row.release_commitment),
        row.request_digest,
        compute_answer_digest(answer),
        int(node.clock.now().timestamp()),
    )

    def sign(message: bytes) -> bytes:
        return node.keys.sign(KeyRole.MESSAGE, message)

    key_id = MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE))
    signed = row.acknowledgement or encode_acknowledgement(word, key_id, sign)
    try:
        node.peers.send(row.city, ACKNOWLEDGEMENT_PATH, signed)
    except UnavailableError:
        raise
    except LedgerError as error:
        code = get_peer_code(error)
        structlog.get_logger().warning("acknowledgement_refused", city=node.city, code=code)
        return row
    return _advance(node, row, IncomingEvent.ACKNOWLEDGEMENT_SENT, acknowledgement=signed)


_STEPS = {
    IncomingState.PREPARED: _send_request,
    IncomingState.REQUESTED: _send_request,
    IncomingState.ANSWERED: _check_answer,
    IncomingState.VERIFIED: _fetch_documents,
    IncomingState.COMPLETE: _acknowledge,
}


def _advance(node: Node, row: ReleaseRow, event: IncomingEvent, **changes: object) -> ReleaseRow:
    """Move a release by compare-and-swap; what another process did instead wins."""
    state = advance_incoming(IncomingState(row.state), event)
    after = replace(row, state=state, updated_at=node.clock.now(), **changes)  # type: ignore[arg-type]
    with node.database.transaction() as tx:
        if tx.releases.advance_release(row, after):
            return after
    return load_incoming(node, row.request_digest)


def _record_name(request_digest: bytes) -> str:
    return f"release/{request_digest.hex()}"
