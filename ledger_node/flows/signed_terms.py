"""Steps 6 and 7: signed terms as a file, so that they can be carried from window to window.

One file holds the grants of one ceremony, each with its evidence and openings; whoever has it
knows whom they are about, so it is kept like the case file. Spec: docs/spec/terms.md, section
"Signed terms file".

Crash order of adopting: record keys durable -> all grant rows in one commit.

Invariants:
    * A file is adopted whole or not at all, and only if its evidence and openings hold here.
    * A city adopts terms only if they name it as recording or receiving city.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_list,
    require_members,
)
from ledger_node.core.errors import MalformedInputError, NotFoundError
from ledger_node.core.evidence_format import encode_evidence, encode_evidence_object, read_evidence
from ledger_node.core.evidence_parts import Evidence
from ledger_node.core.sealed import (
    Openings,
    encode_openings,
    read_subject,
    verify_purpose,
    verify_subject,
)
from ledger_node.core.shapes import (
    demand_distinct,
    demand_not_empty,
    encode_opening,
    read_bytes32,
    read_opening,
    read_version,
    refuse_shape,
)
from ledger_node.core.terms import Terms
from ledger_node.core.terms_format import (
    MAX_BUNDLE,
    compute_grant_id,
    encode_terms,
    encode_terms_object,
    read_bundle,
    read_terms,
)
from ledger_node.core.types import GrantId, Salt
from ledger_node.flows.granting import link_subject, load_grant, verify_held_evidence
from ledger_node.flows.node import Node
from ledger_node.flows.records import seal_record
from ledger_node.ports.database_exchange import GrantRow

SIGNED_TERMS_VERSION = "tongban/signed-terms/v1"
MAX_SIGNED_TERMS_BYTES = 4 * 1024 * 1024
_WHAT = "signed terms"
_GRANT = ("terms", "evidence", "bundle", "evidence_salt", "openings")
_OPENINGS = ("subject", "item", "case")


class ForeignTermsError(MalformedInputError):
    """The terms name this city neither as recording nor as receiving city."""

    code = "foreign_terms"


@dataclass(frozen=True, slots=True)
class SignedGrant:
    """One grant of a file.

    Attributes:
        terms, evidence: As signed.
        bundle: The other grant ids of the ceremony, rising.
        evidence_salt: Of the evidence commitment that is recorded on chain.
        openings: Of subject, item and case.
    """

    terms: Terms
    evidence: Evidence
    bundle: tuple[GrantId, ...]
    evidence_salt: Salt
    openings: Openings

    @property
    def grant_id(self) -> GrantId:
        """Terms commitment."""
        return compute_grant_id(self.terms)


def encode_signed_terms(grants: Sequence[SignedGrant]) -> bytes:
    """Write a file as RFC 8785 bytes."""
    written: list[JsonValue] = [
        {
            "terms": encode_terms_object(grant.terms),
            "evidence": encode_evidence_object(grant.evidence),
            "bundle": [other.hex() for other in grant.bundle],
            "evidence_salt": grant.evidence_salt.hex(),
            "openings": _encode_openings(grant.openings),
        }
        for grant in grants
    ]
    return encode_canonical({"v": SIGNED_TERMS_VERSION, "grants": written})


def parse_signed_terms(data: bytes) -> tuple[SignedGrant, ...]:
    """Read a file; whether it holds is for `adopt_signed_terms`.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError:
            Anything but exactly such a file of 1 to 64 different grants.
    """
    value = parse_canonical(data, what=_WHAT, max_bytes=MAX_SIGNED_TERMS_BYTES)
    read_version(value, SIGNED_TERMS_VERSION, what=_WHAT)
    items = require_list(require_members(value, ("v", "grants"), what=_WHAT)["grants"], what=_WHAT)
    demand_not_empty(items, what=_WHAT)
    if len(items) > MAX_BUNDLE:
        raise refuse_shape(_WHAT, f"最多 {MAX_BUNDLE} 份", f"at most {MAX_BUNDLE} grants")
    grants = tuple(_read_grant(item) for item in items)
    demand_distinct([grant.grant_id for grant in grants], what=_WHAT)
    return grants


def export_signed_terms(node: Node, grant_ids: Sequence[GrantId]) -> bytes:
    """File of grants this city holds.

    Raises:
        GrantNotFoundError: Not here.
        KeyMissingError, SealedValueDamagedError: A private part does not open.
    """
    held = [load_grant(node, grant_id) for grant_id in grant_ids]
    return encode_signed_terms(
        [
            SignedGrant(each.terms, each.evidence, each.bundle, each.evidence_salt, each.openings)
            for each in held
        ]
    )


def adopt_signed_terms(node: Node, data: bytes) -> tuple[GrantId, ...]:
    """Take the grants of a file into this city; returns their ids in the file's order.

    Idempotent: what is held already is left as it is.

    Raises:
        MalformedInputError: Not such a file, or of other cities (`ForeignTermsError`).
        VerificationError: Evidence or openings of a grant do not hold; nothing is stored.
        NotFollowedError: The chain is not known yet.
    """
    grants = parse_signed_terms(data)
    for grant in grants:
        _demand_holds(node, grant)
    new = [grant for grant in grants if not _is_held(node, grant.grant_id)]
    rows = [_build_row(node, grant) for grant in new]
    with node.database.transaction() as tx:
        for row in rows:
            tx.grants.save_grant(row)
        for grant in grants:
            subject = read_subject(grant.openings.subject.body)
            link_subject(node, tx, grant.grant_id, subject)
    return tuple(grant.grant_id for grant in grants)


def _demand_holds(node: Node, grant: SignedGrant) -> None:
    terms = grant.terms
    if node.city not in (terms.recording, terms.receiving):
        raise ForeignTermsError(
            "这份授权书由其他城市登记、供其他城市使用，不能在本市采用。",
            "These terms are recorded by and for other cities; they are not for this one.",
        )
    subject = verify_subject(terms, grant.openings, node.domain, node.generation)
    verify_purpose(terms, grant.openings, node.domain, node.generation)
    verify_held_evidence(node, terms, grant.bundle, grant.evidence, subject)


def _is_held(node: Node, grant_id: GrantId) -> bool:
    with node.database.read() as tx:
        try:
            tx.grants.load_grant(grant_id)
        except NotFoundError:
            return False
    return True


def _build_row(node: Node, grant: SignedGrant) -> GrantRow:
    grant_id = grant.grant_id
    name = f"grant/{grant_id.hex()}"
    return GrantRow(
        grant_id,
        grant.terms.releasing,
        grant.terms.receiving,
        encode_terms(grant.terms),
        b"".join(grant.bundle),
        seal_record(node, name, "evidence", encode_evidence(grant.evidence)),
        seal_record(node, name, "openings", encode_openings(grant.openings)),
        grant.evidence_salt,
        node.clock.now(),
    )


def _encode_openings(openings: Openings) -> JsonObject:
    written = (openings.subject, openings.item, openings.case)
    return {
        name: encode_opening(each)
        for name, each in zip(_OPENINGS, written, strict=True)
        if each is not None
    }


def _read_grant(value: JsonValue) -> SignedGrant:
    m = require_members(value, _GRANT, what=f"{_WHAT} grant")
    terms = read_terms(m["terms"])
    opened = require_members(m["openings"], _OPENINGS, what=f"{_WHAT} openings")
    return SignedGrant(
        terms=terms,
        evidence=read_evidence(m["evidence"]),
        bundle=read_bundle(m["bundle"], compute_grant_id(terms)),
        evidence_salt=Salt(read_bytes32(m["evidence_salt"], what=f"{_WHAT} evidence_salt")),
        openings=Openings(*(read_opening(opened[name], what=name) for name in _OPENINGS)),
    )
