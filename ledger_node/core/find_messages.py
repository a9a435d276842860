"""Find: what one city asks another under signed terms, and what it is told exists.

Step 6 of the data flow. Spec: design section 8, docs/spec/release.md, section "Find".
Vectors: tests/vectors/release/.

Invariants:
    * Type and basis stand in clear, the person's number sealed to the asked city; item and case
      stay commitments: they are opened only with a release request, to a city that has something.
    * The answer says what exists, its state and validity, never content. An answer with nothing
      has the same members as one with something, for whatever reason there is nothing.
Not here: who may ask (grant.py), what is told (query.py), sealing and opening (edges).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.checkpoint import MAX_GENERATION
from ledger_node.core.evidence_format import encode_evidence_object, read_evidence
from ledger_node.core.evidence_parts import Evidence
from ledger_node.core.sealed import read_sealed
from ledger_node.core.shapes import (
    MAX_TIME_S,
    demand_distinct,
    demand_not_empty,
    read_bytes32,
    read_choice,
    read_name,
    read_version,
    refuse_shape,
)
from ledger_node.core.statement import MAX_DOCUMENTS
from ledger_node.core.status import Standing
from ledger_node.core.terms import GrantBasis, Terms
from ledger_node.core.terms_format import (
    MAX_TYPES,
    compute_grant_id,
    encode_terms_object,
    read_bundle,
    read_terms,
)
from ledger_node.core.types import Commitment, GrantId

FIND_REQUEST_VERSION = "tongban/find-request/v1"
FIND_ANSWER_VERSION = "tongban/find-answer/v1"
MAX_MESSAGE_BYTES = 512 * 1024
MAX_CANDIDATES = 200

_REQUEST_MEMBERS = (
    "v",
    "terms",
    "bundle",
    "evidence",
    "generation",
    "basis",
    "types",
    "sealed",
    "officer",
    "requested_at",
)
_CANDIDATE_MEMBERS = (
    "commitment",
    "type",
    "version",
    "grade",
    "standing",
    "valid_from",
    "valid_until",
    "leaf_index",
    "documents",
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Grade(StrEnum):
    """How sure a material is (domain.md section 3)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True, slots=True)
class FindRequest:
    """A find.

    Attributes:
        terms: Of the grant, with `bundle` (the other grant ids, rising) and `evidence`.
        generation: Of the recording city's log, under whose origin the commitments were made.
        types: Codes asked for, distinct; the basis in clear is that of the terms.
        sealed: HPKE of the subject's opening, to the asked city.
        officer: Pseudonymous id of who asks.
        requested_at_s: Unix time.
    """

    terms: Terms
    bundle: tuple[GrantId, ...]
    evidence: Evidence
    generation: int
    types: tuple[str, ...]
    sealed: bytes
    officer: str
    requested_at_s: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A material that exists.

    Attributes:
        commitment: To ask for it by.
        type_code, type_version: Which names stand at which positions.
        grade: A to D.
        standing: State on chain; an erased material is never a candidate.
        valid_from, valid_until: ISO dates as registered, None if not stated.
        leaf_index: None while its entry is not yet sequenced.
        document_count: Number of its documents.
    """

    commitment: Commitment
    type_code: str
    type_version: int
    grade: Grade
    standing: Standing
    valid_from: str | None
    valid_until: str | None
    leaf_index: int | None
    document_count: int


@dataclass(frozen=True, slots=True)
class FindAnswer:
    """What exists; nothing is an answer.

    Attributes:
        request: SHA-256 of the request's bytes.
        candidates: In order of commitment, so that the order tells nothing.
        answered_at_s: Unix time.
    """

    request: bytes
    candidates: tuple[Candidate, ...]
    answered_at_s: int


def encode_find_request(request: FindRequest) -> bytes:
    """Write a find request as RFC 8785 bytes."""
    return encode_canonical(
        {
            "v": FIND_REQUEST_VERSION,
            "terms": encode_terms_object(request.terms),
            "bundle": [each.hex() for each in request.bundle],
            "evidence": encode_evidence_object(request.evidence),
            "generation": request.generation,
            "basis": request.terms.basis.value,
            "types": list(request.types),
            "sealed": encode_base64(request.sealed),
            "officer": request.officer,
            "requested_at": request.requested_at_s,
        }
    )


def parse_find_request(data: bytes) -> FindRequest:
    """Read a find request.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: Not
            exactly such a request, or its basis in clear is not that of the terms.
    """
    what = "find request"
    value = parse_canonical(data, what=what, max_bytes=MAX_MESSAGE_BYTES)
    read_version(value, FIND_REQUEST_VERSION, what=what)
    m = require_members(value, _REQUEST_MEMBERS, what=what)
    terms = read_terms(m["terms"])
    if read_choice(m["basis"], GrantBasis, what=f"{what} basis") is not terms.basis:
        raise refuse_shape(f"{what} basis", "与条款不符", "another one than the terms name")
    return FindRequest(
        terms=terms,
        bundle=read_bundle(m["bundle"], compute_grant_id(terms)),
        evidence=read_evidence(m["evidence"]),
        generation=require_int(m["generation"], what=f"{what} generation", maximum=MAX_GENERATION),
        types=_read_types(m["types"]),
        sealed=read_sealed(m["sealed"], what=f"{what} sealed"),
        officer=read_name(m["officer"], what=f"{what} officer"),
        requested_at_s=require_int(
            m["requested_at"], what=f"{what} requested_at", maximum=MAX_TIME_S
        ),
    )


def compute_find_digest(data: bytes) -> bytes:
    """SHA-256 of a find request's canonical bytes."""
    return hashlib.sha256(data).digest()


