"""Facts a receipt is checked against: those at hand, and those it proves itself.

Step 9 of the data flow. Spec: docs/spec/receipt-v1.md, "Chain". Used by verify.py and
verify_reliance.py.
"""

from __future__ import annotations

from collections.abc import Collection

from ledger_node.core.chain_facts import BlockFact, ChainFacts
from ledger_node.core.chain_proofs import ChainEvidenceError, verify_chain_evidence
from ledger_node.core.proven_facts import add_proven
from ledger_node.core.receipt import RECEIPT_VERSION_1, ReceiptFile
from ledger_node.core.receipt_needs import compute_needed_slots
from ledger_node.core.status import LeafKey
from ledger_node.core.trust import Trust
from ledger_node.core.verdict import Judgement
from ledger_node.core.verdict_codes import VerdictCode


def gather_facts(
    receipt: ReceiptFile,
    trust: Trust,
    facts: ChainFacts | None,
    claimed: Collection[BlockFact],
    leaves: list[LeafKey],
) -> tuple[ChainFacts | None, VerdictCode | None]:
    """Facts for one receipt, and what is wrong with those it carries.

    Args:
        receipt: Of either version; the first carries none.
        trust: What is taken as given.
        facts: Read by somebody, or None.
        claimed: Every block the receipt names.
        leaves: Every leaf whose status it speaks of.

    Returns:
        Facts at hand, with those the receipt proves; the code of what it carries wrongly, or of
        its carrying nothing, or None.
    """
    if receipt.version != RECEIPT_VERSION_1:
        return facts, None
    if receipt.chain is None:
        return facts, VerdictCode.CHAIN_EVIDENCE_MISSING
    try:
        slots = compute_needed_slots(leaves)
        proven = verify_chain_evidence(receipt.chain, trust, claimed, slots)
    except ChainEvidenceError as error:
        return facts, error.code
    return add_proven(facts, proven, trust), None


def check_carried(judgement: Judgement, problem: VerdictCode | None) -> None:
    """Fail if what the receipt carries of the chain does not hold; wait if it carries nothing."""
    if problem is VerdictCode.CHAIN_EVIDENCE_MISSING:
        judgement.wait(problem)
    elif problem is not None:
        judgement.fail(problem)
