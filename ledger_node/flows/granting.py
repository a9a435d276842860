"""Step 7: terms are drawn up and confirmed at the counter, recorded on chain, revoked.

The recording city's side. Terms and openings are private; only the salted terms commitment, the
window and the commitment over the evidence go on chain, and only when a release is wanted.
Crash orders: record key durable -> grant row. Recording: signed transaction and its link to the
grant in one commit -> broadcast -> final (`flows/outbox.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ledger_node.core.canonical import JsonObject
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.errors import ConflictError, MalformedInputError
from ledger_node.core.event_types import Basis, ContractRole, KeyRole
from ledger_node.core.evidence import EvidenceRules, verify_evidence
from ledger_node.core.evidence_format import (
    compute_evidence_commitment,
    compute_officer_message,
    encode_evidence,
    parse_evidence,
)
from ledger_node.core.evidence_parts import (
    CounterEvidence,
    CredentialProof,
    Evidence,
    OfficerSignature,
    SignatureMeans,
)
from ledger_node.core.grant_facts import GrantOnChain
from ledger_node.core.sealed import (
    Openings,
    Subject,
    encode_openings,
    encode_subject,
    parse_release_openings,
    read_subject,
)
from ledger_node.core.shapes import Opening
from ledger_node.core.terms import GrantBasis, Grantor, Terms, TypeGrant
from ledger_node.core.terms_format import (
    compute_bundle_challenge,
    compute_grant_id,
    encode_terms,
    parse_terms,
)
from ledger_node.core.types import HASH_BYTES, CityId, Commitment, Digest, GrantId, Salt
from ledger_node.flows.enrolling import build_credential_proof
from ledger_node.flows.facts import build_log_facts, load_chain_view
from ledger_node.flows.node import Node
from ledger_node.flows.outbox import ContractCall, submit
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import OutboxRow
from ledger_node.ports.database_consent import GrantSubjectRow
from ledger_node.ports.database_exchange import GrantRow


class NotRecordingCityError(MalformedInputError):
    """Terms are recorded by the city they name as recording, and by no other."""

    code = "not_recording_city"


class GrantRecordedError(ConflictError):
    """The grant is on its way to the chain, or there, already."""

    code = "grant_recorded"


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What a person is asked to agree to: one grant per releasing city.

    Attributes:
        releasing: Cities that may hand over; distinct.
        receiving: City that receives.
        subject: Whom the materials are about, number normalised.
        grantor: Who grants.
        types: What may be shown, per material type.
        item, case: Service item and case, as the receiving city names them.
        window_s: How long, seconds from now.
        uses: Number of releases per grant.
        text: Version of the consent text shown.
    """

    releasing: tuple[CityId, ...]
    receiving: CityId
    subject: Subject
    grantor: Grantor
    types: tuple[TypeGrant, ...]
    item: str
    case: str
    window_s: int
    uses: int = 1
    text: str = "consent/zh-en/1"


@dataclass(frozen=True, slots=True)
class DraftGrant:
    """Terms before anybody signed, with what opens their commitments."""

    terms: Terms
    openings: Openings


