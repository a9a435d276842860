"""Both verifiers on receipts with two damages at once: what no vector pins down has to agree too.

Two damages of the vectors' own tables are put into one story, everything behind them is made anew
and signed again by whoever could, and state and codes of the two verifiers are compared.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from ledger_node.core.errors import LedgerError
from ledger_node.core.trust_format import parse_trust
from ledger_node.core.verify import verify_receipt
from tests.conformance_runner import Case, compare, run_batch
from tests.reference import formats as f
from tests.reference.receipt_cases_registration import REGISTRATION
from tests.reference.receipt_cases_reliance import RELIANCE
from tests.reference.receipt_cases_v1 import REGISTRATION as REGISTRATION_V1
from tests.reference.receipt_cases_v1 import SEALS, UNSEALED
from tests.reference.receipt_edits import both
from tests.reference.receipts import Story
from tests.reference.receipts_v1 import StoryV1

BATCH = "node verifier/dist/cli.js --batch"
PAIRS = 1_000
TABLES: tuple[tuple[str, Any, Any, dict[str, Any]], ...] = (
    ("registration", Story, REGISTRATION, {}),
    ("reliance", Story, RELIANCE, {}),
    ("registration", StoryV1, REGISTRATION_V1, {"sealed": True}),
    ("reliance", StoryV1, SEALS, {"sealed": True}),
    ("reliance", StoryV1, UNSEALED, {"sealed": False}),
)


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both edits; where they change one step, one after the other."""
    shared = {step: both(one[step], other[step]) for step in one.keys() & other.keys()}
    return one | other | shared


def draw_pairs(seed: str, count: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, receipt and trust file of stories with two damages each."""
    rng = random.Random(seed)
    pairs = [
        (table, *names) for table in TABLES for names in itertools.combinations(sorted(table[2]), 2)
    ]
    rng.shuffle(pairs)
    drawn = 0
    for (kind, story, cases, options), one, other in pairs:
        try:
            told = story(**merge(cases[one][0], cases[other][0]), **options)
            receipt, trust = f.jcs(getattr(told, kind)), f.jcs(told.trust)
            parse_trust(trust)
        except Exception:
            continue  # the second damage finds nothing left to damage
        yield f"{story.__name__} {kind}: {one} and {other}", receipt, trust
        drawn += 1
        if drawn == count:
            return


def judge(receipt: bytes, trust: bytes) -> Any:
    try:
        verdict = verify_receipt(receipt, parse_trust(trust))
    except LedgerError as error:
        return error.code
    return [verdict.state.value, [code.value for code in verdict.codes]]


def agree(seed: str, count: int) -> None:
    cases = [
        Case(name, receipt, trust, "", (), judge(receipt, trust))
        for name, receipt, trust in draw_pairs(seed, count)
    ]
    assert len(cases) == count
    failing = [case for case in cases if case.want[0] == "fails"]
    assert len(failing) > count // 2
    assert compare(cases, run_batch(BATCH, cases)) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_verifiers_two_damages_at_once_have_the_same_verdict() -> None:
    agree("pairs", PAIRS)
