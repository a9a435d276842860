"""The whole way of one material by commands alone, over a real chain process and node processes.

Commands are invoked inside the test's process (each opens and closes the city's directory as its
own process would); the chain and the nodes are processes. Nodes of two cities run, the third
city's directory is only opened.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.unit.cli.conftest import FIELDS, NUMBER, Outcome, run_command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
START_S = 90.0
WAIT = ("--wait", "60")
PERSON = {"scheme": "cn-resident-id", "number": NUMBER, "name": "何雨晴"}
PAPER = b"%PDF-1.7 one marriage certificate"


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, held together so that they differ."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@contextmanager
def running(*arguments: str, log: Path) -> Iterator[dict[str, Any]]:
    """`tongban …` as a process; yields the JSON line it prints when ready."""
    command = [sys.executable, "-m", "ledger_node.cli", *arguments]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    guard = threading.Timer(START_S, process.kill)
    guard.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        guard.cancel()
        assert line, log.read_text("utf-8")
        yield json.loads(line)
    finally:
        guard.cancel()
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        process.stdout.close() if process.stdout else None


@dataclass
class Stage:
    """The running cities, and what earlier tests of this module left for later ones."""

    path: Path
    rpc: str
    left: dict[str, Any] = field(default_factory=dict)

    def run(self, city: str, *arguments: object) -> Outcome:
        """A command in a city, with `--json`."""
        env = {"TONGBAN_NODE": str(self.path / city)}
        outcome = run_command([*(str(each) for each in arguments), "--json"], env)
        assert "Traceback" not in outcome.out + outcome.err
        return outcome

    def good(self, city: str, *arguments: object) -> Any:
        """The result of a command that must hold."""
        outcome = self.run(city, *arguments)
        assert outcome.code == 0, outcome
        return outcome.result

    def file(self, name: str, content: object) -> Path:
        path = self.path / name
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        path.write_bytes(data)
        return path

    def verify(self, receipt: Path, document: Path | None = None) -> Outcome:
        """Offline, with a trust file of now; as a process of its own."""
        trust = self.path / "trust.json"
        self.good("mianyang", "consortium", "trust", "-o", trust)
        command = ["verify", str(receipt), "--trust", str(trust), "--json"]
        command += [] if document is None else ["--document", str(document)]
        run = subprocess.run(
            [sys.executable, "-m", "ledger_node.cli", *command],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return Outcome(run.returncode, run.stdout, run.stderr)

    def consent(self, city: str, **changes: object) -> list[Any]:
        """Terms signed by both officers of a city; returns its grants."""
        described = {
            "subject": PERSON,
            "releasing": ["510107"],
            "types": [
                {"code": "marriage-cert", "fields": ["number", "issued_on"], "documents": True}
            ],
            "item": "hpf-loan-remote",
            "case": "MY-2026-000118",
            "window_s": 1800,
        }
        arguments = ["--officer", f"{city}-1", "--officer", f"{city}-2"]
        arguments += ["--signature", self.file("pad.png", b"image of the pad")]
        fields = self.file("consent.json", described | changes)
        terms = self.path / "terms.json"
        result = self.good(city, "terms", "--fields", fields, *arguments, "-o", terms)
        grants: list[Any] = result["grants"]
        return grants


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    path = tmp_path_factory.mktemp("cli")
    ports = free_ports(5)
    with ExitStack() as stack:
        chain = running(
            "chain", "run", "--data", str(path / "chain"), "--port", "0", log=path / "chain.log"
        )
        rpc = stack.enter_context(chain)["rpc"]
        founding = ["consortium", "init", str(path), "--rpc", rpc, "--json"]
        made = run_command([*founding, "--ports", ",".join(map(str, ports))])
        assert made.code == 0, made
        assert len(made.result["cities"]) == 5
        for city in ("wuhou", "mianyang"):
            arguments = ("node", "run", "--node", str(path / city))
            ready = stack.enter_context(running(*arguments, log=path / f"{city}.log"))
            assert ready["ready"] is True
        yield Stage(path, rpc)
    structlog.reset_defaults()


def test_registered_paper_is_anchored_and_verifies_offline(stage: Stage) -> None:
    paper = stage.file("paper.pdf", PAPER)
    registered = stage.good(
        "wuhou", "register", paper, "--type", "marriage-cert",
        "--fields", stage.file("fields.json", FIELDS),
    )  # fmt: skip
    assert registered["state"] == "pending"
    for city in ("wuhou", "mianyang"):  # side by side with the anchor
        stage.good(city, "officer", "enrol", f"{city}-1", "--role", "registrar")
        stage.good(city, "officer", "enrol", f"{city}-2", "--role", "supervisor")
    receipt = stage.path / "registration.json"
    sealed = stage.good("wuhou", "receipt", registered["id"], *WAIT, "-o", receipt)
    assert (sealed["state"], sealed["leaf_index"]) == ("anchored", 0)
    verdict = stage.verify(receipt, paper)
    assert (verdict.code, verdict.result["holds"]) == (0, True)
    stage.left |= {"material": registered["id"], "commitment": registered["commitment"]}

    root = sealed["root"].encode()
    flipped = root[:-1] + (b"0" if root.endswith(b"1") else b"1")
    changed = receipt.read_bytes().replace(b'"root":"' + root, b'"root":"' + flipped)
    assert stage.verify(stage.file("changed.json", changed)).code == 1


def test_consented_paper_is_found_released_relied_on_and_verifies(stage: Stage) -> None:
    unknown = stage.run("mianyang", "receipt", stage.left["material"])
    assert (unknown.code, unknown.error) == (2, "material_not_found")  # an id of another city
    wait_for_officers(stage, "mianyang")
    (grant,) = stage.consent("mianyang")
    grant_id = grant["grant"]
    found = stage.good("mianyang", "find", stage.path / "terms.json", "--officer", "mianyang-1")
    (outcome,) = found["outcomes"]
    assert outcome["grant"] == grant_id
    assert [each["material"] for each in outcome["candidates"]] == [stage.left["commitment"]]
    assert NUMBER not in json.dumps(found)

    too_much = stage.run(
        "mianyang", "release", grant_id, "--officer", "mianyang-1", "--field", "subjects"
    )
    assert (too_much.code, too_much.error) == (2, "malformed_argument")
    elsewhere = ("--material", "00" * 32)
    unfound = stage.run("mianyang", "release", grant_id, "--officer", "mianyang-1", *elsewhere)
    assert (unfound.code, unfound.error) == (2, "material_not_in_find")
    assert stage.good("mianyang", "grant", grant_id, *WAIT)["state"] == "recorded"
    folder = stage.path / "received"
    release = stage.good(
        "mianyang", "release", grant_id, "--officer", "mianyang-1", "-o", folder, *WAIT
    )
    assert release["state"] == "acknowledged"
    (material,) = release["materials"]
    fields, document = (Path(each) for each in material["files"])
    assert document.read_bytes() == PAPER
    assert json.loads(fields.read_text("utf-8"))["number"] == FIELDS["number"]
    assert fields.stat().st_mode & 0o777 == 0o600

    receipt = stage.path / "reliance.json"
    decision = ("--officer", "mianyang-2", "--role", "supervisor", "--outcome", "granted")
    relied = stage.good("mianyang", "rely", release["release"], *decision, *WAIT, "-o", receipt)
    assert relied["state"] == "anchored"
    verdict = stage.verify(receipt, document)
    assert verdict.code == 0, verdict
    assert [line["state"] for line in verdict.result["lines"]] == ["holds"] * 4
    stage.left |= {"grant": grant_id, "reliance": receipt, "release": release["release"]}


@pytest.mark.slow
def test_used_up_and_revoked_grants_are_refused(stage: Stage) -> None:
    grant_id = stage.left["grant"]
    again = stage.run("mianyang", "release", grant_id, "--officer", "mianyang-1", *WAIT)
    assert (again.code, again.result["state"]) == (1, "refused")
    assert again.result["problem"] == "grant_used_up"
    assert stage.good("mianyang", "revoke", grant_id, *WAIT)["state"] == "revoked"
    refused = stage.run("mianyang", "release", grant_id, "--officer", "mianyang-1", *WAIT)
    assert (refused.code, refused.result["problem"]) == (1, "grant_revoked")
    twice = stage.run("mianyang", "revoke", grant_id)
    assert (twice.code, twice.error) == (1, "grants_already_revoked")
    asked = stage.run("mianyang", "find", grant_id, "--officer", "mianyang-1")
    assert (asked.code, asked.result["outcomes"][0]["outcome"]) == (1, "grant_revoked")
    assert stage.verify(stage.left["reliance"]).code == 0  # what was done before stands


@pytest.mark.slow
def test_signed_terms_are_carried_to_the_receiving_city_whole_or_not_at_all(stage: Stage) -> None:
    wait_for_officers(stage, "wuhou")
    (grant,) = stage.consent("wuhou", receiving="510700", case="MY-2026-000119")
    terms = stage.path / "terms.json"
    data = terms.read_bytes()

    foreign = stage.run("yuzhong", "find", terms, "--officer", "nobody")
    assert (foreign.code, foreign.error) == (2, "foreign_terms")
    longer = stage.file("longer.json", data.replace(b'"uses":1', b'"uses":9'))
    challenged = stage.run("mianyang", "find", longer, "--officer", "mianyang-1")
    assert (challenged.code, challenged.error) == (1, "evidence_invalid")
    other = stage.file("other.json", data.replace("何雨晴".encode(), "何雨明".encode()))
    renamed = stage.run("mianyang", "find", other, "--officer", "mianyang-1")
    assert (renamed.code, renamed.error) == (1, "commitment_mismatch")
    purpose = stage.file("purpose.json", data.replace(b"MY-2026-000119", b"MY-2026-000120"))
    assert stage.run("mianyang", "find", purpose, "--officer", "mianyang-1").code == 1
    file = json.loads(data)
    officers = file["grants"][0]["evidence"]["officers"]
    officers[1]["signature"] = officers[0]["signature"]
    text = json.dumps(file, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    repeated = stage.file("repeated.json", text.encode())
    outcome = stage.run("mianyang", "find", repeated, "--officer", "mianyang-1")
    assert (outcome.code, outcome.error) == (1, "evidence_officer")
    assert stage.run("mianyang", "grant", grant["grant"]).error == "grant_not_found"

    found = stage.good("mianyang", "find", terms, "--officer", "mianyang-1")
    materials = {each["material"] for each in found["outcomes"][0]["candidates"]}
    assert stage.left["commitment"] in materials
    recorder = stage.run("mianyang", "grant", grant["grant"])
    assert (recorder.code, recorder.error) == (2, "not_recording_city")


@pytest.mark.slow
def test_one_officer_twice_or_another_citys_member_is_refused(stage: Stage) -> None:
    fields = json.loads((stage.path / "consent.json").read_text("utf-8"))
    pad = stage.path / "pad.png"

    def ask(described: object, *officers: str) -> Outcome:
        path = stage.file("again.json", described)
        chosen = [text for officer in officers for text in ("--officer", officer)]
        return stage.run("wuhou", "terms", "--fields", path, *chosen, "--signature", pad)

    both = ("wuhou-1", "wuhou-2")
    for described, officers, code in (
        (fields, ("wuhou-1", "wuhou-1"), "evidence_officer"),
        (fields, ("wuhou-1",), "evidence_officer"),
        (fields, ("wuhou-1", "mianyang-2"), "officer_not_found"),
        (fields | {"releasing": ["999999"]}, both, "malformed_fields"),
        (fields | {"releasing": ["510700"]}, both, "malformed_fields"),
        (
            fields | {"types": [{"code": "marriage-cert", "fields": ["x"]}]},
            both,
            "malformed_fields",
        ),
        (fields | {"types": [{"code": "no-such"}]}, both, "unknown_material_type"),
        (fields | {"window_s": 0}, both, "malformed_fields"),
        (fields | {"window_s": 400 * 86_400}, both, "unexpected_shape"),
    ):
        outcome = ask(described, *officers)
        assert outcome.code in (1, 2)
        assert outcome.error == code
    (stage.path / "empty.png").write_bytes(b"")
    pad = stage.path / "empty.png"
    assert ask(fields, *both).error == "file_empty"


def test_withdrawn_paper_no_longer_verifies_and_the_replay_is_clean(stage: Stage) -> None:
    material = stage.left["material"]
    gone = stage.good("wuhou", "withdraw", material, "--reason", "error-in-register", *WAIT)
    assert gone["state"] == "withdrawn"
    verdict = stage.verify(stage.path / "registration.json")
    assert (verdict.code, verdict.result["codes"]) == (1, ["status_withdrawn"])

    from_node = stage.good("mianyang", "audit", "replay", "--node", stage.path / "mianyang")
    trust = stage.path / "trust.json"
    alone = stage.good("mianyang", "audit", "replay", "--trust", trust, "--rpc", stage.rpc)
    assert from_node["clean"] is alone["clean"] is True
    assert from_node["database_rows"] > 0
    assert alone["database_rows"] is None
    copy = stage.path / "copy"
    exported = stage.good("mianyang", "audit", "export", copy, "--trust", trust, "--rpc", stage.rpc)
    block = ("--at-block", exported["as_of"]["number"])
    digests = {
        stage.good("mianyang", "audit", "state", "--trust", trust, *source, *block)["state_digest"]
        for source in (("--rpc", stage.rpc), ("--copy", copy))
    }
    assert len(digests) == 1
    status = stage.good("mianyang", "node", "status")
    assert (status["halts"], status["log"]["pending"]) == ([], 0)


def wait_for_officers(stage: Stage, city: str) -> None:
    """A credential counts from the second after its anchor: a paper registered later is anchored
    in a later block."""
    name = f"marker-{city}"
    fields = stage.file(f"{name}.json", FIELDS | {"number": name})
    marker = stage.good(
        city, "register", stage.path / "paper.pdf", "--type", "marriage-cert", "--fields", fields
    )
    stage.good(city, "receipt", marker["id"], *WAIT)
