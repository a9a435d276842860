"""Terms as canonical bytes, and the two digests made of them: grant id and bundle challenge.

Step 7 of the data flow. Spec: docs/spec/terms.md. Vectors: tests/vectors/terms/.

Invariants:
    * One byte string for one value of `Terms`; what is read back equals what was written.
    * Nothing that `read_terms` would refuse is ever written or hashed.
Not here: what the members mean (terms.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
)
from ledger_node.core.shapes import (
    MAX_TIME_S,
    demand_distinct,
    demand_not_empty,
    encode_address,
    read_address,
    read_bytes32,
    read_choice,
    read_city,
    read_flag,
    read_hashes,
    read_name,
    read_version,
    refuse_shape,
)
from ledger_node.core.terms import GrantBasis, Grantor, GrantorKind, Terms, TypeGrant
from ledger_node.core.types import Commitment, GrantId, Salt

TERMS_VERSION = "tongban/terms/v1"
MAX_TERMS_BYTES = 64 * 1024
MAX_MATERIALS = 64
MAX_TYPES = 64
MAX_FIELDS = 64
MAX_BUNDLE = 64
MAX_USES = 1000
MAX_WINDOW_S = 366 * 24 * 3600

_MEMBERS = (
    "v",
    "salt",
    "chain_id",
    "grants",
    "recording",
    "releasing",
    "receiving",
    "subject",
    "grantor",
    "materials",
    "types",
    "item",
    "case",
    "not_before",
    "not_after",
    "uses",
    "basis",
    "text",
)


def encode_terms_object(terms: Terms) -> JsonObject:
    """Write terms as the JSON object that messages carry."""
    grantor = terms.grantor
    return {
        "v": TERMS_VERSION,
        "salt": terms.salt.hex(),
        "chain_id": terms.chain_id,
        "grants": encode_address(terms.grants),
        "recording": terms.recording,
        "releasing": terms.releasing,
        "receiving": terms.receiving,
        "subject": terms.subject.hex(),
        "grantor": None
        if grantor is None
        else {
            "kind": grantor.kind.value,
            "mandate": None if grantor.mandate is None else grantor.mandate.hex(),
        },
        "materials": None
        if terms.materials is None
        else [material.hex() for material in terms.materials],
        "types": [
            {"code": granted.code, "fields": list(granted.fields), "documents": granted.documents}
            for granted in terms.types
        ],
        "item": terms.item.hex(),
        "case": terms.case.hex(),
        "not_before": terms.not_before_s,
        "not_after": terms.not_after_s,
        "uses": terms.uses,
        "basis": terms.basis.value,
        "text": terms.text,
    }


def encode_terms(terms: Terms) -> bytes:
    """Write terms as RFC 8785 bytes.

    Raises:
        UnexpectedShapeError: The values break a rule of the format; nothing that cannot be read
            back is ever written.
    """
    written = encode_terms_object(terms)
    read_terms(written)
    return encode_canonical(written)


def parse_terms(data: bytes) -> Terms:
    """Read terms from their RFC 8785 bytes.

    Raises:
        NotCanonicalError: The bytes are not canonical JSON.
        UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: As `read_terms`.
    """
    return read_terms(parse_canonical(data, what="terms", max_bytes=MAX_TERMS_BYTES))


def read_terms(value: JsonValue) -> Terms:
    """Read terms from an object that came in canonical bytes.

    Raises:
        UnknownVersionError: Another `v`.
        UnexpectedShapeError: A member is missing, unknown, of another type, empty, or twice; the
            window is empty or longer than a year; both cities are the same.
        MalformedEncodingError: Hex is not the canonical spelling of the right number of bytes.
    """
    read_version(value, TERMS_VERSION, what="terms")
    m = require_members(value, _MEMBERS, what="terms")
    basis = read_choice(m["basis"], GrantBasis, what="terms basis")
    terms = Terms(
        salt=Salt(read_bytes32(m["salt"], what="terms salt")),
        chain_id=require_int(m["chain_id"], what="terms chain_id", minimum=1),
        grants=read_address(m["grants"], what="terms grants"),
        recording=read_city(m["recording"], what="terms recording"),
        releasing=read_city(m["releasing"], what="terms releasing"),
        receiving=read_city(m["receiving"], what="terms receiving"),
        subject=Commitment(read_bytes32(m["subject"], what="terms subject")),
        grantor=_read_grantor(m["grantor"], basis),
        materials=_read_materials(m["materials"]),
        types=_read_types(m["types"]),
        item=Commitment(read_bytes32(m["item"], what="terms item")),
        case=Commitment(read_bytes32(m["case"], what="terms case")),
        not_before_s=require_int(m["not_before"], what="terms not_before", maximum=MAX_TIME_S),
        not_after_s=require_int(m["not_after"], what="terms not_after", maximum=MAX_TIME_S),
        uses=require_int(m["uses"], what="terms uses", minimum=1, maximum=MAX_USES),
        basis=basis,
        text=read_name(m["text"], what="terms text"),
    )
    _demand_sane(terms)
    return terms


def compute_grant_id(terms: Terms) -> GrantId:
    """Terms commitment: `SHA-256("tongban/terms/v1\\n" || RFC 8785 of terms)`, the grant's id."""
    head = f"{TERMS_VERSION}\n".encode("ascii")
    return GrantId(hashlib.sha256(head + encode_terms(terms)).digest())


