"""Release answer: what is handed over, in clear what anybody may check, sealed what only one may.

Step 8 of the data flow. Spec: docs/spec/release.md. Vectors: tests/vectors/release/.

Invariants:
    * In clear: commitments, proofs, disclosure digests, addresses of sealed documents. Sealed to
      the receiving city: the release salt, the disclosures and the documents' age secrets.
    * Each asked material is either answered or refused with a public code, never both.
Not here: checks on the receiving side (release_check.py).
"""

from __future__ import annotations

import re
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
    require_text,
)
from ledger_node.core.digest import encode_digest, parse_digest
from ledger_node.core.placement import (
    PLACEMENT_MEMBERS,
    Placement,
    encode_placement,
    read_placement,
)
from ledger_node.core.sealed import read_sealed
from ledger_node.core.shapes import (
    MAX_TIME_S,
    demand_distinct,
    read_bytes32,
    read_choice,
    read_hashes,
    read_version,
    refuse_shape,
)
from ledger_node.core.statement import MAX_DOCUMENTS
from ledger_node.core.status import Standing
from ledger_node.core.terms_format import MAX_MATERIALS
from ledger_node.core.types import Commitment, Digest

RELEASE_ANSWER_VERSION = "tongban/release-answer/v1"
MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_DIGESTS = 2**16 - 1
_WHAT = "release answer"
_MEMBERS = ("v", "request", "materials", "refused", "sealed", "answered_at")
_CODE = re.compile(r"[a-z][a-z_]{0,63}")


@dataclass(frozen=True, slots=True)
class ReleasedDocument:
    """A sealed document to be fetched.

    Attributes:
        index: Among the material's documents.
        address: SHA-256 of the sealed bytes.
        sealed_bytes: Their number.
    """

    index: int
    address: Digest
    sealed_bytes: int


@dataclass(frozen=True, slots=True)
class ReleasedMaterial:
    """A material handed over.

    Attributes:
        commitment: As asked.
        placement: Inclusion in an anchored head of the releasing city.
        standing: State on chain when it was answered.
        digests: Disclosure digests d_0 …, 32 bytes each.
        documents: Sealed documents, as asked.
    """

    commitment: Commitment
    placement: Placement
    standing: Standing
    digests: tuple[bytes, ...]
    documents: tuple[ReleasedDocument, ...]


@dataclass(frozen=True, slots=True)
class RefusedMaterial:
    """A material not handed over, with a public code (refusal.get_public_code)."""

    commitment: Commitment
    code: str


@dataclass(frozen=True, slots=True)
class ReleaseAnswer:
    """A release answer.

    Attributes:
        request: Digest of the request, 32 bytes.
        materials: Handed over, at least one.
        refused: The others that were asked for.
        sealed: HPKE of the answer's private part (`ReleaseSecrets`), to the receiving city.
        answered_at_s: Unix time.
    """

    request: bytes
    materials: tuple[ReleasedMaterial, ...]
    refused: tuple[RefusedMaterial, ...]
    sealed: bytes
    answered_at_s: int


def encode_release_answer(answer: ReleaseAnswer) -> bytes:
    """Write a release answer as RFC 8785 bytes."""
    return encode_canonical(
        {
            "v": RELEASE_ANSWER_VERSION,
            "request": answer.request.hex(),
            "materials": [_encode_material(each) for each in answer.materials],
            "refused": [
                {"commitment": each.commitment.hex(), "code": each.code} for each in answer.refused
            ],
            "sealed": encode_base64(answer.sealed),
            "answered_at": answer.answered_at_s,
        }
    )


def parse_release_answer(data: bytes) -> ReleaseAnswer:
    """Read a release answer.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError,
        MalformedTreeHeadError: Not exactly such an answer.
    """
    value = parse_canonical(data, what=_WHAT, max_bytes=MAX_ANSWER_BYTES)
    read_version(value, RELEASE_ANSWER_VERSION, what=_WHAT)
    m = require_members(value, _MEMBERS, what=_WHAT)
    materials = tuple(_read_material(item) for item in _read_items(m["materials"], "materials"))
    refused = tuple(_read_refused(item) for item in _read_items(m["refused"], "refused"))
    if not materials:
        raise refuse_shape(f"{_WHAT} materials", "不能为空", "must not be empty")
    named = [each.commitment for each in materials] + [each.commitment for each in refused]
    demand_distinct(named, what=f"{_WHAT} materials")
    return ReleaseAnswer(
        read_bytes32(m["request"], what=f"{_WHAT} request"),
        materials,
        refused,
        read_sealed(m["sealed"], what=f"{_WHAT} sealed"),
        require_int(m["answered_at"], what=f"{_WHAT} answered_at", maximum=MAX_TIME_S),
    )


def _read_items(value: JsonValue, name: str) -> list[JsonValue]:
    what = f"{_WHAT} {name}"
    items = require_list(value, what=what)
    if len(items) > MAX_MATERIALS:
        raise refuse_shape(what, f"最多 {MAX_MATERIALS} 份", f"at most {MAX_MATERIALS}")
    return items


def _encode_material(material: ReleasedMaterial) -> JsonObject:
    return {
        "commitment": material.commitment.hex(),
        **encode_placement(material.placement),
        "standing": material.standing.value,
        "digests": [each.hex() for each in material.digests],
        "documents": [
            {
                "index": each.index,
                "address": encode_digest(each.address),
                "sealed_bytes": each.sealed_bytes,
            }
            for each in material.documents
        ],
    }


def _read_material(value: JsonValue) -> ReleasedMaterial:
    what = f"{_WHAT} material"
    names = ("commitment", *PLACEMENT_MEMBERS, "standing", "digests", "documents")
    m = require_members(value, names, what=what)
    items = require_list(m["documents"], what=f"{what} documents")
    documents = tuple(_read_document(item) for item in items)
    indexes = [each.index for each in documents]
    if indexes != sorted(set(indexes)):
        raise refuse_shape(f"{what} documents", "须递增", "must rise")
    return ReleasedMaterial(
        Commitment(read_bytes32(m["commitment"], what=f"{what} commitment")),
        read_placement(m, what=what),
        read_choice(m["standing"], Standing, what=f"{what} standing"),
        read_hashes(m["digests"], what=f"{what} digests", maximum=MAX_DIGESTS),
        documents,
    )


def _read_document(value: JsonValue) -> ReleasedDocument:
    what = f"{_WHAT} document"
    m = require_members(value, ("index", "address", "sealed_bytes"), what=what)
    return ReleasedDocument(
        require_int(m["index"], what=what, maximum=MAX_DOCUMENTS - 1),
        parse_digest(require_text(m["address"], what=what)),
        require_int(m["sealed_bytes"], what=what, minimum=1),
    )


def _read_refused(value: JsonValue) -> RefusedMaterial:
    what = f"{_WHAT} refused"
    m = require_members(value, ("commitment", "code"), what=what)
    code = require_text(m["code"], what=what)
    if _CODE.fullmatch(code) is None:
        raise refuse_shape(what, "原因代码不合格", "not a reason code")
    return RefusedMaterial(Commitment(read_bytes32(m["commitment"], what=what)), code)
