"""Routes for member cities: find, release, acknowledgement, notices. Every answer is signed.

Spec: design section 8, docs/spec/messages.md. A request is verified and its nonce stored before
anything else (`api/deps.py`); the answer, refusals included, is bound to the request's signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from api.access import peer
from api.deps import PeerMessage, get_runtime, read_peer_message
from api.problems import MEDIA_TYPE, build_problem
from ledger_node.core.errors import LedgerError
from ledger_node.core.message import sign_answer
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_parts import NONCE_BYTES, MessageStamp
from ledger_node.core.types import Digest
from ledger_node.flows import finding, releasing, revoking, watching
from ledger_node.ports.keys import KeyRole
from ledger_node.wiring import Runtime

router = APIRouter(prefix="/peer/v1", tags=["peer"], dependencies=[peer()])

Message = Annotated[PeerMessage, Depends(read_peer_message)]
Handler = Callable[[Runtime, PeerMessage], tuple[int, bytes]]


def sign_headers(
    runtime: Runtime, message: PeerMessage, status: int, digest: bytes
) -> dict[str, str]:
    """Signature headers of an answer to `message`."""
    node = runtime.node

    def sign(data: bytes) -> bytes:
        return node.keys.sign(KeyRole.MESSAGE, data)

    stamp = MessageStamp(
        MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE)),
        int(node.clock.now().timestamp()),
        node.entropy(NONCE_BYTES),
        sign,
    )
    return sign_answer(message.request, status, Digest(digest), stamp)


def sign_response(
    request: Request, message: PeerMessage, status: int, body: bytes, media_type: str
) -> Response:
    """A whole answer with its signature."""
    digest = hashlib.sha256(body).digest()
    headers = sign_headers(get_runtime(request), message, status, digest)
    return Response(body, status, headers, media_type)


def refuse(request: Request, message: PeerMessage, error: LedgerError) -> Response:
    """A signed problem answer: the other city can hold us to the refusal."""
    request.app.state.log_problem(request, error)
    status, body, extra = build_problem(error)
    response = sign_response(request, message, status, body, MEDIA_TYPE)
    response.headers.update(extra)
    return response


def answer(request: Request, message: PeerMessage, handler: Handler) -> Response:
    """Run a handler and sign what it answers; a typed error becomes a signed problem."""
    try:
        status, body = handler(get_runtime(request), message)
    except LedgerError as error:
        return refuse(request, message, error)
    return sign_response(request, message, status, body, "application/json")


@router.post("/find")
def find(request: Request, message: Message) -> Response:
    """What exists of a person's materials here, without content."""

    def handle(runtime: Runtime, message: PeerMessage) -> tuple[int, bytes]:
        return 200, finding.answer_find(runtime.node, message.city, message.body)

    return answer(request, message, handle)


@router.post("/releases")
def request_release(request: Request, message: Message) -> Response:
    """Take in a release request: decided, answered and its `consume` signed; sent when final."""

    def handle(runtime: Runtime, message: PeerMessage) -> tuple[int, bytes]:
        return 202, releasing.accept_request(runtime.node, message.city, message.body, message.head)

    return answer(request, message, handle)


@router.post("/releases/answer")
def fetch_release_answer(request: Request, message: Message) -> Response:
    """The stored answer once its permit is final; 202 until then."""

    def handle(runtime: Runtime, message: PeerMessage) -> tuple[int, bytes]:
        return releasing.hand_over_answer(runtime.node, message.city, message.body)

    return answer(request, message, handle)


@router.post("/releases/document")
def fetch_release_document(request: Request, message: Message) -> Response:
    """Ciphertext of one released document, streamed; its digest is signed before it is sent."""
    runtime = get_runtime(request)
    try:
        address, size_bytes = releasing.find_document(runtime.node, message.city, message.body)
        chunks: Iterator[bytes] = runtime.node.documents.read(address)
    except LedgerError as error:
        return refuse(request, message, error)
    headers = sign_headers(runtime, message, 200, address)
    headers["Content-Length"] = str(size_bytes)
    return StreamingResponse(chunks, 200, headers, media_type="application/octet-stream")


@router.post("/releases/acknowledgement")
def acknowledge_release(request: Request, message: Message) -> Response:
    """The receiving city's signed word that the digests matched."""

    def handle(runtime: Runtime, message: PeerMessage) -> tuple[int, bytes]:
        return 200, releasing.take_acknowledgement(runtime.node, message.city, message.body)

    return answer(request, message, handle)


@router.post("/notices")
def take_notice(request: Request, message: Message) -> Response:
    """A material this city relied on was withdrawn, superseded, disputed or erased."""

    def handle(runtime: Runtime, message: PeerMessage) -> tuple[int, bytes]:
        return 200, watching.take_notice(runtime.node, message.city, message.body)

    return answer(request, message, handle)


@router.post("/revocations")
def judge_revocation(request: Request, message: Message) -> Response:
    """A person withdraws with the code on the slip, at another city's window."""

    def handle(runtime: Runtime, message: PeerMessage) -> tuple[int, bytes]:
        return 200, revoking.answer_revocation(runtime.node, message.city, message.body)

    return answer(request, message, handle)