def compute_bundle_challenge(grant_ids: Iterable[GrantId]) -> bytes:
    """What is signed in one ceremony: `SHA-256("tongban/bundle/v1\\n" || sorted grant ids)`.

    Raises:
        UnexpectedShapeError: None, more than 64, or one of them twice.
    """
    ordered = sorted(grant_ids)
    demand_not_empty(ordered, what="bundle")
    demand_distinct(ordered, what="bundle")
    if len(ordered) > MAX_BUNDLE:
        raise refuse_shape("bundle", f"最多 {MAX_BUNDLE} 项", f"at most {MAX_BUNDLE} grants")
    return hashlib.sha256(b"tongban/bundle/v1\n" + b"".join(ordered)).digest()


def read_bundle(value: JsonValue, own: GrantId) -> tuple[GrantId, ...]:
    """Read the other grant ids of a ceremony, rising; a grant never stands among the others.

    Raises:
        UnexpectedShapeError: Not rising, more than 63, or with the own id.
    """
    others = read_hashes(value, what="bundle", maximum=MAX_BUNDLE - 1)
    if list(others) != sorted(set(others)) or own in others:
        raise refuse_shape("bundle", "须递增且不含本授权", "rising, without this grant")
    return tuple(map(GrantId, others))


def _read_grantor(value: JsonValue, basis: GrantBasis) -> Grantor | None:
    what = "terms grantor"
    if (value is None) != (basis is GrantBasis.STATUTORY):
        raise refuse_shape(what, "法定依据无授权人，其余须有", "null exactly for a statutory basis")
    if value is None:
        return None
    members = require_members(value, ("kind", "mandate"), what=what)
    kind = read_choice(members["kind"], GrantorKind, what=what)
    mandate = None
    if members["mandate"] is not None:
        mandate = Commitment(read_bytes32(members["mandate"], what=f"{what} mandate"))
    if (kind is GrantorKind.SELF and mandate is not None) or (
        kind is GrantorKind.AGENT and mandate is None
    ):
        raise refuse_shape(
            f"{what} mandate",
            "代办须有委托书，本人不得有",
            "an agent needs one, the person itself has none",
        )
    return Grantor(kind, mandate)


def _read_materials(value: JsonValue) -> tuple[Commitment, ...] | None:
    what = "terms materials"
    if value is None:
        return None
    materials = tuple(map(Commitment, read_hashes(value, what=what, maximum=MAX_MATERIALS)))
    demand_not_empty(materials, what=what)
    demand_distinct(materials, what=what)
    return materials


def _read_types(value: JsonValue) -> tuple[TypeGrant, ...]:
    what = "terms types"
    items = require_list(value, what=what)
    if len(items) > MAX_TYPES:
        raise refuse_shape(what, f"最多 {MAX_TYPES} 项", f"at most {MAX_TYPES} types")
    types = tuple(_read_type(item) for item in items)
    demand_not_empty(types, what=what)
    demand_distinct([granted.code for granted in types], what=what)
    return types


def _read_type(value: JsonValue) -> TypeGrant:
    members = require_members(value, ("code", "fields", "documents"), what="terms type")
    names = require_list(members["fields"], what="terms fields")
    if len(names) > MAX_FIELDS:
        raise refuse_shape("terms fields", f"最多 {MAX_FIELDS} 项", f"at most {MAX_FIELDS} fields")
    fields = tuple(read_name(name, what="terms fields") for name in names)
    demand_distinct(fields, what="terms fields")
    documents = read_flag(members["documents"], what="terms documents")
    if not documents:
        demand_not_empty(fields, what="terms fields")
    return TypeGrant(read_name(members["code"], what="terms type code"), fields, documents)


def _demand_sane(terms: Terms) -> None:
    if not 0 < terms.not_after_s - terms.not_before_s <= MAX_WINDOW_S:
        raise refuse_shape(
            "terms window",
            "有效期须为正且不超过一年",
            "the end must follow the beginning within a year",
        )
    if terms.releasing == terms.receiving:
        raise refuse_shape(
            "terms receiving", "提供方与接收方不能相同", "a city does not release to itself"
        )
