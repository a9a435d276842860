"""Release request: terms, evidence and exactly what is asked of which material.

Step 8 of the data flow. Spec: docs/spec/release.md. Vectors: tests/vectors/release/.

Invariants:
    * The request is the same bytes when it is sent again; its digest names it.
    * Position 0 (type and version) goes with every showing and is never asked for.
Not here: whether it is allowed (grant.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
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
    read_name,
    read_version,
    refuse_shape,
)
from ledger_node.core.statement import MAX_DOCUMENTS
from ledger_node.core.terms import Terms
from ledger_node.core.terms_format import (
    MAX_MATERIALS,
    compute_grant_id,
    encode_terms_object,
    read_bundle,
    read_terms,
)
from ledger_node.core.types import Commitment, GrantId, PublicKey, Salt

RELEASE_REQUEST_VERSION = "tongban/release-request/v1"
MAX_REQUEST_BYTES = 1024 * 1024
MAX_POSITION = 2**16 - 2
_WHAT = "release request"
_MEMBERS = (
    "v",
    "terms",
    "bundle",
    "evidence",
    "evidence_salt",
    "generation",
    "sealed",
    "materials",
    "encryption_key",
    "officer",
    "requested_at",
)


@dataclass(frozen=True, slots=True)
class RequestedMaterial:
    """What is asked of one material.

    Attributes:
        commitment: Which.
        positions: Fields by position in the statement, rising, from 1.
        documents: Documents by index, rising; the disclosure of each is asked with it.
    """

    commitment: Commitment
    positions: tuple[int, ...]
    documents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A release request.

    Attributes:
        terms: Of the grant, with `bundle` (the other grant ids, rising) and `evidence`.
        evidence_salt: Opens the evidence commitment on chain.
        generation: Of the recording city's log, under whose origin the commitments were made.
        sealed: HPKE of the openings of subject, item and case, to the releasing city.
        materials: One or more, distinct.
        encryption_key: X25519 key of the receiving city the answer is sealed to.
        officer: Pseudonymous id of who asks.
        requested_at_s: Unix time.
    """

    terms: Terms
    bundle: tuple[GrantId, ...]
    evidence: Evidence
    evidence_salt: Salt
    generation: int
    sealed: bytes
    materials: tuple[RequestedMaterial, ...]
    encryption_key: PublicKey
    officer: str
    requested_at_s: int

    def find_material(self, commitment: Commitment) -> RequestedMaterial | None:
        """What is asked of a material, or None."""
        return next((each for each in self.materials if each.commitment == commitment), None)


def encode_release_request(request: ReleaseRequest) -> bytes:
    """Write a release request as RFC 8785 bytes."""
    return encode_canonical(
        {
            "v": RELEASE_REQUEST_VERSION,
            "terms": encode_terms_object(request.terms),
            "bundle": [each.hex() for each in request.bundle],
            "evidence": encode_evidence_object(request.evidence),
            "evidence_salt": request.evidence_salt.hex(),
            "generation": request.generation,
            "sealed": encode_base64(request.sealed),
            "materials": [_encode_material(each) for each in request.materials],
            "encryption_key": request.encryption_key.hex(),
            "officer": request.officer,
            "requested_at": request.requested_at_s,
        }
    )


def parse_release_request(data: bytes) -> ReleaseRequest:
    """Read a release request.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: Not
            exactly such a request.
    """
    value = parse_canonical(data, what=_WHAT, max_bytes=MAX_REQUEST_BYTES)
    read_version(value, RELEASE_REQUEST_VERSION, what=_WHAT)
    m = require_members(value, _MEMBERS, what=_WHAT)
    terms = read_terms(m["terms"])
    return ReleaseRequest(
        terms=terms,
        bundle=read_bundle(m["bundle"], compute_grant_id(terms)),
        evidence=read_evidence(m["evidence"]),
        evidence_salt=Salt(read_bytes32(m["evidence_salt"], what=f"{_WHAT} evidence_salt")),
        generation=require_int(m["generation"], what=f"{_WHAT} generation", maximum=MAX_GENERATION),
        sealed=read_sealed(m["sealed"], what=f"{_WHAT} sealed"),
        materials=_read_materials(m["materials"]),
        encryption_key=PublicKey(read_bytes32(m["encryption_key"], what=f"{_WHAT} encryption_key")),
        officer=read_name(m["officer"], what=f"{_WHAT} officer"),
        requested_at_s=require_int(
            m["requested_at"], what=f"{_WHAT} requested_at", maximum=MAX_TIME_S
        ),
    )


def _encode_material(material: RequestedMaterial) -> JsonObject:
    return {
        "commitment": material.commitment.hex(),
        "positions": list(material.positions),
        "documents": list(material.documents),
    }


def _read_materials(value: JsonValue) -> tuple[RequestedMaterial, ...]:
    what = f"{_WHAT} materials"
    items = require_list(value, what=what)
    if len(items) > MAX_MATERIALS:
        raise refuse_shape(what, f"最多 {MAX_MATERIALS} 份", f"at most {MAX_MATERIALS} materials")
    materials = tuple(_read_material(item) for item in items)
    demand_not_empty(materials, what=what)
    demand_distinct([each.commitment for each in materials], what=what)
    return materials


def _read_material(value: JsonValue) -> RequestedMaterial:
    what = f"{_WHAT} material"
    m = require_members(value, ("commitment", "positions", "documents"), what=what)
    positions = _read_rising(m["positions"], f"{what} positions", 1, MAX_POSITION)
    documents = _read_rising(m["documents"], f"{what} documents", 0, MAX_DOCUMENTS - 1)
    demand_not_empty([*positions, *documents], what=what)
    commitment = Commitment(read_bytes32(m["commitment"], what=f"{what} commitment"))
    return RequestedMaterial(commitment, positions, documents)


def _read_rising(value: JsonValue, what: str, minimum: int, maximum: int) -> tuple[int, ...]:
    items = require_list(value, what=what)
    numbers = [require_int(item, what=what, minimum=minimum, maximum=maximum) for item in items]
    if numbers != sorted(set(numbers)):
        raise refuse_shape(what, "须递增", "must rise")
    return tuple(numbers)
