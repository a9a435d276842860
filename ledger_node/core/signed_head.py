"""What of a signed HTTP message is kept as evidence, and its JSON form.

Steps 8 and 9 of the data flow. The body is kept apart: its digest is in `content-digest`, which the
signature covers. Spec: docs/spec/receipt.md, section "Messages".

Not here: checking the signature (message.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_members,
    require_text,
)
from ledger_node.core.message import SIGNATURE_HEADERS
from ledger_node.core.shapes import read_short_text, refuse_shape

MAX_HEAD_BYTES = 64 * 1024
_WHAT = "message head"


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What of a signed request is needed to check its signature later.

    Attributes:
        url: Registered address of the city it was sent to.
        path: Path and query.
        headers: content-digest, signature-input, signature.
    """

    url: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignedAnswerHead:
    """An answer's signature headers and status, with the request that caused it."""

    request: SignedHead
    status: int
    headers: Mapping[str, str]


def encode_head(head: SignedHead) -> JsonObject:
    """Write the head of a request."""
    return {"url": head.url, "path": head.path, "headers": dict(head.headers)}


def encode_answer_head(head: SignedAnswerHead) -> JsonObject:
    """Write the head of an answer."""
    return {
        "request": encode_head(head.request),
        "status": head.status,
        "headers": dict(head.headers),
    }


def encode_head_bytes(head: SignedHead) -> bytes:
    """Head of a request as it is stored."""
    return encode_canonical(encode_head(head))


def encode_answer_head_bytes(head: SignedAnswerHead) -> bytes:
    """Head of an answer as it is stored."""
    return encode_canonical(encode_answer_head(head))


def parse_head(data: bytes) -> SignedHead:
    """Read a stored head.

    Raises:
        NotCanonicalError, UnexpectedShapeError: Not exactly a head.
    """
    return read_head(parse_canonical(data, what=_WHAT, max_bytes=MAX_HEAD_BYTES))


def parse_answer_head(data: bytes) -> SignedAnswerHead:
    """Read a stored answer head; raises as `parse_head`."""
    return read_answer_head(parse_canonical(data, what=_WHAT, max_bytes=MAX_HEAD_BYTES))


def read_head(value: JsonValue) -> SignedHead:
    """Read the head of a request from canonical JSON."""
    m = require_members(value, ("url", "path", "headers"), what=_WHAT)
    return SignedHead(
        read_short_text(m["url"], what=f"{_WHAT} url"),
        read_short_text(m["path"], what=f"{_WHAT} path"),
        _read_headers(m["headers"]),
    )


def read_answer_head(value: JsonValue) -> SignedAnswerHead:
    """Read the head of a 200 answer from canonical JSON."""
    m = require_members(value, ("request", "status", "headers"), what=_WHAT)
    status = require_int(m["status"], what=f"{_WHAT} status", minimum=100, maximum=599)
    if status != 200:
        raise refuse_shape(f"{_WHAT} status", "应为 200", "200 is expected")
    return SignedAnswerHead(read_head(m["request"]), status, _read_headers(m["headers"]))


def _read_headers(value: JsonValue) -> dict[str, str]:
    m = require_members(value, SIGNATURE_HEADERS, what=_WHAT)
    return {name: require_text(m[name], what=_WHAT) for name in SIGNATURE_HEADERS}
