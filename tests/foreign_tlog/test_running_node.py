"""The same foreign client reads the log of a running node, as its city serves it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ledger_node.core.signed_note import VerifierKey, encode_verifier_key
from ledger_node.flows.intake import register
from ledger_node.flows.submission import DocumentFile, Subject, Submission
from ledger_node.ports.keys import KeyRole
from tests.support.consortium import found_template, running_consortium

GO = shutil.which("go")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(GO is None, reason="Go is not on the PATH; this client is written in Go"),
]
PAPERS = 5


def paper(which: int) -> Submission:
    return Submission(
        "marriage-cert",
        (Subject("holder", "passport", f"E{which:08d}", "何雨晴"),),
        "A",
        (DocumentFile(lambda: io.BytesIO(b"paper %d" % which)),),
        number=f"J-{which}",
    )


def test_foreign_client_reads_a_running_node_and_its_root_is_the_anchored_one(
    tmp_path: Path,
) -> None:
    client = tmp_path / "foreign_tlog"
    build = [str(GO), "build", "-o", str(client), "."]
    subprocess.run(build, cwd=Path(__file__).parent, check=True, timeout=110)
    template = found_template(tmp_path / "template", 1)
    with running_consortium(template, tmp_path / "run") as consortium:
        runtime = consortium["wuhou"]
        node = runtime.node
        for which in range(PAPERS):
            register(node, runtime.queue, paper(which))

        def anchored_size() -> int:
            with node.database.read() as tx:
                head = tx.chain.find_latest_head(node.city)
            return head.tree_head.size if head else 0

        consortium.settle(lambda: anchored_size() == PAPERS)
        key = VerifierKey(node.origin, node.keys.public_key(KeyRole.CHECKPOINT))
        command = [client, "-vkey", encode_verifier_key(key), f"{template.cities[0].url}/log/"]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        found = json.loads(done.stdout)
        with node.database.read() as tx:
            head = tx.chain.find_latest_head(node.city)
    assert done.returncode == 0, found
    assert head is not None
    assert found["tree_size"] == PAPERS
    assert found["root_from_tiles"] == found["root_from_entries"] == head.tree_head.root.hex()
