"""What is sealed to a city with its messages: the openings of the commitments in the terms.

Steps 6 to 8 of the data flow. Sealing is HPKE (RFC 9180, base mode, X25519, HKDF-SHA256,
AES-256-GCM) under the city's encryption key; the info binds it to one message and one digest.
Spec: docs/spec/release.md, section "Sealed parts".

Invariants:
    * An opening counts only if it opens the commitment in the terms, under the origin of the
      recording city.
Not here: sealing (edges/keys), the answer's sealed part (release_answer.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_base64,
    parse_canonical,
    require_members,
    require_text,
)
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.commitment import CommitmentKind
from ledger_node.core.shapes import (
    Opening,
    encode_opening,
    read_name,
    read_opening,
    read_short_text,
    refuse_shape,
    verify_opening,
)
from ledger_node.core.terms import Terms

HPKE_OVERHEAD_BYTES = 32 + 16  # encapsulated key and tag
MAX_SEALED_BYTES = 3 * 1024 * 1024
MAX_OPENINGS_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom terms are about: body of the subject commitment.

    Attributes:
        scheme: Kind of number, for example `cn-resident-id`.
        number: Normalised.
        name: As printed; never matched alone.
    """

    scheme: str
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Openings:
    """Openings sent with a find (subject only) or a release request (all three)."""

    subject: Opening
    item: Opening | None = None
    case: Opening | None = None


def compute_seal_info(version: str, digest: bytes) -> bytes:
    """HPKE info of a sealed part: `<message version>\\n || digest`.

    The digest is the grant id for requests (find and release) and the request digest for answers.
    """
    return f"{version}\n".encode("ascii") + digest


def read_sealed(value: JsonValue, *, what: str) -> bytes:
    """Read a sealed part: base64 of encapsulated key and ciphertext."""
    data = parse_base64(require_text(value, what=what), what=what)
    if not HPKE_OVERHEAD_BYTES < len(data) <= MAX_SEALED_BYTES:
        raise refuse_shape(what, "密封内容长度不对", "a sealed part of another length")
    return data


def encode_subject(subject: Subject) -> JsonObject:
    """Body of a subject commitment."""
    return {"scheme": subject.scheme, "number": subject.number, "name": subject.name}


def read_subject(value: JsonValue) -> Subject:
    """Read the body of a subject commitment.

    Raises:
        UnexpectedShapeError: Not such a body; the values are not repeated.
    """
    what = "subject"
    m = require_members(value, ("scheme", "number", "name"), what=what)
    return Subject(
        read_name(m["scheme"], what=what),
        read_short_text(m["number"], what=what),
        read_short_text(m["name"], what=what),
    )


def encode_openings(openings: Openings) -> bytes:
    """Bytes to be sealed: the openings that are there, as one object."""
    members = {"subject": openings.subject, "item": openings.item, "case": openings.case}
    return encode_canonical(
        {name: encode_opening(each) for name, each in members.items() if each is not None}
    )


def parse_find_openings(data: bytes) -> Openings:
    """Read the opened part of a find request: the subject and nothing else.

    Raises:
        NotCanonicalError, UnexpectedShapeError, MalformedEncodingError: Anything else.
    """
    m = require_members(_parse(data), ("subject",), what="openings")
    return Openings(read_opening(m["subject"], what="subject"))


def parse_release_openings(data: bytes) -> Openings:
    """Read the opened part of a release request: subject, item and case.

    Raises:
        NotCanonicalError, UnexpectedShapeError, MalformedEncodingError: Anything else.
    """
    m = require_members(_parse(data), ("subject", "item", "case"), what="openings")
    return Openings(*(read_opening(m[name], what=name) for name in ("subject", "item", "case")))


def verify_subject(terms: Terms, openings: Openings, domain: str, generation: int) -> Subject:
    """Check that the subject opened is the one of the terms, and read it.

    Args:
        terms: Names the commitment and the recording city.
        openings: As opened.
        domain, generation: With the recording city they are the origin.

    Raises:
        CommitmentMismatchError: Another person was opened.
        UnexpectedShapeError: The body is no subject.
    """
    origin = build_origin(domain, terms.recording, generation)
    verify_opening(CommitmentKind.SUBJECT, origin, openings.subject, terms.subject)
    return read_subject(openings.subject.body)


def verify_purpose(terms: Terms, openings: Openings, domain: str, generation: int) -> None:
    """Check that item and case opened are those of the terms.

    Raises:
        CommitmentMismatchError: Another purpose was opened.
        UnexpectedShapeError: Item or case was not opened.
    """
    origin = build_origin(domain, terms.recording, generation)
    for kind, opening, expected in (
        (CommitmentKind.ITEM, openings.item, terms.item),
        (CommitmentKind.CASE, openings.case, terms.case),
    ):
        if opening is None:
            raise refuse_shape(kind.value, "未打开", "was not opened")
        verify_opening(kind, origin, opening, expected)


def _parse(data: bytes) -> JsonValue:
    return parse_canonical(data, what="openings", max_bytes=MAX_OPENINGS_BYTES)
