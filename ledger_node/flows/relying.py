"""Step 9: a clerk decides, and everything the decision stands on becomes one reliance receipt.

Crash order: keys of entry and record durable -> receipt row and `reliance` entry in one commit ->
seal once a final anchor covers the entry. A crash before the commit leaves unused keys. Spec:
docs/spec/receipt.md.

Invariants:
    * One release, one receipt: the receipt's id is the release's; a second decision is refused.
    * A receipt that would not verify is not filed: it is verified as everybody will, first.
    * Facts claimed are of final blocks; a revocation or a status counts as soon as it is seen.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ledger_node.core.canonical import JsonObject
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import (
    ConflictError,
    NotFoundError,
    NotPermittedError,
    VerificationError,
)
from ledger_node.core.event_types import StatusFlag
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.merkle import verify_inclusion
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.receipt import (
    RECEIPT_VERSION_1,
    ReceiptFile,
    ReceiptKind,
    Seal,
    build_receipt,
)
from ledger_node.core.receipt_chain import ChainEvidence, merge_evidence
from ledger_node.core.receipt_reliance import (
    RelianceBody,
    RelianceDecision,
    ReliedMaterial,
    SeenLine,
)
from ledger_node.core.receipt_reliance_format import encode_reliance_body, read_reliance_body
from ledger_node.core.receipt_v1 import (
    build_receipt_v1,
    encode_receipt_of_any_version,
    parse_receipt_of_any_version,
)
from ledger_node.core.refusal import Refusal, build_refusal_error
from ledger_node.core.release import IncomingState
from ledger_node.core.release_answer import encode_release_answer
from ledger_node.core.release_request import encode_release_request
from ledger_node.core.signed_head import parse_answer_head, parse_head
from ledger_node.core.status import Standing, decide_standing
from ledger_node.core.types import CityId, Commitment, LeafHash
from ledger_node.core.verdict import LineState, Verdict, before_filing
from ledger_node.core.verify_reliance import verify_reliance
from ledger_node.flows.entries import PreparedEntry, append_entry, prepare_entry
from ledger_node.flows.facts import (
    NotYetAnchoredError,
    build_placement,
    leaf_hash_of,
    read_status_flags,
)
from ledger_node.flows.finding import count_open_objections
from ledger_node.flows.following import catch_up
from ledger_node.flows.granting import HeldGrant, load_grant
from ledger_node.flows.halts import demand_no_halt
from ledger_node.flows.node import Node
from ledger_node.flows.proving import locate, prove_log
from ledger_node.flows.receipt_facts import load_receipt_facts, position_at
from ledger_node.flows.receiving import (
    PermitNotFinalError,
    ReceivedRelease,
    ReleaseNotCompleteError,
    load_incoming,
    open_release,
)
from ledger_node.flows.records import open_record, seal_record
from ledger_node.flows.reliance_proofs import find_events, prove_body
from ledger_node.flows.trusting import load_final_block, load_trust
from ledger_node.ports.chain import ChainUnavailableError
from ledger_node.ports.database import RowConflictError, Transaction
from ledger_node.ports.database_chain import Consumption, RecordedGrant
from ledger_node.ports.database_exchange import ReceiptRow
from ledger_node.ports.keys import KeyRole

_FILE = "file"


class OfficerNotEntitledError(NotPermittedError):
    """The officer is not enrolled in this city in that role."""

    code = "officer_not_entitled"


class AlreadyReliedError(ConflictError):
    """The release was decided on already, by another decision.

    Fields: receipt_id.
    """

    code = "already_relied"


class MaterialNotReliableError(NotPermittedError):
    """Something speaks against a material: it was withdrawn, superseded, spent or erased.

    Fields: commitment (hex), standing.
    """

    code = "material_not_reliable"


class ReceiptDoesNotHoldError(VerificationError):
    """The receipt would not verify; nothing was filed.

    Fields: codes (of the lines that fail).
    """

    code = "receipt_does_not_hold"

    def __init__(self, verdict: Verdict) -> None:
        failed = [line for line in verdict.lines if line.state is LineState.FAILS]
        super().__init__(
            f"不能采信：{failed[0].sentence_zh}",
            f"It cannot be relied on: {failed[0].sentence_en}",
            codes=[line.code.value for line in failed if line.code is not None],
        )


def rely(
    node: Node,
    request_digest: bytes,
    officer: str,
    role: OfficerRole,
    outcome: str,
    *,
    materials: Collection[Commitment] | None = None,
) -> str:
    """File the receipt of a decision that stands on a release; returns its id.

    Effects: keys in the key store -> receipt row and `reliance` entry in one commit. Idempotent
    for the same decision.

    Args:
        officer, role: Who decides; enrolled in this city in that role.
        outcome: The decision, one line.
        materials: Those of the release that are relied on; all of them if None.

    Raises:
        OfficerNotEntitledError: Not enrolled, or in another role.
        ReleaseNotFoundError, ReleaseNotCompleteError: Nothing whole to rely on.
        AlreadyReliedError: The release was decided on otherwise.
        MaterialNotReliableError, GrantRevokedError: Bad news was seen, final or not.
        ReceiptDoesNotHoldError: It would not verify (a date is over, another person, …).
        LedgerHaltedError, UnavailableError: Not now.
    """
    decision = RelianceDecision(officer, role, outcome)
    catch_up(node)
    with node.database.read() as tx:
        demand_no_halt(tx)
        _demand_entitled(tx, decision)
        filed = _find_receipt(tx, request_digest.hex())
    if filed is not None:
        return _demand_same(node, filed, decision, materials)
    row = load_incoming(node, request_digest)
    if row.state != IncomingState.ACKNOWLEDGED:
        raise ReleaseNotCompleteError(
            "材料尚未完整送达并签收，不能采信。",
            "The release is not complete and acknowledged; it cannot be relied on.",
        )
    received = open_release(node, row)
    chosen = _demand_received(received, materials)
    receipt = _build_checked_receipt(node, received, decision, chosen)
    prepared = prepare_entry(node, EntryKind.RELIANCE, receipt.body)
    return _file(node, request_digest, receipt, prepared, decision)


def complete_receipt(node: Node, receipt_id: str) -> bytes:
    """The receipt as it can be given now: with its seal once anchored finally, pending before.

    Raises:
        ReceiptNotFoundError: No such receipt.
        KeyMissingError, SealedValueDamagedError: It does not open.
        RootMismatchError: The tiles do not lead to the anchored head; nothing is handed out.
    """
    with node.database.read() as tx:
        row = tx.receipts.load_receipt(receipt_id)
    receipt = _open_receipt(node, row)
    with node.database.read() as tx:
        try:
            placement, anchor = build_placement(node, tx, row.commitment)
        except NotYetAnchoredError:
            return encode_receipt_of_any_version(receipt)
    leaf_hash = leaf_hash_of(EntryKind.RELIANCE, row.commitment)
    verify_inclusion(leaf_hash, placement.leaf_index, placement.proof, placement.tree_head)
    position = position_at(anchor.place)
    if receipt.version != RECEIPT_VERSION_1:
        sealed = replace(receipt, seal=Seal(placement, position, row.salt))
        return encode_receipt_of_any_version(sealed)
    try:
        log = prove_log(node, anchor.place)
    except ChainUnavailableError:
        return encode_receipt_of_any_version(receipt)
    carried = [log] if receipt.chain is None else [receipt.chain, log]
    seal = Seal(placement, locate(log, position), row.salt)
    return encode_receipt_of_any_version(replace(receipt, seal=seal, chain=merge_evidence(carried)))


def list_receipts(node: Node, limit: int = 100) -> list[ReceiptRow]:
    """Reliance receipts this city filed, newest first."""
    with node.database.read() as tx:
        return tx.receipts.list_receipts(limit)


def _demand_entitled(tx: Transaction, decision: RelianceDecision) -> None:
    try:
        enrolled = tx.officers.load_officer(decision.officer).role == decision.role.value
    except NotFoundError:
        enrolled = False
    if not enrolled:
        raise OfficerNotEntitledError(
            f"经办人 {decision.officer} 未以“{decision.role.value}”角色登记，不能作此决定。",
            f"Officer {decision.officer} is not enrolled here as {decision.role.value}.",
        )


def _demand_received(
    received: ReceivedRelease, materials: Collection[Commitment] | None
) -> frozenset[Commitment]:
    came = frozenset(each.commitment for each in received.answer.materials)
    chosen = came if materials is None else frozenset(materials)
    if not chosen or not chosen <= came:
        raise ReleaseNotCompleteError(
            "所选材料不在这次放行中。", "A chosen material is not part of this release."
        )
    return chosen


def _build_checked_receipt(
    node: Node,
    received: ReceivedRelease,
    decision: RelianceDecision,
    chosen: Collection[Commitment],
) -> ReceiptFile:
    """The receipt, after the same checks that everybody will make later, with and without what it
    carries of the chain."""
    held = load_grant(node, received.row.grant_id)
    with node.database.read() as tx:
        recorded, consumed = load_permit(tx, received)
        state_block = load_final_block(tx)
        materials = read_materials(tx, received, chosen)
        body = build_body(
            node,
            received,
            held,
            decision,
            (recorded, consumed),
            state_block,
            materials,
        )
        facts = load_receipt_facts(tx, node.domain, body, recorded, consumed)
        trust = load_trust(tx, node.domain, facts, {})
        events = find_events(tx, body, recorded.place, consumed.place)
    verdict = verify_reliance(sign_preview(node, body), trust, facts, None, node.sensitive_types)
    if verdict.state is LineState.FAILS:
        raise ReceiptDoesNotHoldError(verdict)
    seen = tuple(
        SeenLine(line.question.value, line.state.value, line.code and line.code.value)
        for line in map(before_filing, verdict.lines)
    )
    placed, chain = prove_body(node, replace(body, verdicts=seen), events)
    receipt = sign_body(node, placed, chain)
    verdict = verify_reliance(receipt, trust, facts, None, node.sensitive_types)
    if verdict.state is LineState.FAILS:
        raise ReceiptDoesNotHoldError(verdict)
    return receipt


def load_permit(tx: Transaction, received: ReceivedRelease) -> tuple[RecordedGrant, Consumption]:
    """Grant and consumption in final blocks; a revocation counts as soon as it is seen.

    Who was given a material while the grant stood, and has not decided when it is revoked, asks
    again (design section 11).
    """
    row = received.row
    if tx.chain.find_revocation(row.grant_id) is not None:
        raise build_refusal_error(Refusal.GRANT_REVOKED)
    recorded = tx.chain.find_grant(row.grant_id)
    commitment = row.release_commitment
    consumed = None if commitment is None else tx.chain.find_consumption(commitment)
    if recorded is None or consumed is None:
        raise PermitNotFinalError
    return recorded, consumed


def read_materials(
    tx: Transaction,
    received: ReceivedRelease,
    chosen: Collection[Commitment],
    *,
    demand_reliable: bool = True,
) -> tuple[ReliedMaterial, ...]:
    """Chosen released materials with their disclosures, anchor and state.

    Raises:
        MaterialNotReliableError: Bad news was seen of one, if reliable ones are demanded.
        NotYetAnchoredError: A head is not in a final block as followed.
    """
    city = received.request.terms.releasing
    relied = []
    for released in received.answer.materials:
        if released.commitment not in chosen:
            continue
        leaf_hash = leaf_hash_of(EntryKind.MATERIAL, released.commitment)
        if demand_reliable:
            _demand_reliable(tx, city, leaf_hash, released.commitment.hex())
        placement = released.placement
        head = tx.chain.find_anchored_head(city, placement.generation, placement.tree_head)
        if head is None:
            raise NotYetAnchoredError
        flags = StatusFlag(0)
        for change in tx.chain.list_statuses(city, leaf_hash, final_only=True):
            flags |= StatusFlag(change.flag)
        relied.append(
            ReliedMaterial(
                released.commitment,
                dict(received.secrets.materials[released.commitment].texts),
                position_at(head.place),
                flags,
                count_open_objections(tx, city, leaf_hash),
            )
        )
    return tuple(relied)


def _demand_reliable(tx: Transaction, city: CityId, leaf_hash: LeafHash, name: str) -> None:
    standing = decide_standing(read_status_flags(tx, city, leaf_hash), 0)
    if standing is not Standing.ACTIVE:
        raise MaterialNotReliableError(
            f"材料已不可采信（{standing.value}）。请重新查询。",
            f"The material is {standing.value}; it cannot be relied on.",
            commitment=name,
            standing=standing.value,
        )


def build_body(
    node: Node,
    received: ReceivedRelease,
    held: HeldGrant,
    decision: RelianceDecision,
    permit: tuple[RecordedGrant, Consumption],
    state_block: BlockFact,
    materials: Sequence[ReliedMaterial],
) -> RelianceBody:
    """Body of a receipt over these materials, decided now.

    Args:
        permit: Grant and consumption in final blocks (`load_permit`).
        state_block: Block the state of the materials was read at.
    """
    row, openings = received.row, held.openings
    # What ACKNOWLEDGED implies (core/release.py, flows/receiving.py):
    assert row.answer_message is not None
    assert row.acknowledgement is not None
    assert openings.item is not None
    assert openings.case is not None
    recorded, consumed = permit
    return RelianceBody(
        receipt_id=row.request_digest.hex(),
        city=node.city,
        generation=node.generation,
        decided_at_s=int(node.clock.now().timestamp()),
        decision=decision,
        catalogue=node.catalogue_pin,
        request=received.request,
        request_bytes=encode_release_request(received.request),
        request_head=parse_head(row.request_message),
        answer=received.answer,
        answer_bytes=encode_release_answer(received.answer),
        answer_head=parse_answer_head(row.answer_message),
        acknowledgement_bytes=row.acknowledgement,
        release_salt=received.secrets.salt,
        materials=tuple(materials),
        subject=openings.subject,
        item=openings.item,
        case=openings.case,
        recorded=position_at(recorded.place),
        consumed=position_at(consumed.place),
        state_block=state_block,
    )


def sign_body(node: Node, body: RelianceBody, chain: ChainEvidence) -> ReceiptFile:
    """The receipt, signed as a whole and not sealed yet."""
    encoded: JsonObject = encode_reliance_body(body, RECEIPT_VERSION_1)
    read_reliance_body(encoded, RECEIPT_VERSION_1)  # refuses what nobody could read back
    key_id = MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE))
    return build_receipt_v1(
        ReceiptKind.RELIANCE,
        encoded,
        key_id,
        lambda message: node.keys.sign(KeyRole.MESSAGE, message),
        chain=chain,
    )


def sign_preview(node: Node, body: RelianceBody) -> ReceiptFile:
    """A receipt that is looked at and never kept: version 0, which carries nothing of the chain."""
    encoded: JsonObject = encode_reliance_body(body)
    key_id = MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE))
    return build_receipt(
        ReceiptKind.RELIANCE,
        encoded,
        key_id,
        lambda message: node.keys.sign(KeyRole.MESSAGE, message),
    )


def _file(
    node: Node,
    request_digest: bytes,
    receipt: ReceiptFile,
    prepared: PreparedEntry,
    decision: RelianceDecision,
) -> str:
    """Receipt row and `reliance` entry in one commit; who was first wins."""
    receipt_id = request_digest.hex()
    sealed = seal_record(
        node, _record_name(receipt_id), _FILE, encode_receipt_of_any_version(receipt)
    )
    try:
        with node.database.transaction() as tx:
            tx.receipts.save_receipt(
                ReceiptRow(
                    receipt_id,
                    request_digest,
                    prepared.commitment,
                    prepared.salt,
                    sealed,
                    receipt.signature,
                    append_entry(node, tx, prepared),
                    False,
                    node.clock.now(),
                )
            )
    except RowConflictError:
        with node.database.read() as tx:
            first = tx.receipts.load_receipt(receipt_id)
        return _demand_same(node, first, decision, _list_relied(receipt))
    return receipt_id


def _find_receipt(tx: Transaction, receipt_id: str) -> ReceiptRow | None:
    try:
        return tx.receipts.load_receipt(receipt_id)
    except NotFoundError:
        return None


def _list_relied(receipt: ReceiptFile) -> frozenset[Commitment]:
    return frozenset(each.commitment for each in _read_body(receipt).materials)


def _demand_same(
    node: Node,
    filed: ReceiptRow,
    decision: RelianceDecision,
    materials: Collection[Commitment] | None,
) -> str:
    before = _open_receipt(node, filed)
    other = materials is not None and frozenset(materials) != _list_relied(before)
    if other or _read_body(before).decision != decision:
        raise AlreadyReliedError(
            "这次放行已据以作出另一决定，不能再改。",
            "The release was decided on already; that decision stands.",
            receipt_id=filed.receipt_id,
        )
    return filed.receipt_id


def _read_body(receipt: ReceiptFile) -> RelianceBody:
    return read_reliance_body(receipt.body, receipt.version)


def _open_receipt(node: Node, row: ReceiptRow) -> ReceiptFile:
    name = _record_name(row.receipt_id)
    return parse_receipt_of_any_version(open_record(node, name, _FILE, row.sealed_body))


def _record_name(receipt_id: str) -> str:
    return f"receipt/{receipt_id}"
