"""A log client that shares no code with us reads a log we wrote (Go, golang.org/x/mod).

Runs where Go is found. Each refusal has its twin: the same log, untouched, holds.
"""

import functools
import http.server
import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core import checkpoint, entry_bundle, merkle, signed_note, tiles
from tests.reference.topics.merkle import make_entries

GO = shutil.which("go")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(GO is None, reason="Go is not on the PATH; this client is written in Go"),
]
ORIGIN = "tongban.example/510107/0"
SIZES = (7, 256, 700)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = signed_note.VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The built program; the module cache of Go makes later builds quick."""
    target = tmp_path_factory.mktemp("client") / "foreign_tlog"
    subprocess.run(
        [GO, "build", "-o", target, "."], cwd=Path(__file__).parent, check=True, timeout=110
    )
    return target


def sign(head):
    text = checkpoint.encode_checkpoint(checkpoint.Checkpoint(ORIGIN, head))
    return signed_note.build_note(text, ORIGIN, KEY.public_key, PRIVATE.sign(text.encode()))


def make_files(seed="vector", sizes=SIZES):
    """Files of a log grown in steps, with the checkpoint of every size."""
    entries, files, old = make_entries(sizes[-1], seed), {}, 0
    for size in sizes:
        new = entries[old:size]
        written, head = tiles.extend_tiles(old, merkle.hash_leaves(new), files.__getitem__)
        written |= entry_bundle.build_entry_bundles(old, new, files.__getitem__)
        files |= written
        files["checkpoint"] = files[f"checkpoint-{size}"] = sign(head)
        old = size
    return files


@pytest.fixture
def log(tmp_path):
    """Directory of a log of 700 entries."""
    for path, data in make_files().items():
        target = tmp_path / "log" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return tmp_path / "log"


def run(client, base, *options, key=KEY):
    """Exit code and report of the client."""
    command = [client, "-vkey", signed_note.encode_verifier_key(key), *options, str(base)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)


def test_foreign_client_over_http_recomputes_our_root(client, log):
    handler = functools.partial(QuietHandler, directory=log)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code, found = run(client, f"http://127.0.0.1:{server.server_address[1]}/")
        server.shutdown()
    root = merkle.compute_root(merkle.hash_leaves(make_entries(700))).hex()
    assert (code, found["holds"], found["origin"]) == (0, True, ORIGIN)
    assert (
        found["checkpoint_root"] == found["root_from_tiles"] == found["root_from_entries"] == root
    )
    assert (found["tree_size"], found["entries_read"]) == (700, 700)
    assert found["inclusion_proofs"] >= 64
    assert found["tiles_read"] >= 4


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line per request."""

    def log_message(self, format, *args):
        """Say nothing."""


@pytest.mark.parametrize("size", SIZES)
def test_foreign_client_every_checkpointed_size_still_checks(client, log, size):
    shutil.copy(log / f"checkpoint-{size}", log / "checkpoint")
    code, found = run(client, log)
    assert (code, found["tree_size"]) == (0, size)


@pytest.mark.parametrize("old", [7, 256])
def test_foreign_client_sees_that_the_log_grew(client, log, old):
    code, found = run(client, log, "-old", log / f"checkpoint-{old}")
    assert (code, found["old_size"], found["consistent_with_old"]) == (0, old, True)


def flip_byte(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("tile/0/000", 33),
        ("tile/0/002.p/188", 0),
        ("tile/1/000.p/2", 40),
        ("tile/entries/001", 5),
        ("tile/entries/002.p/188", 1),
        ("checkpoint", 26),
        ("checkpoint", -10),
    ],
)
def test_foreign_client_changed_byte_is_refused(client, log, path, at):
    flip_byte(log / path, at)
    code, found = run(client, log)
    assert (code, found["holds"]) == (1, False)
    assert found["error"]


def test_foreign_client_missing_tile_is_refused(client, log):
    (log / "tile/1/000.p/2").unlink()
    assert run(client, log)[0] == 1


def test_foreign_client_forked_log_is_refused(client, log):
    (log / "other").write_bytes(make_files("fork", (256,))["checkpoint"])
    code, found = run(client, log, "-old", log / "other")
    assert (code, found["old_size"], found["consistent_with_old"]) == (1, 256, False)


def test_foreign_client_other_key_is_refused(client, log):
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert run(client, log, key=signed_note.VerifierKey(ORIGIN, other))[0] == 1