@dataclass(frozen=True, slots=True)
class CounterCeremony:
    """How the person at the window confirmed.

    Attributes:
        document_scheme: Kind of identity document shown.
        read_by_device: Whether a card reader read it.
        signature_digest: Digest of the pad image or scanned slip, which stays in this city.
        means: Pad or slip.
        officers: (officer id, signing function of that officer's key), one or two.
    """

    document_scheme: str
    read_by_device: bool
    signature_digest: Digest
    means: SignatureMeans
    officers: tuple[tuple[str, Callable[[bytes], bytes]], ...]


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant as this city holds it, opened."""

    grant_id: GrantId
    terms: Terms
    bundle: tuple[GrantId, ...]
    evidence: Evidence
    evidence_salt: Salt
    openings: Openings
    outbox_id: int | None


def draft_terms(
    node: Node,
    request: ConsentRequest,
    *,
    basis: GrantBasis = GrantBasis.COUNTER,
    materials: tuple[Commitment, ...] | None = None,
    subject: Opening | None = None,
) -> tuple[DraftGrant, ...]:
    """Draw up one grant per releasing city; subject, item and case share their commitments' bodies
    but not their salts, so that two cities cannot match what they received.

    Args:
        basis: Kind of evidence that will carry them.
        materials: Only these, or None for any material of the types.
        subject: What opens the subject commitment of all of them: for a passkey or provider, whose
            one signature goes to every city (docs/decisions/0011); None for one salt per city.

    Raises:
        NotFollowedError, ContractUnknownError: The chain is not known yet.
        UnexpectedShapeError: A value breaks a rule of the terms format.
    """
    with node.database.read() as tx:
        view = load_chain_view(tx)
    now_s = int(node.clock.now().timestamp())
    drafts = []
    for releasing in request.releasing:
        opened = _commit_subject(node, request.subject) if subject is None else subject
        item = _commit(node, CommitmentKind.ITEM, {"code": request.item})
        case = _commit(node, CommitmentKind.CASE, {"number": request.case})
        terms = Terms(
            salt=Salt(node.entropy(HASH_BYTES)),
            chain_id=view.chain_id,
            grants=view.contract(ContractRole.GRANTS),
            recording=node.city,
            releasing=releasing,
            receiving=request.receiving,
            subject=compute_commitment(
                CommitmentKind.SUBJECT, node.origin, opened.salt, opened.body
            ),
            grantor=request.grantor,
            materials=materials,
            types=request.types,
            item=item[1],
            case=case[1],
            not_before_s=min(now_s, view.tip.block_timestamp_s),
            not_after_s=now_s + request.window_s,
            uses=request.uses,
            basis=basis,
            text=request.text,
        )
        encode_terms(terms)  # refuses what could not be read back
        drafts.append(DraftGrant(terms, Openings(opened, item[0], case[0])))
    return tuple(drafts)


def confirm_at_counter(
    node: Node,
    drafts: Sequence[DraftGrant],
    ceremony: CounterCeremony,
    link: Callable[[Transaction], None] | None = None,
) -> tuple[GrantId, ...]:
    """Take the officers' signatures over all drafts together and store the grants.

    Args:
        link: Writes rows of its own in the same commit.

    Raises:
        NotYetAnchoredError: An officer's credential is not anchored yet.
        EvidenceError: The ceremony does not suffice for these terms.
    """
    evidence = _sign_counter(node, compute_draft_challenge(drafts), ceremony)
    return store_confirmed(node, drafts, evidence, link)


def compute_draft_challenge(drafts: Sequence[DraftGrant]) -> bytes:
    """What is signed in one ceremony, 32 bytes."""
    return compute_bundle_challenge([compute_grant_id(draft.terms) for draft in drafts])


def store_confirmed(
    node: Node,
    drafts: Sequence[DraftGrant],
    evidence: Evidence,
    link: Callable[[Transaction], None] | None = None,
    last_sign_count: int = 0,
) -> tuple[GrantId, ...]:
    """Verify evidence as every releasing city will, then store the grants and whom they are about.

    Args:
        link: Writes rows of its own in the same commit.
        last_sign_count: Of a passkey, as this city saw it last.

    Raises:
        EvidenceError and the other errors of `verify_evidence`; nothing is stored.
    """
    ids = tuple(compute_grant_id(draft.terms) for draft in drafts)
    rows = []
    for grant_id, draft in zip(ids, drafts, strict=True):
        others = tuple(sorted(set(ids) - {grant_id}))
        subject = read_subject(draft.openings.subject.body)
        verify_held_evidence(node, draft.terms, others, evidence, subject, last_sign_count)
        rows.append(_build_row(node, grant_id, draft, others, evidence))
    with node.database.transaction() as tx:
        for row in rows:
            tx.grants.save_grant(row)
        if link is not None:
            link(tx)
        for grant_id, draft in zip(ids, drafts, strict=True):
            link_subject(node, tx, grant_id, read_subject(draft.openings.subject.body))
    return ids


def link_subject(node: Node, tx: Transaction, grant_id: GrantId, subject: Subject) -> None:
    """Note under a tag whom a grant is about, so that this person can be shown what happened
    under it. Idempotent."""
    number = node.normalise_identifier(subject.scheme, subject.number)
    tag = compute_subject_tag(node, subject.scheme, number)
    tx.consent.link_grant(GrantSubjectRow(grant_id, tag, None, node.clock.now()))


def verify_held_evidence(
    node: Node,
    terms: Terms,
    bundle: Sequence[GrantId],
    evidence: Evidence,
    subject: Subject,
    last_sign_count: int = 0,
) -> None:
    """Check evidence with this city's rules and the chain as followed.

    Args:
        subject: As opened from the terms' commitment: whether a guardian's ward is a minor.
        last_sign_count: Of a passkey, at the recording city when it confirms; 0 elsewhere.

    Raises:
        EvidenceError and the other errors of `verify_evidence`.
    """
    now = node.clock.now()
    number = node.normalise_identifier(subject.scheme, subject.number)
    minor = node.is_minor(subject.scheme, number, now.date())
    rules = EvidenceRules(node.sensitive_types, minor, last_sign_count)
    with node.database.read() as tx:
        facts = build_log_facts(tx, node.domain)
        verify_evidence(evidence, terms, bundle, int(now.timestamp()), facts, rules)


def load_grant(node: Node, grant_id: GrantId) -> HeldGrant:
    """Load and open a grant this city recorded or received terms of.

    Raises:
        GrantNotFoundError: Not here.
        KeyMissingError, SealedValueDamagedError: Its private part does not open.
    """
    with node.database.read() as tx:
        row = tx.grants.load_grant(grant_id)
    name = _record_name(grant_id)
    return HeldGrant(
        grant_id,
        parse_terms(row.terms),
        split_bundle(row.bundle),
        parse_evidence(open_record(node, name, "evidence", row.sealed_evidence)),
        row.evidence_salt,
        parse_release_openings(open_record(node, name, "openings", row.sealed_openings)),
        row.outbox_id,
    )


def record_grant(node: Node, grant_id: GrantId) -> int:
    """Record a grant on chain; returns the outbox id of its transaction. Idempotent.

    Raises:
        NotRecordingCityError: The terms name another recording city.
        ContractRevertError: The contract refuses (seen before, not in good standing, expired).
    """
    held = load_grant(node, grant_id)
    if held.outbox_id is not None:
        return held.outbox_id
    terms = held.terms
    if terms.recording != node.city:
        raise NotRecordingCityError(
            "这份授权由另一城市登记，本市不能代记。",
            "These terms name another recording city; it has to record them.",
        )
    evidence = compute_evidence_commitment(node.origin, held.evidence_salt, held.evidence)
    data = node.contracts.encode_record(
        grant_id,
        terms.releasing,
        terms.receiving,
        terms.not_before_s,
        terms.not_after_s,
        terms.uses,
        terms.basis.on_chain,
        evidence,
    )

    def link(tx: Transaction, row: OutboxRow) -> None:
        if not tx.grants.set_record_outbox(grant_id, row.outbox_id):
            raise GrantRecordedError(
                "这份授权已在登记。", "The grant is being recorded already; reload it."
            )

    call = ContractCall(KeyRole.GATE, terms.grants, data, "record", grant_id.hex())
    return submit(node, call, link).outbox_id


def revoke_grant(node: Node, grant_id: GrantId) -> int:
    """Revoke a grant on chain, recorded or not; returns the outbox id of the transaction.

    Raises:
        ContractRevertError: It is revoked already, or the daily cap for foreign grants is reached.
    """
    with node.database.read() as tx:
        recorded = tx.chain.find_grant(grant_id, final_only=False)
        contract = (
            recorded.place.contract
            if recorded is not None
            else load_chain_view(tx).contract(ContractRole.GRANTS)
        )
    data = node.contracts.encode_revoke(grant_id)
    call = ContractCall(KeyRole.GATE, contract, data, "revoke", grant_id.hex())
    return submit(node, call).outbox_id


def find_grant_on_chain(tx: Transaction, grant_id: GrantId) -> GrantOnChain | None:
    """A grant with everything final that happened to it; a revocation counts as soon as seen."""
    recorded = tx.chain.find_grant(grant_id)
    if recorded is None:
        return None
    revoked = tx.chain.find_revocation(grant_id) is not None
    return GrantOnChain(
        grant_id,
        recorded.releasing,
        recorded.receiving,
        recorded.recorder,
        recorded.not_before_s,
        recorded.not_after_s,
        recorded.uses,
        recorded.uses_left,
        Basis(recorded.basis),
        recorded.evidence,
        revoked,
    )


def split_bundle(joined: bytes) -> tuple[GrantId, ...]:
    """Grant ids of a stored bundle (n x 32 bytes)."""
    return tuple(GrantId(joined[at : at + HASH_BYTES]) for at in range(0, len(joined), HASH_BYTES))


def _sign_counter(node: Node, challenge: bytes, ceremony: CounterCeremony) -> CounterEvidence:
    """Evidence with every officer's signature; each signs who else signs."""
    with node.database.read() as tx:
        rows = [tx.officers.load_officer(officer) for officer, _ in ceremony.officers]
    proofs: list[CredentialProof] = [build_credential_proof(node, row.commitment) for row in rows]
    unsigned = CounterEvidence(
        challenge,
        int(node.clock.now().timestamp()),
        ceremony.document_scheme,
        ceremony.read_by_device,
        ceremony.signature_digest,
        ceremony.means,
        tuple(OfficerSignature(proof, bytes(64)) for proof in proofs),
    )
    message = compute_officer_message(unsigned)
    signed = tuple(
        OfficerSignature(proof, sign(message))
        for proof, (_, sign) in zip(proofs, ceremony.officers, strict=True)
    )
    return replace(unsigned, officers=signed)


def _build_row(
    node: Node,
    grant_id: GrantId,
    draft: DraftGrant,
    bundle: tuple[GrantId, ...],
    evidence: Evidence,
) -> GrantRow:
    name = _record_name(grant_id)
    return GrantRow(
        grant_id,
        draft.terms.releasing,
        draft.terms.receiving,
        encode_terms(draft.terms),
        b"".join(bundle),
        seal_record(node, name, "evidence", encode_evidence(evidence)),
        seal_record(node, name, "openings", encode_openings(draft.openings)),
        Salt(node.entropy(HASH_BYTES)),
        node.clock.now(),
    )


def _commit_subject(node: Node, subject: Subject) -> Opening:
    return Opening(Salt(node.entropy(HASH_BYTES)), encode_subject(subject))


def _commit(node: Node, kind: CommitmentKind, body: JsonObject) -> tuple[Opening, Commitment]:
    salt = Salt(node.entropy(HASH_BYTES))
    return Opening(salt, body), compute_commitment(kind, node.origin, salt, body)


def _record_name(grant_id: GrantId) -> str:
    return f"grant/{grant_id.hex()}"
