"""Verifying a registration receipt, and choosing the verifier by kind.

Step 9 of the data flow. The checks are numbered as in docs/spec/receipt.md. Vectors:
tests/vectors/receipt/.

Not here: reliance receipts (verify_reliance.py), reading files and digesting a document (callers).
"""

from __future__ import annotations

from ledger_node.core.chain_facts import ChainFacts
from ledger_node.core.chain_proofs import block_of
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.merkle import hash_leaf
from ledger_node.core.receipt import (
    NotAReceiptError,
    ReceiptFile,
    ReceiptKind,
    verify_receipt_signature,
)
from ledger_node.core.receipt_needs import list_registration_leaves
from ledger_node.core.receipt_registration import RegistrationBody, read_registration_body
from ledger_node.core.receipt_v1 import parse_receipt_of_any_version
from ledger_node.core.signed_body import SignedBodyError
from ledger_node.core.statement import Showing
from ledger_node.core.trust import Trust
from ledger_node.core.types import Digest
from ledger_node.core.verdict import Judgement, Question, Verdict, judge, not_stated
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.core.verify_chain import check_carried, gather_facts
from ledger_node.core.verify_parts import (
    LAST_BLOCK,
    MAX_SKEW_S,
    check_anchor,
    check_anchoring_city,
    check_document,
    check_flags,
    check_inclusion,
    check_message_key,
    check_showing,
    check_validity,
    rest_on_facts,
)
from ledger_node.core.verify_reliance import verify_reliance


def verify_receipt(
    data: bytes,
    trust: Trust,
    *,
    facts: ChainFacts | None = None,
    document: Digest | None = None,
    sensitive_types: frozenset[str] = frozenset(),
) -> Verdict:
    """Verdict on a receipt of either kind.

    Args:
        data: The file.
        trust: What is taken as given.
        facts: Facts of the chain read by the verifier itself; those of the trust file if None.
        document: Digest of a file that should be one of the documents shown, or None.
        sensitive_types: Type codes whose grants need a second officer.

    Raises:
        NotAReceiptError: Not exactly a receipt.
    """
    receipt = parse_receipt_of_any_version(data)
    facts = facts if facts is not None else trust.facts
    if receipt.kind is ReceiptKind.RELIANCE:
        return verify_reliance(receipt, trust, facts, document, sensitive_types)
    return verify_registration(receipt, trust, facts, document)


def verify_registration_receipt(
    data: bytes,
    trust: Trust,
    *,
    facts: ChainFacts | None = None,
    document: Digest | None = None,
) -> Verdict:
    """As `verify_receipt`, for a registration receipt only.

    Raises:
        NotAReceiptError: Not exactly a registration receipt.
    """
    _demand_kind(data, ReceiptKind.REGISTRATION)
    return verify_receipt(data, trust, facts=facts, document=document)


def verify_reliance_receipt(
    data: bytes,
    trust: Trust,
    *,
    facts: ChainFacts | None = None,
    document: Digest | None = None,
    sensitive_types: frozenset[str] = frozenset(),
) -> Verdict:
    """As `verify_receipt`, for a reliance receipt only.

    Raises:
        NotAReceiptError: Not exactly a reliance receipt.
    """
    _demand_kind(data, ReceiptKind.RELIANCE)
    return verify_receipt(
        data, trust, facts=facts, document=document, sensitive_types=sensitive_types
    )


def _demand_kind(data: bytes, kind: ReceiptKind) -> None:
    if parse_receipt_of_any_version(data).kind is not kind:
        raise NotAReceiptError(
            "凭证种类不符。", f"a {kind.value} receipt is expected.", reason="kind"
        )


def verify_registration(
    receipt: ReceiptFile, trust: Trust, facts: ChainFacts | None, document: Digest | None
) -> Verdict:
    """Verdict on a registration receipt.

    Raises:
        NotAReceiptError: The body is not one.
    """
    body = read_registration_body(receipt.body)
    claimed = [] if receipt.seal is None else [block_of(receipt.seal.anchored)]
    facts, problem = gather_facts(receipt, trust, facts, claimed, list_registration_leaves(body))
    lines = (
        judge(
            Question.UNCHANGED,
            lambda j: _check_unchanged(j, receipt, body, trust, facts, problem, document),
        ),
        judge(Question.ISSUER_ENTITLED, lambda j: _check_issuer(j, receipt, body, trust)),
        judge(Question.VALID_AS_OF, lambda j: _check_valid(j, receipt, body, trust, facts)),
        not_stated(Question.RIGHT_PERSON),
    )
    as_of = facts.reach if facts else None
    return Verdict(receipt.kind, body.city, body.receipt_id, lines, as_of)


