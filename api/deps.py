"""What routes receive: the running node, and peer messages that were verified and not replayed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from ledger_node.core.errors import MalformedInputError, NotPermittedError
from ledger_node.core.message import SIGNATURE_HEADERS, verify_request
from ledger_node.core.message_key import MessageKeyId, encode_key_id
from ledger_node.core.message_parts import MAX_AGE_S, HttpRequest
from ledger_node.core.signed_head import SignedHead
from ledger_node.core.types import CityId
from ledger_node.wiring import Runtime

MAX_BODY_BYTES = 4 * 1024 * 1024
NONCE_KEPT = timedelta(seconds=4 * MAX_AGE_S)


class BodyTooLargeError(MalformedInputError):
    """The request body is larger than any message between cities."""

    code = "body_too_large"


class MessageReplayedError(NotPermittedError):
    """This nonce was used before."""

    code = "message_replayed"


@dataclass(frozen=True, slots=True)
class PeerMessage:
    """A verified request of another city.

    Attributes:
        city: Whose message key signed it.
        body: Exact bytes.
        request: As verified, for binding the answer to it.
        head: What of it is kept as evidence.
    """

    city: CityId
    body: bytes
    request: HttpRequest
    head: SignedHead


def get_runtime(request: Request) -> Runtime:
    """The node this application serves."""
    return cast(Runtime, request.app.state.runtime)


async def read_peer_message(request: Request) -> PeerMessage:
    """Verify a signed request and store its nonce before any handler runs.

    Raises:
        BodyTooLargeError: More than 4 MiB.
        VerificationError: The signature profile does not hold (`core/message.py`).
        MessageReplayedError: The nonce was seen before.
    """
    body = await _read_body(request)
    runtime = get_runtime(request)
    path = _read_target(request)
    headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw)
    signed = HttpRequest(request.method, runtime.registered_url(), path, headers)
    return await run_in_threadpool(_accept, runtime, signed, body)


def _accept(runtime: Runtime, signed: HttpRequest, body: bytes) -> PeerMessage:
    def is_message_key(key_id: MessageKeyId) -> bool:
        return runtime.directory.is_message_key(key_id.city, key_id.key)

    now_s = int(runtime.node.clock.now().timestamp())
    verified = verify_request(signed, body, is_message_key, now_s)
    kept_until = datetime.fromtimestamp(verified.expires_at_s, UTC) + NONCE_KEPT
    with runtime.node.database.transaction() as tx:
        new = tx.messages.store_nonce(
            encode_key_id(verified.key_id), verified.nonce.hex(), kept_until
        )
        if new:
            kind = signed.path.rsplit("/", 1)[-1]
            tx.messages.log_message(
                "received", verified.city, kind, verified.body_digest, runtime.node.clock.now()
            )
    if not new:
        raise MessageReplayedError(
            "该消息已收到过，不再处理。", "This message was received before; it is not acted on."
        )
    kept = {n.lower(): value for n, value in signed.headers if n.lower() in SIGNATURE_HEADERS}
    head = SignedHead(signed.registered_url, signed.path, kept)
    return PeerMessage(verified.city, body, signed, head)


def _read_target(request: Request) -> str:
    """Path and query as they came over the wire; `request.url` would read the `Host` header."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


async def _read_body(request: Request) -> bytes:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_BODY_BYTES:
            raise BodyTooLargeError(
                "消息超过 4 MiB。文件请走文件接口。", "The message exceeds 4 MiB."
            )
    return bytes(received)
