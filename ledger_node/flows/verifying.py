"""A receipt somebody brings, with the document if they have it: the verdict and its age. Step 9.

Shared by the page `/verify` and by `/api/v1/verifications`: both give the receipt's bytes and, if
there is a document, its digest (a page hashes it in the browser, so that it never leaves the
machine; an upload is hashed while it arrives). Nothing is stored and nothing logged. There is no
way in for a document alone: "does anyone hold this file?" would be an oracle for guesses.

Invariants:
    * Facts are of final blocks of the followed chain, or of the trust file that was brought.
    * Bad news that came later, final or not, is told beside the verdict and never hidden by it.
    * Neither the issuing city nor the chain is asked: what was followed and mirrored answers, with
      its age (P9).
Not here: the checks (core/verify.py), words for people (api/pages).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ledger_node.core.canonical import JsonObject
from ledger_node.core.catalogue_words import Necessity
from ledger_node.core.chain_facts import BlockFact, FactSource
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import UnavailableError
from ledger_node.core.freshness import RULES, FreshnessRule, Light, decide_light
from ledger_node.core.receipt import (
    RECEIPT_VERSION_1,
    ReceiptFile,
    ReceiptKind,
    Seal,
)
from ledger_node.core.receipt_registration import read_registration_body
from ledger_node.core.receipt_reliance_format import read_reliance_body
from ledger_node.core.receipt_v1 import (
    encode_receipt_of_any_version,
    parse_receipt_of_any_version,
)
from ledger_node.core.status import Standing, decide_standing
from ledger_node.core.trust_format import parse_trust
from ledger_node.core.types import CityId, Commitment, Digest
from ledger_node.core.verdict import Verdict
from ledger_node.core.verify import verify_receipt
from ledger_node.core.witness import FindingKind, Witnessed
from ledger_node.flows.chain_node import CHAIN_HALTS
from ledger_node.flows.facts import leaf_hash_of, load_chain_view, read_status_flags
from ledger_node.flows.finding import count_open_objections
from ledger_node.flows.mirror_proofs import find_placement
from ledger_node.flows.node import Node
from ledger_node.flows.proving import find_kept, locate
from ledger_node.flows.receipt_facts import load_claimed_facts, position_at
from ledger_node.flows.trusting import load_final_block, load_trust
from ledger_node.flows.witnessing import load_witnessed
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_proofs import ProofKind


class FactsInDoubtError(UnavailableError):
    """This node has found a contradiction in the chain: nothing is verified on its facts."""

    code = "facts_in_doubt"

    def __init__(self) -> None:
        super().__init__(
            "本市节点发现链上事实有矛盾，正在核查，暂不出具核验结论。"
            "可带凭证到其他成员城市核验，或用信任文件离线核验。",
            "This node found a contradiction in the chain and gives no verdict on it now. "
            "Another member city, or a trust file used offline, can check the receipt.",
        )


@dataclass(frozen=True, slots=True)
class LaterNews:
    """What is known now against a material that a receipt speaks of.

    Attributes:
        city: That registered it.
        commitment: Which.
        standing: Not active; blocks that are not final yet count.
    """

    city: CityId
    commitment: Commitment
    standing: Standing


@dataclass(frozen=True, slots=True)
class LogNote:
    """What is known of a log that a receipt rests on.

    Attributes:
        city: Whose log.
        witnessed: By whom the newest anchored head was cosigned.
        findings: What stands against the log.
    """

    city: CityId
    witnessed: Witnessed
    findings: tuple[FindingKind, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """Answer to whoever brought a receipt.

    Attributes:
        verdict: Four lines.
        city_name: Of the city that signed, as the trust names it.
        as_of: Block the facts reach to; None if the trust file brought carries none.
        age_s: From that block to now; None likewise.
        source: Whether facts were read by this node or by whoever wrote the trust file.
        document_checked: Whether a document was compared.
        later: What is known now against its materials.
        logs: What is known of the logs it rests on.
        from_mirror: Whether a pending receipt was completed from what is mirrored here.
        light: What may be done on it, under the item's rule.
    """

    verdict: Verdict
    city_name: str
    as_of: BlockFact | None
    age_s: int | None
    source: FactSource | None
    document_checked: bool
    later: tuple[LaterNews, ...]
    logs: tuple[LogNote, ...]
    from_mirror: bool
    light: Light


def verify_brought_receipt(
    node: Node,
    receipt: bytes,
    *,
    document: Digest | None = None,
    trust: bytes | None = None,
    names: Mapping[CityId, str] | None = None,
    rule: FreshnessRule = RULES[Necessity.REQUIRED],
) -> Verification:
    """Verdict on a receipt of either kind; effects: none.

    Args:
        receipt: The file.
        document: SHA-256 of a file that should be one of its documents; None if none was brought.
        trust: A trust file brought along; the followed chain if None.
        names: City names for people.
        rule: How old the last known state may be for the item at hand.

    Raises:
        NotAReceiptError: Not exactly a receipt.
        MalformedInputError: The trust file is not one.
        NotFollowedError: No final block was taken in yet.
        FactsInDoubtError: The chain contradicts itself, and no trust file was brought.
    """
    parsed, from_mirror = parse_receipt_of_any_version(receipt), False
    with node.database.read() as tx:
        if trust is not None:
            trusted = parse_trust(trust)
        else:
            _demand_no_chain_halt(tx)
            completed = _complete(node, tx, parsed)
            from_mirror, parsed = completed is not None, completed or parsed
            facts = load_claimed_facts(tx, node.domain, parsed, load_final_block(tx))
            trusted = load_trust(tx, node.domain, facts, names or {})
        later = _list_later_news(tx, parsed)
        logs = _list_log_notes(tx, parsed)
    data = encode_receipt_of_any_version(parsed) if from_mirror else receipt
    verdict = verify_receipt(data, trusted, document=document, sensitive_types=node.sensitive_types)
    known = trusted.facts
    age_s = None if known is None else _age_s(node, known.as_of)
    in_doubt = bool(later) or any(_IN_DOUBT.intersection(log.findings) for log in logs)
    member = trusted.members.get(verdict.city)
    return Verification(
        verdict=verdict,
        city_name=verdict.city if member is None else member.name,
        as_of=None if known is None else known.as_of,
        age_s=age_s,
        source=None if known is None else known.source,
        document_checked=document is not None,
        later=later,
        logs=logs,
        from_mirror=from_mirror,
        light=decide_light(verdict.state, age_s, rule, in_doubt=in_doubt),
    )


_IN_DOUBT = frozenset({FindingKind.FORKED, FindingKind.SHRUNK})


def _complete(node: Node, tx: Transaction, receipt: ReceiptFile) -> ReceiptFile | None:
    """A registration receipt that was given while pending, sealed from what is mirrored here."""
    if receipt.kind is not ReceiptKind.REGISTRATION or receipt.seal is not None:
        return None
    body = read_registration_body(receipt.body)
    found = find_placement(node, tx, body.city, body.generation, body.commitment)
    if found is None:
        return None
    placement, head = found
    position = position_at(head.place)
    if receipt.version != RECEIPT_VERSION_1:
        return replace(receipt, seal=Seal(placement, position, None))
    log = find_kept(tx, head.place, ProofKind.LOG)
    if log is None:
        return None
    return replace(receipt, seal=Seal(placement, locate(log, position), None), chain=log)


def _list_log_notes(tx: Transaction, receipt: ReceiptFile) -> tuple[LogNote, ...]:
    """Witnesses and findings of every log whose entries the receipt shows."""
    if tx.chain.load_tip() is None:
        return ()
    view, notes = load_chain_view(tx), []
    for city in sorted({city for city, _ in _list_materials(receipt)}):
        head = tx.chain.find_latest_head(city)
        if head is not None:
            size, generation = head.tree_head.size, head.generation
            notes.append(
                LogNote(
                    city,
                    load_witnessed(tx, view, city, generation, size),
                    tuple(each.kind for each in tx.mirrors.list_findings(city)),
                )
            )
    return tuple(notes)


def encode_verification(verification: Verification) -> JsonObject:
    """As plain JSON, for machines."""
    verdict, as_of = verification.verdict, verification.as_of
    return {
        "state": verdict.state.value,
        "kind": verdict.kind.value,
        "receipt": verdict.receipt_id,
        "city": verdict.city,
        "city_name": verification.city_name,
        "codes": [code.value for code in verdict.codes],
        "lines": [
            {
                "question": line.question.value,
                "state": line.state.value,
                "code": None if line.code is None else line.code.value,
                "sentence_zh": line.sentence_zh,
                "sentence_en": line.sentence_en,
                "rests_on": [each.value for each in line.rests_on],
            }
            for line in verdict.lines
        ],
        "as_of": None
        if as_of is None
        else {"block": as_of.number, "time": as_of.block_timestamp_s},
        "age_s": verification.age_s,
        "source": None if verification.source is None else verification.source.value,
        "document_checked": verification.document_checked,
        "light": verification.light.value,
        "from_mirror": verification.from_mirror,
        "logs": [
            {
                "city": each.city,
                "witnessed": each.witnessed.count[0],
                "witnesses": each.witnessed.count[1],
                "findings": [kind.value for kind in each.findings],
            }
            for each in verification.logs
        ],
        "later": [
            {
                "city": each.city,
                "commitment": each.commitment.hex(),
                "standing": each.standing.value,
            }
            for each in verification.later
        ],
    }


def _demand_no_chain_halt(tx: Transaction) -> None:
    if any(halt.reason in CHAIN_HALTS for halt in tx.log.list_halts()):
        raise FactsInDoubtError


def _age_s(node: Node, as_of: BlockFact) -> int:
    return max(0, int(node.clock.now().timestamp()) - as_of.block_timestamp_s)


def _list_later_news(tx: Transaction, receipt: ReceiptFile) -> tuple[LaterNews, ...]:
    found = []
    for city, commitment in _list_materials(receipt):
        leaf_hash = leaf_hash_of(EntryKind.MATERIAL, commitment)
        standing = decide_standing(
            read_status_flags(tx, city, leaf_hash), count_open_objections(tx, city, leaf_hash)
        )
        if standing is not Standing.ACTIVE:
            found.append(LaterNews(city, commitment, standing))
    return tuple(found)


def _list_materials(receipt: ReceiptFile) -> list[tuple[CityId, Commitment]]:
    if receipt.kind is ReceiptKind.REGISTRATION:
        registered = read_registration_body(receipt.body)
        return [(registered.city, registered.commitment)]
    relied = read_reliance_body(receipt.body, receipt.version)
    releasing = relied.request.terms.releasing
    return [(releasing, material.commitment) for material in relied.materials]
