"""The messages inside a reliance receipt: request, answer, acknowledgement.

Step 9 of the data flow, checks (5) and (10) of docs/spec/receipt.md.

Invariants:
    * A message is checked as at the moment it was signed; whether its key counted is judged at the
      block that anchors the receipt (at the state block while it is pending).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ledger_node.core.acknowledgement import Acknowledgement, verify_acknowledgement
from ledger_node.core.errors import LedgerError
from ledger_node.core.message import verify_answer, verify_body, verify_request
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_parts import HttpAnswer, HttpRequest, VerifiedMessage
from ledger_node.core.message_problem import MessageKeyUnknownError, MessageSignatureError
from ledger_node.core.receipt import ReceiptFile
from ledger_node.core.receipt_reliance import RelianceBody
from ledger_node.core.release import (
    compute_answer_digest,
    compute_release_commitment,
    compute_request_digest,
)
from ledger_node.core.signed_head import SignedHead
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.trust import Trust
from ledger_node.core.types import CityId
from ledger_node.core.verdict import Judgement
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.core.verify_parts import check_message_key

REQUEST_PATH = "/peer/v1/releases"
ANSWER_PATH = "/peer/v1/releases/answer"
_CREATED = re.compile(r";created=([0-9]{1,12})(?:;|$)")
_METHOD = "POST"


def check_messages(judgement: Judgement, body: RelianceBody) -> None:
    """Check the three signatures and that they are about one release."""
    _check_request(judgement, body)
    _check_answer(judgement, body)
    acknowledgement, _ = _read_acknowledgement(judgement, body)
    request_digest = compute_request_digest(body.request_bytes)
    answer_digest = compute_answer_digest(body.answer_bytes)
    release = compute_release_commitment(body.release_salt, request_digest, answer_digest)
    told = (
        acknowledgement.grant_id,
        acknowledgement.release,
        acknowledgement.request_digest,
        acknowledgement.answer_digest,
    )
    expected = (compute_grant_id(body.request.terms), release, request_digest, answer_digest)
    judgement.demand(told == expected, VerdictCode.ACKNOWLEDGEMENT_MISMATCH)


def check_message_keys(
    judgement: Judgement, receipt: ReceiptFile, body: RelianceBody, trust: Trust
) -> None:
    """Check that every key was its city's, valid and trusted."""
    terms, codes = body.request.terms, VerdictCode
    request, answer = _check_request(judgement, body), _check_answer(judgement, body)
    _, acknowledged = _read_acknowledgement(judgement, body)
    for city, key_id, unknown, distrusted in (
        (
            body.city,
            receipt.key_id,
            codes.RECEIPT_KEY_UNKNOWN,
            codes.RECEIPT_KEY_DISTRUSTED,
        ),
        (
            terms.receiving,
            request.key_id,
            codes.REQUEST_KEY_INVALID,
            codes.REQUEST_KEY_INVALID,
        ),
        (terms.releasing, answer.key_id, codes.ANSWER_KEY_INVALID, codes.ANSWER_KEY_INVALID),
        (
            terms.receiving,
            acknowledged,
            codes.ACKNOWLEDGEMENT_KEY_INVALID,
            codes.ACKNOWLEDGEMENT_KEY_INVALID,
        ),
    ):
        _check_key(judgement, receipt, body, trust, city, key_id, unknown, distrusted)


def _check_key(
    judgement: Judgement,
    receipt: ReceiptFile,
    body: RelianceBody,
    trust: Trust,
    city: CityId,
    key_id: MessageKeyId,
    unknown: VerdictCode,
    distrusted: VerdictCode,
) -> None:
    if receipt.seal is not None:
        anchored = receipt.seal.anchored
        number, time_s = anchored.block_number, anchored.block_timestamp_s
    else:
        number, time_s = body.state_block.number, body.state_block.block_timestamp_s
    judgement.demand(key_id.city == city, unknown)
    check_message_key(
        judgement, trust, city, key_id.key, number, time_s, unknown=unknown, distrusted=distrusted
    )


def _check_request(judgement: Judgement, body: RelianceBody) -> VerifiedMessage:
    head = body.request_head
    try:
        if head.path != REQUEST_PATH:
            raise MessageSignatureError("path")
        return verify_request(
            _http_request(head), body.request_bytes, _any_key, _read_created(head.headers)
        )
    except LedgerError:
        judgement.fail(VerdictCode.REQUEST_SIGNATURE_INVALID)


def _check_answer(judgement: Judgement, body: RelianceBody) -> VerifiedMessage:
    head = body.answer_head
    judgement.demand(
        body.answer.request == compute_request_digest(body.request_bytes),
        VerdictCode.ANSWER_DIGEST_MISMATCH,
    )
    try:
        if head.request.path != ANSWER_PATH:
            raise MessageSignatureError("path")
        message = verify_answer(
            HttpAnswer(head.status, tuple(head.headers.items())),
            _http_request(head.request),
            body.request.terms.releasing,
            _any_key,
            _read_created(head.headers),
        )
        return verify_body(message, body.answer_bytes)
    except MessageKeyUnknownError:
        judgement.fail(VerdictCode.ANSWER_KEY_INVALID)
    except LedgerError:
        judgement.fail(VerdictCode.ANSWER_SIGNATURE_INVALID)


def _read_acknowledgement(
    judgement: Judgement, body: RelianceBody
) -> tuple[Acknowledgement, MessageKeyId]:
    """The acknowledgement and the key that signed it."""
    keys: list[MessageKeyId] = []

    def note_key(key_id: MessageKeyId) -> bool:
        keys.append(key_id)
        return True

    try:
        acknowledgement = verify_acknowledgement(
            body.acknowledgement_bytes, body.request.terms.receiving, note_key
        )
    except LedgerError:
        judgement.fail(VerdictCode.ACKNOWLEDGEMENT_INVALID)
    return acknowledgement, keys[0]


def _http_request(head: SignedHead) -> HttpRequest:
    return HttpRequest(_METHOD, head.url, head.path, tuple(head.headers.items()))


def _any_key(_: MessageKeyId) -> bool:
    """Whose key it was is judged apart, at the anchoring block."""
    return True


def _read_created(headers: Mapping[str, str]) -> int:
    match = _CREATED.search(headers["signature-input"])
    if match is None:
        raise MessageSignatureError("created")
    return int(match[1])
