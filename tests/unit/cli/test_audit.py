"""`tongban audit` with what an auditor's laptop has: trust file, copy of the chain, tiles."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.made_ledger import MadeLedger, make_ledger, write_trust
from tests.unit.cli.conftest import City, Outcome, run_command
from tests.unit.core.chain_histories import CITIES

MATERIALS, GRANTS, BLOCKS = 1000, 20, 20
QUESTIONS = (
    ("uses", "a" * 64),
    ("relied-after-withdrawal",),
    ("outside-purpose",),
    ("unacknowledged",),
    ("late-anchors",),
    ("officer-finds", "wuhou-1"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeLedger:
    folder = tmp_path_factory.mktemp("made")
    made = make_ledger(folder, materials=MATERIALS, grants=GRANTS, blocks=BLOCKS)
    write_trust(made, folder / "trust.json")
    return made


def sources(made: MadeLedger) -> list[str]:
    return ["--trust", str(made.copy.parent / "trust.json"), "--copy", str(made.copy)]


def audit(*arguments: object) -> Outcome:
    outcome = run_command(["audit", *(str(each) for each in arguments), "--json"])
    assert "Traceback" not in outcome.out + outcome.err
    return outcome


def test_audit_replay_from_copy_and_tiles_is_signed_and_verifies(
    made: MadeLedger, tmp_path: Path
) -> None:
    key, report = tmp_path / "key", tmp_path / "report.json"
    made_key = audit("key", "liu-min", "-o", key)
    assert made_key.code == 0
    assert audit("key", "liu-min", "-o", key).result["error"]["code"] == "malformed_argument"
    signing = ("--key", key, "--auditor", "liu-min", "-o", report)
    done = audit("replay", *sources(made), "--tiles", made.tiles, *signing)
    assert (done.code, done.result["clean"]) == (0, True)
    told = [json.loads(line) for line in done.err.splitlines()]
    assert {each["stage"] for each in told} == {"chain", *(f"log {city}/1" for city in CITIES)}
    good = audit("verify", report, "--auditor-key", made_key.result["verifier_key"])
    assert (good.code, good.result["source"], good.result["report"]) == (0, "copy", done.result)
    report.write_bytes(report.read_bytes().replace(b'"events":', b'"events":1'))
    bad = audit("verify", report, "--auditor-key", made_key.result["verifier_key"])
    assert (bad.code, bad.result["error"]["code"]) == (1, "report_signature_invalid")


def test_audit_replay_without_tiles_names_every_log(made: MadeLedger, tmp_path: Path) -> None:
    done = audit("replay", *sources(made), "--tiles", tmp_path)
    assert done.code == 1
    found = done.result["discrepancies"]
    assert {each["code"] for each in found} == {"log_withheld"}
    assert {f"log {city}/1 bundle 0" for city in CITIES} <= {each["where"] for each in found}


def test_audit_state_at_a_block_is_that_of_the_items_written(
    made: MadeLedger, tmp_path: Path
) -> None:
    items = tmp_path / "state"
    last = audit("state", *sources(made))
    earlier = audit("state", *sources(made), "--at-block", made.blocks - 11, "-o", items)
    assert (last.code, last.result["grants"], last.result["consumptions"]) == (0, GRANTS, GRANTS)
    assert (earlier.result["grants"], earlier.result["consumptions"]) == (GRANTS - 9, GRANTS - 10)
    assert earlier.result["as_of"]["number"] == made.blocks - 11
    assert hashlib.sha256(items.read_bytes()).hexdigest() == earlier.result["state_digest"]
    beyond = audit("state", *sources(made), "--at-block", made.blocks)
    assert (beyond.code, beyond.result["error"]["code"]) == (2, "block_not_final")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each[0])
def test_audit_question_is_answered_by_a_city_and_refused_kindly_without(
    city: City, question: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TONGBAN_NODE", raising=False)
    alone = audit(*question)
    assert (alone.code, alone.result["error"]["code"]) == (2, "city_records_needed")
    assert "--node" in alone.result["error"]["message_zh"]
    asked = audit(*question, "--node", city.path)
    assert (asked.code, asked.result["rows"], asked.result["more"]) == (0, [], False)
    people = run_command(["audit", *question, "--node", str(city.path)]).out
    assert "：0 条 / " in people


@pytest.mark.slow
def test_audit_replay_killed_in_the_middle_goes_on(tmp_path: Path) -> None:
    """SIGKILL once the first log is behind it; the next process reads it no more."""
    made = make_ledger(tmp_path, materials=5 * 70_000, grants=100, blocks=10)
    write_trust(made, tmp_path / "trust.json")
    command = [sys.executable, "-m", "ledger_node.cli", "audit", "replay", "--json"]
    command += [*sources(made), "--tiles", str(made.tiles), "--work", str(tmp_path / "work")]
    first, second = sorted(CITIES)[:2]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if json.loads(line)["stage"] == f"log {second}/1":
                process.send_signal(signal.SIGKILL)
                break
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    assert (result["clean"], sum(log["entries"] for log in result["logs"])) == (True, 350_000)
    told = [json.loads(line) for line in done.stderr.splitlines()]
    begun = {}
    for each in told:
        begun.setdefault(each["stage"], each["done"])
    assert begun[f"log {first}/1"] == 65_536 + 256, "the whole portion is not read again"
    assert begun[f"log {sorted(CITIES)[4]}/1"] == 256
