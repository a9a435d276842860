"""The second verifier against the published vectors: same verdicts and refusals, damage seen."""

from __future__ import annotations

import importlib
import json
import pkgutil
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

import ledger_node.core
from ledger_node.core.errors import LedgerError
from tests.conformance_runner import (
    FOLDERS,
    NOT_A_RECEIPT,
    compare,
    list_cases,
    run_batch,
    run_command,
)
from tests.vector_runner import VECTORS

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "verifier" / "dist"
HAPPY = (
    "receipt/registration/happy",
    "receipt/reliance/happy",
    "receipt_v1/registration/happy",
    "receipt_v1/reliance/happy",
    "receipt_v1/unsealed/happy-on-a-chain-without-seals",
)
QUICK_FLIPS = 60
SLOW_FLIPS = 10_000
FORMATS = {"canonical", "checkpoint", "commitment", "digest", "disclosure", "evidence", "merkle"}
FORMATS |= {"message", "release", "signed_note", "statement", "terms", "tlog_proof"}
TOPICS = FORMATS | {"receipt", "receipt_v1", "qbft"}
# Where a refusal has one meaning only, the code has to be the same as well.
SAME_CODE = (
    "evidence/counter",
    "evidence/passkey",
    "evidence/statutory",
    "receipt/",
    "receipt_v1/",
)
TYPESCRIPT = (
    "node verifier/dist/cli.js {receipt} --trust {trust} {document} --sensitive {sensitive} --json"
)
PYTHON = (
    ".venv/bin/tongban verify {receipt} --trust {trust} {document} --sensitive {sensitive} --json"
)


def node(program: str, *arguments: str, given: str = "", limit_s: int = 120) -> str:
    command = ["node", str(DIST / program), *arguments]
    assert (DIST / program).exists(), "make verifier builds it"
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=limit_s, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    """What the verifier says of every vector, in one process."""
    found: dict[str, Any] = json.loads(node("conformance.js", str(VECTORS)))
    return found


def list_codes() -> dict[str, str]:
    """Code of every error class that a vector may name."""
    for module in pkgutil.iter_modules(ledger_node.core.__path__):
        importlib.import_module(f"ledger_node.core.{module.name}")
    codes, classes = {}, [LedgerError]
    while classes:
        each = classes.pop()
        codes[each.__name__] = each.code
        classes += each.__subclasses__()
    return codes


def test_second_verifier_every_format_vector_has_named_outcome(outcome: dict[str, Any]) -> None:
    codes, refused, held = list_codes(), 0, 0
    for path, found in outcome.items():
        if path == "qbft" or isinstance(found, dict):
            continue
        vector = json.loads((VECTORS / path).read_text("utf-8"))
        wanted = vector["want_error"] and codes[vector["want_error"]]
        assert (found is None) == (wanted is None), f"{path}: wanted {wanted}, got {found}"
        assert not str(found).startswith("failed"), f"{path}: {found}"
        if wanted and path.startswith(SAME_CODE) and "trust/" not in path:
            same = {wanted, NOT_A_RECEIPT if "/spelling/" in path else wanted}
            assert found in same, f"{path}: wanted {wanted}, got {found}"
        refused, held = refused + (found is not None), held + (found is None)
    assert {path.split("/")[0] for path in outcome} == TOPICS
    assert refused >= 400
    assert held >= 100


def test_second_verifier_every_receipt_vector_has_the_published_verdict(
    outcome: dict[str, Any],
) -> None:
    judged = 0
    for folder in FOLDERS:
        for path in sorted((VECTORS / folder).glob("*.json")):
            vector, found = json.loads(path.read_text("utf-8")), outcome[f"{folder}/{path.name}"]
            assert found == {"state": vector["state"], "codes": vector["codes"]}, path.stem
            judged += 1
    assert judged >= 214


def test_second_verifier_recorded_blocks_hold_and_each_damage_is_named(
    outcome: dict[str, Any],
) -> None:
    found = dict(outcome["qbft"])
    for name, code in {
        "two of four": "seals_insufficient",
        "duplicated seal": "seal_duplicated",
        "no signature": "seal_invalid",
        "foreign validator": "seal_foreign",
        "changed state root": "seal_foreign",
        "round of block 1 left out": "seal_foreign",
    }.items():
        assert found.pop(name) == code, name
    damaged = [name for name in found if name.endswith(("a node less", "a node more"))]
    assert len(damaged) == 4
    assert {found.pop(name) for name in damaged} == {"trie_proof_invalid"}
    assert set(found.values()) == {"holds"}
    assert {f"block {number}" for number in range(30)} <= found.keys()
    assert "block 1 is of round one: two hashes" in found


def flip(paths: tuple[str, ...], count: int, seed: str) -> None:
    bits = {}
    for path in paths:
        data = json.loads((VECTORS / f"{path}.json").read_text("utf-8"))["receipt"].encode()
        rng = random.Random(f"{seed}/{path}")
        bits[f"{path}.json"] = [rng.randrange(8 * len(data)) for _ in range(count)]
    given = json.dumps(bits)
    found = json.loads(node("conformance.js", str(VECTORS), "--flips", given=given, limit_s=900))
    for path, each in found.items():
        assert each["held"] == [], path
        assert each["unreadable"] + each["fails"] + each["pending"] == count
        assert each["unreadable"]
        assert each["fails"]
    assert len(found) == len(paths)


def test_second_verifier_any_flipped_bit_is_refused() -> None:
    """T5, receipts of both versions and kinds."""
    flip(HAPPY, QUICK_FLIPS, "flip")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", HAPPY)
def test_second_verifier_ten_thousand_flipped_bits_are_refused(path: str) -> None:
    flip((path,), SLOW_FLIPS, "long flip")


def test_conformance_runner_batch_finds_every_verdict_and_a_false_one() -> None:
    cases = list(list_cases())[::25]
    answers = run_batch("node verifier/dist/cli.js --batch", cases)
    assert compare(cases, answers) == []
    assert len(compare(cases, [["holds", ["nothing"]], *answers[1:]])) == 1
    assert compare(cases, answers[:-1])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", [TYPESCRIPT, PYTHON], ids=["typescript", "python"])
def test_conformance_runner_command_per_vector_agrees(command: str) -> None:
    cases = list(list_cases())
    assert len(cases) >= 270
    assert compare(cases, run_command(command, cases)) == []
