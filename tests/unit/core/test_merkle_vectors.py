"""Every merkle vector, read by name."""

import json
from pathlib import Path

import pytest

from ledger_node.core import merkle
from ledger_node.core.errors import LedgerError

VECTORS = Path(__file__).parents[2] / "vectors" / "merkle"


def _load(folder):
    files = sorted((VECTORS / folder).rglob("*.json"))
    return [pytest.param(json.loads(f.read_text()), id=f"{f.parent.name}/{f.stem}") for f in files]


def _unhex(texts):
    return [bytes.fromhex(text) for text in texts]


def _run(vector, action):
    if vector["want_error"] is None:
        action()
        return
    with pytest.raises(LedgerError) as caught:
        action()
    assert type(caught.value).__name__ == vector["want_error"]


@pytest.mark.parametrize("vector", _load("inclusion"))
def test_verify_inclusion_vector(vector):
    def action():
        head = merkle.TreeHead(vector["tree_size"], bytes.fromhex(vector["root"]))
        leaf = bytes.fromhex(vector["leaf_hash"])
        merkle.verify_inclusion(leaf, vector["leaf_index"], _unhex(vector["proof"]), head)

    _run(vector, action)


@pytest.mark.parametrize("vector", _load("consistency"))
def test_verify_consistency_vector(vector):
    def action():
        old = merkle.TreeHead(vector["old_size"], bytes.fromhex(vector["old_root"]))
        new = merkle.TreeHead(vector["new_size"], bytes.fromhex(vector["new_root"]))
        merkle.verify_consistency(old, new, _unhex(vector["proof"]))

    _run(vector, action)


@pytest.mark.parametrize("vector", _load("roots"))
def test_compute_root_vector(vector):
    root = merkle.compute_root(merkle.hash_leaves(_unhex(vector["entries"])))
    assert (root.hex() == vector["root"]) == (vector["want_error"] is None)


def test_vectors_are_all_there():
    counts = [len(_load(folder)) for folder in ("inclusion", "consistency", "roots")]
    assert counts >= [150, 150, 15]
    assert sum(counts) == len(list(VECTORS.rglob("*.json")))