def encode_find_answer(answer: FindAnswer) -> bytes:
    """Write a find answer as RFC 8785 bytes."""
    return encode_canonical(
        {
            "v": FIND_ANSWER_VERSION,
            "request": answer.request.hex(),
            "materials": [_encode_candidate(each) for each in answer.candidates],
            "answered_at": answer.answered_at_s,
        }
    )


def parse_find_answer(data: bytes) -> FindAnswer:
    """Read a find answer.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: Not
            exactly such an answer, or its materials do not rise by commitment.
    """
    what = "find answer"
    value = parse_canonical(data, what=what, max_bytes=MAX_MESSAGE_BYTES)
    read_version(value, FIND_ANSWER_VERSION, what=what)
    m = require_members(value, ("v", "request", "materials", "answered_at"), what=what)
    items = require_list(m["materials"], what=f"{what} materials")
    if len(items) > MAX_CANDIDATES:
        raise refuse_shape(what, f"最多 {MAX_CANDIDATES} 份", f"at most {MAX_CANDIDATES}")
    candidates = tuple(_read_candidate(item) for item in items)
    commitments = [each.commitment for each in candidates]
    if commitments != sorted(set(commitments)):
        raise refuse_shape(f"{what} materials", "须按承诺递增", "must rise by commitment")
    return FindAnswer(
        read_bytes32(m["request"], what=f"{what} request"),
        candidates,
        require_int(m["answered_at"], what=f"{what} answered_at", maximum=MAX_TIME_S),
    )


def _read_types(value: JsonValue) -> tuple[str, ...]:
    what = "find request types"
    items = require_list(value, what=what)
    if len(items) > MAX_TYPES:
        raise refuse_shape(what, f"最多 {MAX_TYPES} 项", f"at most {MAX_TYPES} types")
    types = tuple(read_name(item, what=what) for item in items)
    demand_not_empty(types, what=what)
    demand_distinct(types, what=what)
    return types


def _encode_candidate(candidate: Candidate) -> JsonObject:
    return {
        "commitment": candidate.commitment.hex(),
        "type": candidate.type_code,
        "version": candidate.type_version,
        "grade": candidate.grade.value,
        "standing": candidate.standing.value,
        "valid_from": candidate.valid_from,
        "valid_until": candidate.valid_until,
        "leaf_index": candidate.leaf_index,
        "documents": candidate.document_count,
    }


def _read_candidate(value: JsonValue) -> Candidate:
    what = "find answer material"
    m = require_members(value, _CANDIDATE_MEMBERS, what=what)
    index = m["leaf_index"]
    return Candidate(
        Commitment(read_bytes32(m["commitment"], what=what)),
        read_name(m["type"], what=what),
        require_int(m["version"], what=what, minimum=1),
        read_choice(m["grade"], Grade, what=what),
        read_choice(m["standing"], Standing, what=what),
        _read_date(m["valid_from"], what),
        _read_date(m["valid_until"], what),
        None if index is None else require_int(index, what=what),
        require_int(m["documents"], what=what, maximum=MAX_DOCUMENTS),
    )


def _read_date(value: JsonValue, what: str) -> str | None:
    if value is None:
        return None
    text = require_text(value, what=what)
    if _DATE.fullmatch(text) is None:
        raise refuse_shape(what, "日期须写作 YYYY-MM-DD", "a date is written YYYY-MM-DD")
    return text
