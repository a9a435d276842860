"""Signed messages between cities: HTTP Message Signatures (RFC 9421), one profile for all routes.

Spec: design section 8, docs/spec/messages.md. Ed25519 only, label and tag fixed, exactly the
listed components and parameters, one signature per message, body under Content-Digest (RFC 9530).

Invariants:
    * The URL is the node's own registered address and the path; `Host` is never read.
    * A message without key id, nonce, created, expires or body digest is no message.
    * An answer covers the signature of its request: it answers that request and no other.
Not here: nonce replay (rows stored before the handler runs), who may ask what (grant.py).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    VerifyResult,
)
from http_message_signatures.algorithms import ED25519

from ledger_node.core.canonical import MalformedEncodingError, encode_base64url, parse_base64url
from ledger_node.core.errors import LedgerError
from ledger_node.core.message_adapter import AnswerMessage, Keys, RequestMessage, Verifier
from ledger_node.core.message_key import MessageKeyId, encode_key_id, parse_key_id
from ledger_node.core.message_parts import (
    MAX_AGE_S,
    NONCE_BYTES,
    HeaderLines,
    HttpAnswer,
    HttpRequest,
    KeyCheck,
    MessageStamp,
    VerifiedMessage,
    encode_content_digest,
    parse_content_digest,
)
from ledger_node.core.message_problem import (
    MessageBodyMismatchError,
    MessageSignatureError,
    MessageUnsignedError,
)
from ledger_node.core.types import CityId, Digest

LABEL = "tongban"
TAG = "tongban-v1"
SIGNATURE_HEADERS = ("content-digest", "signature-input", "signature")
REQUEST_COMPONENTS = ("@method", "@authority", "@path", "@query", "content-digest")
ANSWER_COMPONENTS = (
    '"@status"',
    '"content-digest"',
    '"@method";req',
    '"@path";req',
    '"content-digest";req',
    '"signature";req',
)
_Message = RequestMessage | AnswerMessage
_PARAMETERS = frozenset({"created", "expires", "nonce", "keyid", "tag"})


def sign_request(
    method: str, registered_url: str, path: str, body: bytes, stamp: MessageStamp
) -> dict[str, str]:
    """Headers to send with a request: content-digest, signature-input, signature.

    Args:
        method: Upper case.
        registered_url: Address of the asked city as `Membership` holds it.
        path: Path and query.
        body: Exact bytes.
        stamp: Key, time, nonce and signing function.

    Raises:
        MessageSignatureError: Method, address or path cannot be signed.
    """
    message = RequestMessage(HttpRequest(method, registered_url, path, ()))
    digest = Digest(hashlib.sha256(body).digest())
    return _sign(message, digest, stamp, REQUEST_COMPONENTS)


def sign_answer(
    request: HttpRequest, status: int, body_digest: Digest, stamp: MessageStamp
) -> dict[str, str]:
    """Headers to send with an answer.

    Args:
        request: The request answered, with its signature headers.
        status: HTTP status code.
        body_digest: SHA-256 of the exact body; known before a large body is streamed.
        stamp: Key, time, nonce and signing function.

    Raises:
        MessageSignatureError: The request carries no signature to bind the answer to.
    """
    message = AnswerMessage(status, (), request)
    return _sign(message, body_digest, stamp, ANSWER_COMPONENTS)


def verify_request(
    request: HttpRequest, body: bytes, is_message_key: KeyCheck, now_s: int
) -> VerifiedMessage:
    """Check a request: numbered as in docs/spec/messages.md.

    Args:
        request: `registered_url` is the verifying node's own.
        body: Exact bytes as received, not empty.
        is_message_key: Whether a key is a current, trusted message key of its city on chain.
        now_s: Own clock, Unix time.

    Raises:
        MessageUnsignedError: A header, component or parameter is missing, or one too many.
        MessageSignatureError: Something is not well formed, or the signature is not of these bytes.
        MessageKeyUnknownError: The key is no current message key of the city it names.
        MessageNotCurrentError: Too old, expired, or from the future.
        MessageBodyMismatchError: The body is empty or not the one signed.
    """
    return verify_body(
        _verify(
            RequestMessage(request), request.headers, REQUEST_COMPONENTS, is_message_key, now_s
        ),
        body,
    )


def verify_answer(
    answer: HttpAnswer,
    request: HttpRequest,
    expected_city: CityId,
    is_message_key: KeyCheck,
    now_s: int,
) -> VerifiedMessage:
    """Check the head of an answer; its body is checked by `verify_body`, or by the caller against
    `body_digest` when it is streamed.

    Args:
        answer: As received.
        request: As sent, with its signature headers.
        expected_city: City that was asked.
        is_message_key, now_s: As in `verify_request`.

    Raises:
        MessageKeyUnknownError: Also when another city than the asked one signed.
        MessageUnsignedError, MessageSignatureError, MessageNotCurrentError: As `verify_request`.
    """

    def is_key_of_asked(key_id: MessageKeyId) -> bool:
        return key_id.city == expected_city and is_message_key(key_id)

    message = AnswerMessage(answer.status, answer.headers, request)
    return _verify(message, answer.headers, ANSWER_COMPONENTS, is_key_of_asked, now_s)


def verify_body(message: VerifiedMessage, body: bytes) -> VerifiedMessage:
    """Check that a body is the one signed; returns the message.

    Raises:
        MessageBodyMismatchError: The body is empty or another one.
    """
    computed = hashlib.sha256(body).digest()
    if not body or not hmac.compare_digest(computed, message.body_digest):
        raise MessageBodyMismatchError
    return message


def _sign(
    message: RequestMessage | AnswerMessage,
    digest: Digest,
    stamp: MessageStamp,
    components: Sequence[str],
) -> dict[str, str]:
    if len(stamp.nonce) != NONCE_BYTES:
        raise MessageSignatureError("nonce")
    message.headers["content-digest"] = encode_content_digest(digest)
    signer = HTTPMessageSigner(signature_algorithm=ED25519)
    try:
        prepared = signer.prepare(
            message,
            key_id=encode_key_id(stamp.key_id),
            created=datetime.fromtimestamp(stamp.created_at_s, UTC),
            expires=datetime.fromtimestamp(stamp.created_at_s + MAX_AGE_S, UTC),
            nonce=encode_base64url(stamp.nonce),
            label=LABEL,
            tag=TAG,
            include_alg=False,
            use_existing_digest=True,
            covered_component_ids=components,
        )
        signer.apply(message, prepared, stamp.sign(prepared.signature_base))
    except HTTPMessageSignaturesException as error:
        raise MessageSignatureError("message") from error
    return {name.lower(): value for name, value in dict(message.headers).items()}


def _verify(
    message: _Message,
    headers: HeaderLines,
    components: Sequence[str],
    is_message_key: KeyCheck,
    now_s: int,
) -> VerifiedMessage:
    fields = _demand_single_fields(headers)
    digest = parse_content_digest(fields["content-digest"])
    verifier = Verifier(Keys(is_message_key), now_s)
    try:
        results = verifier.verify(
            message, max_age=None, expect_tag=TAG, require_components=components
        )
    except HTTPMessageSignaturesException as error:
        _raise_ours(error)
    return _demand_profile(results, components, digest)


def _demand_single_fields(headers: HeaderLines) -> Mapping[str, str]:
    """The three signature headers, each exactly once (RFC 9421 would join repeats)."""
    fields: dict[str, str] = {}
    for name, value in headers:
        if name.lower() in SIGNATURE_HEADERS:
            if name.lower() in fields:
                raise MessageUnsignedError(f"one {name.lower()}")
            fields[name.lower()] = value
    for name in SIGNATURE_HEADERS:
        if name not in fields:
            raise MessageUnsignedError(name)
    return fields


def _demand_profile(
    results: Sequence[VerifyResult], components: Sequence[str], digest: Digest
) -> VerifiedMessage:
    if len(results) != 1 or results[0].label != LABEL:
        raise MessageUnsignedError("one signature")
    covered, parameters = results[0].covered_components, results[0].parameters
    if len(covered) != len(components) + 1:  # the library adds "@signature-params"
        raise MessageUnsignedError("components")
    if parameters.keys() - {"alg"} != _PARAMETERS:
        raise MessageUnsignedError("parameters")
    try:
        nonce = parse_base64url(str(parameters["nonce"]), what="nonce", length_bytes=NONCE_BYTES)
    except MalformedEncodingError as error:
        raise MessageSignatureError("nonce") from error
    return VerifiedMessage(
        key_id=parse_key_id(str(parameters["keyid"])),
        nonce=nonce,
        created_at_s=int(parameters["created"]),
        expires_at_s=int(parameters["expires"]),
        body_digest=digest,
    )


def _raise_ours(error: HTTPMessageSignaturesException) -> NoReturn:
    """Raise the typed error a hook of ours gave to the library, or the general one."""
    if isinstance(error.__cause__, LedgerError):
        raise error.__cause__ from None
    raise MessageSignatureError("signature") from error
