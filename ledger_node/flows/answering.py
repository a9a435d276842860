"""Step 8 at the releasing city, first half: decide a request and build the finished answer.

Nothing is stored or sent here; `releasing.py` owns the order of effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.checkpoint import build_origin
from ledger_node.core.commitment import CommitmentMismatchError
from ledger_node.core.derivation import derive_document_secret
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import NotFoundError
from ledger_node.core.event_types import KeyRole
from ledger_node.core.evidence_format import compute_evidence_commitment
from ledger_node.core.grant import decide_release
from ledger_node.core.grant_facts import AskedMaterial, ReleaseDecision, ReleaseFacts
from ledger_node.core.refusal import build_refusal_error, get_public_code
from ledger_node.core.release import (
    compute_answer_digest,
    compute_release_commitment,
)
from ledger_node.core.release_answer import (
    RELEASE_ANSWER_VERSION,
    RefusedMaterial,
    ReleaseAnswer,
    ReleasedDocument,
    ReleasedMaterial,
    encode_release_answer,
)
from ledger_node.core.release_request import (
    RELEASE_REQUEST_VERSION,
    ReleaseRequest,
    RequestedMaterial,
)
from ledger_node.core.release_secrets import (
    MaterialSecrets,
    ReleaseSecrets,
    encode_release_secrets,
)
from ledger_node.core.sealed import (
    compute_seal_info,
    parse_release_openings,
    verify_purpose,
    verify_subject,
)
from ledger_node.core.status import Standing, decide_standing
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import (
    HASH_BYTES,
    CityId,
    Commitment,
    Digest,
    ReleaseCommitment,
    Salt,
)
from ledger_node.flows.facts import build_placement, leaf_hash_of, load_chain_view
from ledger_node.flows.finding import (
    build_deciding_city,
    count_open_objections,
    describe_held,
)
from ledger_node.flows.granting import find_grant_on_chain, link_subject, verify_held_evidence
from ledger_node.flows.materials import OpenedMaterial, load_material_by_commitment
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_intake import StoredMaterial

DOCUMENT_NOT_HELD = "document_not_held"


class DocumentNotHeldError(NotFoundError):
    """Only the digest of the document was registered; its bytes are elsewhere."""

    code = DOCUMENT_NOT_HELD


@dataclass(frozen=True, slots=True)
class BuiltAnswer:
    """A finished answer, not yet permitted.

    Attributes:
        answer: RFC 8785 bytes.
        salt: Release salt; also sealed inside the answer.
        release_commitment: What `consume` will carry.
        materials: Commitments handed over.
    """

    answer: bytes
    salt: Salt
    release_commitment: ReleaseCommitment
    materials: tuple[Commitment, ...]


def decide_request(node: Node, city: CityId, request: ReleaseRequest) -> ReleaseDecision:
    """Check everything design section 8 names, on the chain as followed.

    Raises:
        VerificationError, MalformedInputError: Evidence or openings do not hold.
        The errors of `build_refusal_error`: The grant does not allow it, or nothing asked for can
            be given.
    """
    terms = request.terms
    grant_id = compute_grant_id(terms)
    opened = node.keys.open_sealed(
        request.sealed, compute_seal_info(RELEASE_REQUEST_VERSION, grant_id)
    )
    openings = parse_release_openings(opened)
    subject = verify_subject(terms, openings, node.domain, request.generation)
    with node.database.transaction() as tx:
        link_subject(node, tx, grant_id, subject)
    verify_held_evidence(node, terms, request.bundle, request.evidence, subject)
    try:
        verify_purpose(terms, openings, node.domain, request.generation)
        purpose_opened = True
    except CommitmentMismatchError:
        purpose_opened = False
    number = node.normalise_identifier(subject.scheme, subject.number)
    origin = build_origin(node.domain, terms.recording, request.generation)
    with node.database.read() as tx:
        view = load_chain_view(tx)
        facts = ReleaseFacts(
            build_deciding_city(node, view, city),
            view.owner_of_key(KeyRole.ENCRYPTION, request.encryption_key),
            find_grant_on_chain(tx, grant_id),
            compute_evidence_commitment(origin, request.evidence_salt, request.evidence),
            purpose_opened,
            compute_subject_tag(node, subject.scheme, number),
        )
        asked = [_describe_asked(node, tx, each) for each in request.materials]
    decision = decide_release(terms, facts, asked)
    if decision.refusal is not None:
        raise build_refusal_error(decision.refusal)
    return decision


def build_answer(
    node: Node, request: ReleaseRequest, request_digest: bytes, decision: ReleaseDecision
) -> BuiltAnswer:
    """Open what was decided to be given and put the answer together.

    Raises:
        NotYetAnchoredError: A material lost its anchor since (a reorganisation).
        KeyMissingError, SealedValueDamagedError: A material does not open.
    """
    refused = {
        commitment: get_public_code(refusal) for commitment, refusal in decision.refused.items()
    }
    released: list[ReleasedMaterial] = []
    secrets: dict[Commitment, MaterialSecrets] = {}
    for each in request.materials:
        if each.commitment in refused:
            continue
        opened = load_material_by_commitment(node, each.commitment)
        if any(opened.stored.row.documents[index].address is None for index in each.documents):
            refused[each.commitment] = DOCUMENT_NOT_HELD
            continue
        released.append(_release_material(node, opened, each))
        secrets[each.commitment] = _open_material(opened, each)
    if not released:
        raise DocumentNotHeldError(
            "本市只登记了该文件的摘要，原文不在本市。",
            "This city registered only the digest of that document; it does not hold it.",
        )
    salt = Salt(node.entropy(HASH_BYTES))
    sealed = node.keys.seal_to(
        request.encryption_key,
        encode_release_secrets(ReleaseSecrets(salt, secrets)),
        compute_seal_info(RELEASE_ANSWER_VERSION, request_digest),
    )
    answer = encode_release_answer(
        ReleaseAnswer(
            request_digest,
            tuple(released),
            _list_refused(refused),
            sealed,
            int(node.clock.now().timestamp()),
        )
    )
    commitment = compute_release_commitment(salt, request_digest, compute_answer_digest(answer))
    return BuiltAnswer(answer, salt, commitment, tuple(secrets))


def _describe_asked(node: Node, tx: Transaction, asked: RequestedMaterial) -> AskedMaterial:
    stored: StoredMaterial | None = tx.intake.find_material_by_commitment(asked.commitment)
    held = None if stored is None else describe_held(node, tx, stored)
    return AskedMaterial(asked.commitment, asked.positions, asked.documents, held)


def _release_material(
    node: Node, opened: OpenedMaterial, asked: RequestedMaterial
) -> ReleasedMaterial:
    row = opened.stored.row
    with node.database.read() as tx:
        placement, _ = build_placement(node, tx, row.commitment)
        leaf_hash = leaf_hash_of(EntryKind.MATERIAL, row.commitment)
        held = describe_held(node, tx, opened.stored)
        standing: Standing = decide_standing(
            held.status, count_open_objections(tx, node.city, leaf_hash)
        )
    documents = tuple(
        ReleasedDocument(
            index,
            Digest(row.documents[index].address or b""),
            row.documents[index].sealed_bytes,
        )
        for index in asked.documents
    )
    digests = opened.statement.digests
    return ReleasedMaterial(row.commitment, placement, standing, digests, documents)


def _open_material(opened: OpenedMaterial, asked: RequestedMaterial) -> MaterialSecrets:
    """Single disclosures and document secrets of exactly what was asked; never the material key."""
    first_document = 1 + len(opened.statement.statement_type.fields)
    positions = {0, *asked.positions, *(first_document + index for index in asked.documents)}
    return MaterialSecrets(
        {position: opened.statement.disclosures[position] for position in sorted(positions)},
        {index: derive_document_secret(opened.key, index) for index in asked.documents},
    )


def _list_refused(refused: Mapping[Commitment, str]) -> tuple[RefusedMaterial, ...]:
    return tuple(RefusedMaterial(commitment, code) for commitment, code in sorted(refused.items()))
