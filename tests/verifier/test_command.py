"""The second verifier as a command: exit codes, sentences in two languages, files that are none."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.conformance_runner import DOCUMENT
from tests.vector_runner import VECTORS

COMMAND = Path(__file__).resolve().parents[2] / "verifier" / "dist" / "cli.js"
AT = "2026-09-21T14:30:00Z"  # 400 s after the last block of the facts


def run(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    vector = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    for file in ("receipt", "trust"):
        (folder / file).write_text(vector[file], "utf-8")
    command = ["node", str(COMMAND), str(folder / "receipt"), "--trust", str(folder / "trust")]
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_command_good_receipt_with_its_document_is_four_lines_with_its_age(tmp_path: Path) -> None:
    (tmp_path / "paper").write_bytes(DOCUMENT)
    done = run(
        tmp_path, "receipt/registration/happy-with-its-document",
        "--document", str(tmp_path / "paper"), "--at", AT,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert "成立 / holds" in lines[0]
    assert sum(line[0] in "✓–" for line in lines) == 4
    assert "facts reach to this block, 6 minutes ago" in lines[-1]
    for line in lines[1:-1:2]:
        assert re.search(r"：[\u4e00-\u9fff，、]+。$", line), line


def test_command_other_document_and_revoked_grant_do_not_hold(tmp_path: Path) -> None:
    (tmp_path / "paper").write_bytes(b"another paper")
    other = run(tmp_path, "receipt/registration/happy", "--document", str(tmp_path / "paper"))
    assert (other.returncode, "[document_digest_mismatch]" in other.stdout) == (1, True)
    revoked = run(tmp_path, "receipt/reliance/grant-revoked-before", "--sensitive", "", "--json")
    verdict = json.loads(revoked.stdout)
    assert (revoked.returncode, verdict["codes"]) == (1, ["grant_revoked"])
    assert [line["question"] for line in verdict["lines"]] == [
        "unchanged", "issuer_entitled", "valid_as_of", "right_person",
    ]  # fmt: skip


def test_command_files_that_are_none_are_bad_input(tmp_path: Path) -> None:
    for arguments, code in (
        (["--document", str(tmp_path / "nowhere")], "file_unreadable"),
        (["--trust", str(tmp_path / "receipt")], "trust_not_readable"),
        (["--unknown"], "usage"),
    ):
        done = run(tmp_path, "receipt/registration/happy", *arguments, "--json")
        assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, code)
