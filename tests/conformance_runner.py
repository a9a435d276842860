"""Conformance of any receipt verifier: the published vectors against a command, verdict by verdict.

    python -m tests.conformance_runner --batch 'node verifier/dist/cli.js --batch'
    python -m tests.conformance_runner --command 'tongban verify {receipt} --trust {trust} \
        {document} --sensitive {sensitive} --json'

Compared are state and codes, one per line that does not hold, in the order of the questions; for
misspelt files that the code of the refusal is `receipt_not_canonical`. How a verifier is called:
docs/spec/conformance.md. Imports nothing of the product.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parent / "vectors"
JUDGED = ("receipt/registration", "receipt/reliance", "receipt_v1/registration")
FOLDERS = (*JUDGED, "receipt_v1/reliance", "receipt_v1/unsealed")
SPELT = ("receipt/spelling", "receipt_v1/spelling")
NOT_A_RECEIPT = "receipt_not_canonical"
DOCUMENT = "结婚证扫描件".encode()  # the one document whose digest the vectors commit to
LIMIT_S = 600


@dataclass(frozen=True)
class Case:
    """One vector: what is judged, and the verdict wanted.

    Attributes:
        name: Path below tests/vectors, without ending.
        receipt, trust: Bytes of the files.
        document: Digest of the file at hand in hex; empty for none.
        sensitive: Material types that ask for a second officer.
        want: `[state, codes]`, or the code of the refusal, or None: readable, whatever the verdict.
    """

    name: str
    receipt: bytes
    trust: bytes
    document: str
    sensitive: tuple[str, ...]
    want: Any


def list_cases() -> Iterator[Case]:
    """Every receipt vector: those that are judged, then those that are spelt."""
    trust = b""
    for folder in FOLDERS:
        for path in sorted((VECTORS / folder).glob("*.json")):
            v = json.loads(path.read_text("utf-8"))
            trust = v["trust"].encode()
            sensitive = tuple(v["sensitive_types"])
            want = [v["state"], v["codes"]]
            name = f"{folder}/{path.stem}"
            yield Case(name, v["receipt"].encode(), trust, v["document"], sensitive, want)
    for folder in SPELT:
        for path in sorted((VECTORS / folder).glob("*.json")):
            v = json.loads(path.read_text("utf-8"))
            want = NOT_A_RECEIPT if v["want_error"] else None
            yield Case(f"{folder}/{path.stem}", bytes.fromhex(v["bytes"]), trust, "", (), want)


def read_answer(text: str) -> Any:
    """`[state, codes]`, or the code of an error, of one JSON object as a verifier prints it."""
    answer = json.loads(text)
    return answer["error"]["code"] if "error" in answer else [answer["state"], answer["codes"]]


def run_command(command: str, cases: Sequence[Case]) -> list[Any]:
    """One process per case; `{receipt}`, `{trust}`, `{document}`, `{sensitive}` are filled in."""
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        receipt, trust, document = (Path(folder) / name for name in ("r.json", "t.json", "d"))
        for case in cases:
            receipt.write_bytes(case.receipt)
            trust.write_bytes(case.trust)
            is_known = case.document == hashlib.sha256(DOCUMENT).hexdigest()
            document.write_bytes(DOCUMENT if is_known else b"another file")
            filled = command.format(
                receipt=shlex.quote(str(receipt)),
                trust=shlex.quote(str(trust)),
                document=f"--document {shlex.quote(str(document))}" if case.document else "",
                sensitive=shlex.quote(",".join(case.sensitive)),
            )
            answers.append(read_answer(_run(shlex.split(filled))))
    return answers


def run_batch(command: str, cases: Sequence[Case]) -> list[Any]:
    """One process for all cases: a JSON object a line in, one out."""
    lines = [
        json.dumps(
            {
                "receipt": case.receipt.hex(),
                "trust": case.trust.hex(),
                "document": case.document,
                "sensitive_types": case.sensitive,
            }
        )
        for case in cases
    ]
    answers = _run(shlex.split(command), "\n".join(lines) + "\n").splitlines()
    return [read_answer(line) for line in answers]


def _run(arguments: Sequence[str], given: str | None = None) -> str:
    done = subprocess.run(
        arguments, input=given, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    if not done.stdout.strip():
        raise RuntimeError(f"{arguments[0]} printed nothing: {done.stderr[-500:]}")
    return done.stdout


def compare(cases: Sequence[Case], answers: Sequence[Any]) -> list[str]:
    """What differs, by name; empty when the verifier conforms."""
    if len(cases) != len(answers):
        return [f"{len(answers)} answers to {len(cases)} cases"]
    return [
        f"{case.name}: wanted {case.want}, got {answer}"
        for case, answer in zip(cases, answers, strict=True)
        if (answer == NOT_A_RECEIPT if case.want is None else answer != case.want)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 if every verdict is as published, else 1; differences are printed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--command", help="run once per vector, with {receipt} {trust} and so on")
    way.add_argument("--batch", help="run once; reads and prints one JSON object a line")
    parser.add_argument("--every", type=int, default=1, help="only every n-th vector")
    options = parser.parse_args(argv)
    cases = list(list_cases())[:: options.every]
    run, command = (run_batch, options.batch) if options.batch else (run_command, options.command)
    differences = compare(cases, run(command, cases))
    for each in differences:
        print(each)
    print(f"{len(cases) - len(differences)} of {len(cases)} verdicts as published")
    return 1 if differences or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
