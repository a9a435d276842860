"""The small messages around a release: fetch the answer, fetch a document, how far it is.

Step 8 of the data flow. Spec: docs/spec/release.md, section "Fetching".

Not here: whether it is handed over (flows), the answer itself (release_answer.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.core.canonical import (
    encode_canonical,
    parse_canonical,
    require_int,
    require_members,
)
from ledger_node.core.release import OutgoingState
from ledger_node.core.shapes import read_bytes32, read_choice, read_version
from ledger_node.core.statement import MAX_DOCUMENTS
from ledger_node.core.types import Commitment

ANSWER_FETCH_VERSION = "tongban/answer-fetch/v1"
DOCUMENT_FETCH_VERSION = "tongban/document-fetch/v1"
RELEASE_STATUS_VERSION = "tongban/release-status/v1"
MAX_FETCH_BYTES = 4096


@dataclass(frozen=True, slots=True)
class DocumentFetch:
    """Which released document is fetched: request digest (32 bytes), material, index."""

    request_digest: bytes
    commitment: Commitment
    index: int


@dataclass(frozen=True, slots=True)
class ReleaseStatus:
    """How far a release is at the releasing city."""

    request_digest: bytes
    state: OutgoingState


def encode_answer_fetch(request_digest: bytes) -> bytes:
    """Ask for the answer to a request."""
    return encode_canonical({"v": ANSWER_FETCH_VERSION, "request": request_digest.hex()})


def parse_answer_fetch(data: bytes) -> bytes:
    """Request digest, 32 bytes.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: Not
            exactly such a message.
    """
    what = "answer fetch"
    value = parse_canonical(data, what=what, max_bytes=MAX_FETCH_BYTES)
    read_version(value, ANSWER_FETCH_VERSION, what=what)
    members = require_members(value, ("v", "request"), what=what)
    return read_bytes32(members["request"], what=what)


def encode_document_fetch(fetch: DocumentFetch) -> bytes:
    """Ask for one sealed document of a release."""
    return encode_canonical(
        {
            "v": DOCUMENT_FETCH_VERSION,
            "request": fetch.request_digest.hex(),
            "commitment": fetch.commitment.hex(),
            "index": fetch.index,
        }
    )


def parse_document_fetch(data: bytes) -> DocumentFetch:
    """Read a document fetch; raises as `parse_answer_fetch`."""
    what = "document fetch"
    value = parse_canonical(data, what=what, max_bytes=MAX_FETCH_BYTES)
    read_version(value, DOCUMENT_FETCH_VERSION, what=what)
    m = require_members(value, ("v", "request", "commitment", "index"), what=what)
    return DocumentFetch(
        read_bytes32(m["request"], what=what),
        Commitment(read_bytes32(m["commitment"], what=what)),
        require_int(m["index"], what=what, maximum=MAX_DOCUMENTS - 1),
    )


def encode_release_status(status: ReleaseStatus) -> bytes:
    """Tell how far a release is."""
    return encode_canonical(
        {
            "v": RELEASE_STATUS_VERSION,
            "request": status.request_digest.hex(),
            "state": status.state.value,
        }
    )


def parse_release_status(data: bytes) -> ReleaseStatus:
    """Read a release status; raises as `parse_answer_fetch`."""
    what = "release status"
    value = parse_canonical(data, what=what, max_bytes=MAX_FETCH_BYTES)
    read_version(value, RELEASE_STATUS_VERSION, what=what)
    m = require_members(value, ("v", "request", "state"), what=what)
    return ReleaseStatus(
        read_bytes32(m["request"], what=what),
        read_choice(m["state"], OutgoingState, what=what),
    )
