"""Every merkle vector, read by name."""

import pytest

from ledger_node.core import merkle
from tests.vector_runner import VECTORS, load_vectors, run_vector, unhex


@pytest.mark.parametrize("vector", load_vectors("merkle/inclusion"))
def test_verify_inclusion_vector_has_named_outcome(vector):
    def action():
        head = merkle.TreeHead(vector["tree_size"], bytes.fromhex(vector["root"]))
        leaf = bytes.fromhex(vector["leaf_hash"])
        merkle.verify_inclusion(leaf, vector["leaf_index"], unhex(vector["proof"]), head)

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("merkle/consistency"))
def test_verify_consistency_vector_has_named_outcome(vector):
    def action():
        old = merkle.TreeHead(vector["old_size"], bytes.fromhex(vector["old_root"]))
        new = merkle.TreeHead(vector["new_size"], bytes.fromhex(vector["new_root"]))
        merkle.verify_consistency(old, new, unhex(vector["proof"]))

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("merkle/roots"))
def test_compute_root_vector_has_named_outcome(vector):
    root = merkle.compute_root(merkle.hash_leaves(unhex(vector["entries"])))
    assert (root.hex() == vector["root"]) == (vector["want_error"] is None)


def test_merkle_vectors_are_all_read():
    counts = [len(load_vectors(f"merkle/{name}")) for name in ("inclusion", "consistency", "roots")]
    assert sum(counts) == len(list((VECTORS / "merkle").rglob("*.json"))) >= 400
