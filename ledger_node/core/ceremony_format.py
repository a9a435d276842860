"""The private body of a ceremony as canonical bytes: what is asked, ticked and drawn up.

Sealed under the record key `ceremony/<id>`; it never leaves the city. Spec: docs/spec/ceremony.md.

Invariants:
    * What `encode_ceremony_body` wrote, `parse_ceremony_body` reads back equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.ceremony import ConsentOption
from ledger_node.core.sealed import Openings, Subject, encode_subject, read_subject
from ledger_node.core.shapes import (
    Opening,
    encode_opening,
    read_bytes32,
    read_choice,
    read_city,
    read_flag,
    read_name,
    read_opening,
    read_short_text,
    read_version,
)
from ledger_node.core.terms import Grantor, GrantorKind, Terms, TypeGrant
from ledger_node.core.terms_format import MAX_USES, MAX_WINDOW_S, encode_terms_object, read_terms
from ledger_node.core.types import CityId, Commitment

CEREMONY_VERSION: Final = "tongban/ceremony/v1"
MAX_CEREMONY_BYTES: Final = 1024 * 1024
_MEMBERS = (
    "v",
    "releasing",
    "receiving",
    "subject",
    "grantor",
    "options",
    "item",
    "case",
    "window_s",
    "uses",
    "text",
    "document",
    "place",
    "opening",
    "ticked",
    "drafts",
)
_WHAT = "ceremony"


@dataclass(frozen=True, slots=True)
class DraftedTerms:
    """Terms nobody confirmed yet, with what opens their commitments."""

    terms: Terms
    openings: Openings


@dataclass(frozen=True, slots=True)
class CeremonyBody:
    """What a ceremony is about.

    Attributes:
        releasing, receiving, subject, grantor, item, case, window_s, uses, text: As in a
            `ConsentRequest`; `text` is the version of the consent text shown.
        options: Boxes the person may tick.
        document_scheme: Kind of identity document.
        read_by_device: Whether a reader read it.
        outlet, window: Where, as the city names it; empty at home.
        opening: What opens one subject commitment for all drafts (passkey, provider); None for
            one salt per city.
        ticked: Keys ticked, in order of the options.
        drafts: Terms for exactly what is ticked.
    """

    releasing: tuple[CityId, ...]
    receiving: CityId
    subject: Subject
    grantor: Grantor
    options: tuple[ConsentOption, ...]
    item: str
    case: str
    window_s: int
    uses: int
    text: str
    document_scheme: str
    read_by_device: bool
    outlet: str
    window: str
    opening: Opening | None = None
    ticked: tuple[str, ...] = ()
    drafts: tuple[DraftedTerms, ...] = ()


def encode_ceremony_body(body: CeremonyBody) -> bytes:
    """Bytes to be sealed."""
    mandate = body.grantor.mandate
    return encode_canonical(
        {
            "v": CEREMONY_VERSION,
            "releasing": list(body.releasing),
            "receiving": body.receiving,
            "subject": encode_subject(body.subject),
            "grantor": {
                "kind": body.grantor.kind.value,
                "mandate": None if mandate is None else mandate.hex(),
            },
            "options": [_encode_option(each) for each in body.options],
            "item": body.item,
            "case": body.case,
            "window_s": body.window_s,
            "uses": body.uses,
            "text": body.text,
            "document": {"scheme": body.document_scheme, "read_by_device": body.read_by_device},
            "place": {"outlet": body.outlet, "window": body.window},
            "opening": None if body.opening is None else encode_opening(body.opening),
            "ticked": list(body.ticked),
            "drafts": [_encode_draft(each) for each in body.drafts],
        }
    )


def parse_ceremony_body(data: bytes) -> CeremonyBody:
    """Read what `encode_ceremony_body` wrote.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError.
    """
    value = parse_canonical(data, what=_WHAT, max_bytes=MAX_CEREMONY_BYTES)
    read_version(value, CEREMONY_VERSION, what=_WHAT)
    m = require_members(value, _MEMBERS, what=_WHAT)
    document = require_members(m["document"], ("scheme", "read_by_device"), what=_WHAT)
    place = require_members(m["place"], ("outlet", "window"), what=_WHAT)
    return CeremonyBody(
        releasing=tuple(
            read_city(each, what=_WHAT) for each in require_list(m["releasing"], what=_WHAT)
        ),
        receiving=read_city(m["receiving"], what=_WHAT),
        subject=read_subject(m["subject"]),
        grantor=_read_grantor(m["grantor"]),
        options=tuple(_read_option(each) for each in require_list(m["options"], what=_WHAT)),
        item=read_name(m["item"], what=_WHAT),
        case=read_short_text(m["case"], what=_WHAT),
        window_s=require_int(m["window_s"], what=_WHAT, minimum=1, maximum=MAX_WINDOW_S),
        uses=require_int(m["uses"], what=_WHAT, minimum=1, maximum=MAX_USES),
        text=read_name(m["text"], what=_WHAT),
        document_scheme=read_name(document["scheme"], what=_WHAT),
        read_by_device=read_flag(document["read_by_device"], what=_WHAT),
        outlet=require_text(place["outlet"], what=_WHAT),
        window=require_text(place["window"], what=_WHAT),
        opening=None if m["opening"] is None else read_opening(m["opening"], what=_WHAT),
        ticked=_read_texts(m["ticked"]),
        drafts=tuple(_read_draft(each) for each in require_list(m["drafts"], what=_WHAT)),
    )


def _encode_option(option: ConsentOption) -> JsonObject:
    return {
        "key": option.key,
        "code": option.grant.code,
        "fields": list(option.grant.fields),
        "documents": option.grant.documents,
        "city": option.city,
        "material": None if option.material is None else option.material.hex(),
    }


def _read_option(value: JsonValue) -> ConsentOption:
    what = "ceremony option"
    names = ("key", "code", "fields", "documents", "city", "material")
    m = require_members(value, names, what=what)
    return ConsentOption(
        require_text(m["key"], what=what),
        TypeGrant(
            read_name(m["code"], what=what),
            _read_texts(m["fields"]),
            read_flag(m["documents"], what=what),
        ),
        None if m["city"] is None else read_city(m["city"], what=what),
        None if m["material"] is None else Commitment(read_bytes32(m["material"], what=what)),
    )


def _read_grantor(value: JsonValue) -> Grantor:
    what = "ceremony grantor"
    m = require_members(value, ("kind", "mandate"), what=what)
    mandate = m["mandate"]
    return Grantor(
        read_choice(m["kind"], GrantorKind, what=what),
        None if mandate is None else Commitment(read_bytes32(mandate, what=what)),
    )


def _encode_draft(draft: DraftedTerms) -> JsonObject:
    openings = draft.openings
    members = {"subject": openings.subject, "item": openings.item, "case": openings.case}
    return {
        "terms": encode_terms_object(draft.terms),
        "openings": {
            name: encode_opening(each) for name, each in members.items() if each is not None
        },
    }


def _read_draft(value: JsonValue) -> DraftedTerms:
    what = "ceremony draft"
    m = require_members(value, ("terms", "openings"), what=what)
    names = ("subject", "item", "case")
    parts = require_members(m["openings"], names, what=what)
    return DraftedTerms(
        read_terms(m["terms"]), Openings(*(read_opening(parts[each], what=what) for each in names))
    )


def _read_texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(require_text(each, what=_WHAT) for each in require_list(value, what=_WHAT))
