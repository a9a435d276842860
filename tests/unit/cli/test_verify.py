"""`verify`: verdicts of the vectors as exit codes, and receipts that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.cli.conftest import Outcome, run_command
from tests.vector_runner import VECTORS

EACH = 6
HEAVY = ("web3", "sqlalchemy", "fastapi", "uvicorn", "alembic", "pyarrow", "httpx2")


def vector(kind: str, name: str = "happy") -> dict[str, Any]:
    path = VECTORS / "receipt" / kind / f"{name}.json"
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


@pytest.fixture
def nothing_sensitive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue of the vectors: one officer is enough for every type."""
    empty = SimpleNamespace(sensitive_types=frozenset())
    monkeypatch.setattr("ledger_node.seed.load_catalogue", lambda: empty)


def verify(folder: Path, receipt: bytes, trust: bytes, *more: object) -> Outcome:
    (folder / "receipt.json").write_bytes(receipt)
    (folder / "trust.json").write_bytes(trust)
    arguments = ["verify", folder / "receipt.json", "--trust", folder / "trust.json", *more]
    outcome = run_command([str(each) for each in arguments])
    assert "Traceback" not in outcome.out + outcome.err
    return outcome


@pytest.mark.parametrize("kind", ["registration", "reliance"])
@pytest.mark.usefixtures("nothing_sensitive")
def test_verify_good_receipt_holds_in_four_lines(tmp_path: Path, kind: str) -> None:
    happy = vector(kind)
    given = (happy["receipt"].encode(), happy["trust"].encode())
    result = verify(tmp_path, *given, "--json")
    assert (result.code, result.result["holds"]) == (0, True)
    assert len(result.result["lines"]) == 4
    people = verify(tmp_path, *given).out.splitlines()
    assert "成立 / holds" in people[0]
    assert sum(line.startswith(("✓", "–")) for line in people) == 4


@pytest.mark.parametrize("kind", ["registration", "reliance"])
@pytest.mark.usefixtures("nothing_sensitive")
def test_verify_vectors_exit_code_follows_the_verdict(tmp_path: Path, kind: str) -> None:
    seen: Counter[str | None] = Counter()  # all are verified in tests/unit/core
    for path in sorted((VECTORS / "receipt" / kind).glob("*.json")):
        case = vector(kind, path.stem)
        if seen[case["state"]] >= EACH:
            continue
        if case["document"] or case["sensitive_types"]:
            continue  # those need what a command gets from a file or from the catalogue
        outcome = verify(tmp_path, case["receipt"].encode(), case["trust"].encode(), "--json")
        expected = {"holds": 0, "fails": 1, "pending": 1, None: 2}[case["state"]]
        assert outcome.code == expected, path.stem
        if expected < 2:
            assert outcome.result["codes"] == case["codes"]
        seen[case["state"]] += 1
    assert min(seen[state] for state in ("holds", "fails", "pending")) >= 1


def test_verify_sensitive_types_of_the_catalogue_want_a_second_officer(tmp_path: Path) -> None:
    happy = vector("reliance")  # one officer signed for a marriage certificate
    outcome = verify(tmp_path, happy["receipt"].encode(), happy["trust"].encode(), "--json")
    assert (outcome.code, outcome.result["codes"]) == (1, ["evidence_officer"])


def test_verify_pending_receipt_says_so_and_does_not_hold(tmp_path: Path) -> None:
    cases = [vector("registration", p.stem) for p in (VECTORS / "receipt/registration").glob("*")]
    pending = next(case for case in cases if case["state"] == "pending")
    given = (pending["receipt"].encode(), pending["trust"].encode())
    outcome = verify(tmp_path, *given)
    assert outcome.code == 1
    assert "pending: not yet confirmed" in outcome.out
    assert f"[{pending['codes'][0]}]" in outcome.out


def test_verify_misspelt_receipts_are_bad_input(tmp_path: Path) -> None:
    trust = vector("registration")["trust"].encode()
    cases = sorted((VECTORS / "receipt" / "spelling").glob("*.json"))[::2]
    refused = 0
    for path in cases:
        case = vector("spelling", path.stem)
        outcome = verify(tmp_path, bytes.fromhex(case["bytes"]), trust, "--json")
        if case["want_error"] is not None:
            assert (outcome.code, outcome.error) == (2, "receipt_not_canonical"), path.stem
            refused += 1
    assert refused >= 10


def test_verify_misspelt_trust_files_are_bad_input(tmp_path: Path) -> None:
    receipt = vector("registration")["receipt"].encode()
    for path in sorted((VECTORS / "receipt" / "trust").glob("*.json"))[::3]:
        case = vector("trust", path.stem)
        outcome = verify(tmp_path, receipt, bytes.fromhex(case["bytes"]), "--json")
        assert (outcome.code == 2) == (case["want_error"] is not None), path.stem


def test_verify_oversize_missing_and_foreign_files_refused(tmp_path: Path) -> None:
    happy = vector("registration")
    receipt, trust = happy["receipt"].encode(), happy["trust"].encode()
    large = verify(tmp_path, b" " * (16 * 1024 * 1024 + 1), trust, "--json")
    assert (large.code, large.error) == (2, "file_too_large")
    swapped = verify(tmp_path, trust, receipt, "--json")
    assert swapped.code == 2
    (tmp_path / "empty").write_bytes(b"")
    empty = verify(tmp_path, receipt, trust, "--document", tmp_path / "empty", "--json")
    assert (empty.code, empty.error) == (2, "file_empty")
    for missing in ("--document", "--trust"):
        outcome = verify(tmp_path, receipt, trust, missing, tmp_path / "nowhere", "--json")
        assert (outcome.code, outcome.error) == (2, "file_unreadable")


def test_verify_document_that_is_another_does_not_hold(tmp_path: Path) -> None:
    happy = vector("registration")
    (tmp_path / "other").write_bytes(b"another paper")
    given = (happy["receipt"].encode(), happy["trust"].encode())
    outcome = verify(tmp_path, *given, "--document", tmp_path / "other", "--json")
    assert (outcome.code, outcome.result["codes"]) == (1, ["document_digest_mismatch"])


@pytest.mark.usefixtures("nothing_sensitive")
def test_verify_receipt_from_standard_input_holds(tmp_path: Path) -> None:
    happy = vector("reliance")
    (tmp_path / "trust.json").write_text(happy["trust"], "utf-8")
    arguments = ["verify", "-", "--trust", str(tmp_path / "trust.json"), "--json"]
    assert run_command(arguments, stdin=happy["receipt"]).code == 0


def test_verify_process_imports_no_database_chain_or_server_library(tmp_path: Path) -> None:
    happy = vector("registration")
    (tmp_path / "r.json").write_text(happy["receipt"], "utf-8")
    (tmp_path / "t.json").write_text(happy["trust"], "utf-8")
    program = (
        "import sys\n"
        "from ledger_node.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], end.code)\n"
    )
    arguments = ["verify", str(tmp_path / "r.json"), "--trust", str(tmp_path / "t.json"), "--json"]
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60
    )
    verdict, modules = run.stdout.splitlines()
    assert json.loads(verdict)["holds"] is True
    assert modules == "[] 0"
