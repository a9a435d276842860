"""What the receiving city checks before it relies on an answer; numbered in docs/spec/release.md.

Step 8 of the data flow. Spec: design section 8. Vectors: tests/vectors/release/.

Invariants:
    * An answer without a final permit for exactly these bytes is worth nothing.
    * Everything asked was either given or refused; nothing comes that was not asked for.
Not here: fetching documents and checking their digests (digest.verify_digest with the
`DocumentPart` returned here), what the clerk decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger_node.core.checkpoint import build_origin
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import VerificationError
from ledger_node.core.placement import LogFacts, verify_placement
from ledger_node.core.release import compute_release_commitment
from ledger_node.core.release_answer import ReleaseAnswer, ReleasedDocument, ReleasedMaterial
from ledger_node.core.release_request import ReleaseRequest, RequestedMaterial
from ledger_node.core.release_secrets import MaterialSecrets, ReleaseSecrets
from ledger_node.core.statement import Showing, verify_showing
from ledger_node.core.statement_parts import DocumentPart, parse_document_part
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import Commitment, GrantId, ReleaseCommitment


class ReleaseError(VerificationError):
    """An answer does not hold.

    Fields: reason (stable name).
    """

    code = "release_invalid"

    def __init__(self, reason: str, message_zh: str, message_en: str) -> None:
        super().__init__(
            f"收到的材料不成立：{message_zh}。",
            f"the release does not hold: {message_en}.",
            reason=reason,
        )
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Permit:
    """A final `GrantConsumed`: the permit a release stands on."""

    grant_id: GrantId
    release_commitment: ReleaseCommitment


@dataclass(frozen=True, slots=True)
class ReceivedDocument:
    """A document to fetch, open and check.

    Attributes:
        document: Index, address and size of the sealed bytes.
        part: Digest, media type and size of the plain bytes, as registered.
        secret: X25519 secret of its age identity, 32 bytes.
    """

    document: ReleasedDocument
    part: DocumentPart
    secret: bytes


@dataclass(frozen=True, slots=True)
class ReceivedMaterial:
    """A material that holds.

    Attributes:
        material: As answered.
        showing: The values disclosed.
        documents: In order of index.
        anchored_at_s: Block time of the anchored head its proof ends in.
    """

    material: ReleasedMaterial
    showing: Showing
    documents: tuple[ReceivedDocument, ...]
    anchored_at_s: int


def verify_release(
    request: ReleaseRequest,
    request_digest: bytes,
    answer: ReleaseAnswer,
    answer_digest: bytes,
    secrets: ReleaseSecrets,
    permit: Permit,
    facts: LogFacts,
) -> tuple[ReceivedMaterial, ...]:
    """Check an answer, opened, against the request, the chain and the log.

    Args:
        request, answer: As parsed from the canonical bytes the digests are of.
        request_digest, answer_digest: 32 bytes each.
        secrets: The answer's sealed part, opened.
        permit: The consumption found on chain, in a final block.
        facts: Anchored heads of the releasing city.

    Raises:
        ReleaseError: One of the numbered checks; `reason` says which.
        NotAnchoredError, RootMismatchError, MalformedProofError: (5) does not hold.
        StatementMismatchError, DisclosureMismatchError, MalformedInputError: (6) does not hold.
    """
    # (1) It answers this request.
    if answer.request != request_digest:
        raise ReleaseError("request", "回答的不是这份请求", "another request is answered")
    # (2) The chain consumed this grant, and (3) for exactly these bytes.
    if permit.grant_id != compute_grant_id(request.terms):
        raise ReleaseError("grant", "许可属于另一项授权", "the permit is of another grant")
    computed = compute_release_commitment(secrets.salt, request_digest, answer_digest)
    if permit.release_commitment != computed:
        raise ReleaseError("permit", "链上许可的不是这份内容", "the permit is for another answer")
    # (4) All that was asked is given or refused, and nothing else.
    given = [each.commitment for each in answer.materials]
    _demand_equal_sets([*given, *(each.commitment for each in answer.refused)], request)
    if sorted(secrets.materials) != sorted(given):
        raise ReleaseError("secrets", "密封部分与材料不符", "the sealed part is of other materials")
    return tuple(
        _verify_material(material, request, secrets.materials[material.commitment], facts)
        for material in answer.materials
    )


def _demand_equal_sets(answered: Sequence[Commitment], request: ReleaseRequest) -> None:
    if sorted(answered) != sorted(each.commitment for each in request.materials):
        raise ReleaseError("materials", "材料与请求不符", "other materials than asked for")


def _verify_material(
    material: ReleasedMaterial, request: ReleaseRequest, secrets: MaterialSecrets, facts: LogFacts
) -> ReceivedMaterial:
    city = request.terms.releasing
    # (5) The material is in the releasing city's log, under an anchored head.
    anchored_at_s = verify_placement(
        city, EntryKind.MATERIAL, material.commitment, material.placement, facts
    )
    # (6) The disclosures are those of the committed statement.
    origin = build_origin(facts.domain, city, material.placement.generation)
    showing = verify_showing(origin, material.commitment, material.digests, secrets.texts)
    # (7) They are the fields and documents asked for, of a type the terms name.
    asked = request.find_material(material.commitment)
    assert asked is not None  # (4)
    statement_type = showing.statement_type
    if request.terms.find_type(statement_type.code) is None:
        raise ReleaseError("type", "材料类型不在授权内", "a type the terms do not name")
    first_document = 1 + len(statement_type.fields)
    _verify_extent(asked, material, secrets, first_document)
    # (8) Each document has the digest the statement holds.
    documents = tuple(
        ReceivedDocument(
            document,
            parse_document_part(showing.values[f"document.{document.index}"]),
            secrets.identities[document.index],
        )
        for document in material.documents
    )
    return ReceivedMaterial(material, showing, documents, anchored_at_s)


def _verify_extent(
    asked: RequestedMaterial,
    material: ReleasedMaterial,
    secrets: MaterialSecrets,
    first_document: int,
) -> None:
    positions = {0, *asked.positions, *(first_document + index for index in asked.documents)}
    if secrets.texts.keys() != positions:
        raise ReleaseError("fields", "披露的字段与请求不符", "other fields than asked for")
    indexes = [document.index for document in material.documents]
    if indexes != list(asked.documents) or sorted(secrets.identities) != indexes:
        raise ReleaseError("documents", "文件与请求不符", "other documents than asked for")