def _check_unchanged(
    judgement: Judgement,
    receipt: ReceiptFile,
    body: RegistrationBody,
    trust: Trust,
    facts: ChainFacts | None,
    problem: VerdictCode | None,
    document: Digest | None,
) -> None:
    # (1) The named key signed exactly this body, and what the file carries of the chain holds.
    try:
        verify_receipt_signature(receipt)
    except SignedBodyError:
        judgement.fail(VerdictCode.RECEIPT_SIGNATURE_INVALID)
    check_carried(judgement, problem)
    # (2) The fields shown are those of the committed statement; (3) the file at hand is a document.
    showing = _check_body_showing(judgement, body, trust)
    check_document(judgement, [showing], document)
    # (4) The entry is in the log of the same generation, and (5) the chain took that head there.
    seal = receipt.seal
    if seal is None:
        judgement.wait(VerdictCode.RECEIPT_PENDING)
        return
    judgement.demand(seal.placement.generation == body.generation, VerdictCode.GENERATION_MISMATCH)
    check_inclusion(judgement, hash_leaf(body.entry), seal.placement)
    check_anchor(judgement, facts, body.city, seal.placement, seal.anchored)


def _check_body_showing(judgement: Judgement, body: RegistrationBody, trust: Trust) -> Showing:
    origin = build_origin(trust.domain, body.city, body.generation)
    return check_showing(judgement, origin, body.commitment, body.digests, body.disclosed)


def _check_issuer(
    judgement: Judgement, receipt: ReceiptFile, body: RegistrationBody, trust: Trust
) -> None:
    # (6) The city that is named signed.
    judgement.demand(receipt.key_id.city == body.city, VerdictCode.RECEIPT_SIGNER_MISMATCH)
    # (7) Its message key was valid and trusted at the anchoring block; while pending, at the
    # claimed time and never distrusted.
    anchored = receipt.seal.anchored if receipt.seal else None
    check_message_key(
        judgement,
        trust,
        body.city,
        receipt.key_id.key,
        anchored.block_number if anchored else LAST_BLOCK,
        anchored.block_timestamp_s if anchored else body.registered_at_s,
        unknown=VerdictCode.RECEIPT_KEY_UNKNOWN,
        distrusted=VerdictCode.RECEIPT_KEY_DISTRUSTED,
    )
    if anchored is None:
        judgement.wait(VerdictCode.RECEIPT_PENDING)
        return
    # (8) It could anchor then.
    check_anchoring_city(judgement, trust, body.city, anchored)
    # (9) It was registered before it was anchored.
    judgement.demand(
        body.registered_at_s <= anchored.block_timestamp_s + MAX_SKEW_S,
        VerdictCode.RECEIPT_TIME_IMPOSSIBLE,
    )


def _check_valid(
    judgement: Judgement,
    receipt: ReceiptFile,
    body: RegistrationBody,
    trust: Trust,
    facts: ChainFacts | None,
) -> None:
    # (10) Nothing was said against the material up to the newest block at hand.
    leaf_hash = hash_leaf(body.entry)
    newest = facts.newest_state(body.city, leaf_hash) if facts else None
    if receipt.seal is None:
        judgement.wait(VerdictCode.RECEIPT_PENDING)
    elif newest is None or newest.number < receipt.seal.anchored.block_number:
        judgement.wait(VerdictCode.STATUS_UNCONFIRMED)
    flags = facts.flags_at(body.city, leaf_hash, newest.number) if facts and newest else None
    if facts is None or newest is None or flags is None:
        return
    check_flags(judgement, flags)
    rest_on_facts(judgement, facts, newest.number)
    # (11) The dates shown hold at that block.
    showing = _check_body_showing(judgement, body, trust)
    check_validity(judgement, showing, newest.block_timestamp_s)
